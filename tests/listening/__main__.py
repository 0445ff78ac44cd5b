"""Starts `make ui` and looks at every socket on which it or a process of its listens.

python -m tests.listening     exit status 1 where one can be reached from another machine

Dagster takes half a minute to start.
"""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path

import psutil
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 240.0


@dataclass(frozen=True, order=True)
class Socket:
    """Where a process listens; `program` is its command."""

    address: str
    port: int
    program: str

    @property
    def is_closed(self) -> bool:
        """Whether only this machine gets to it."""
        return ip_address(self.address).is_loopback


def listening(process: psutil.Process) -> list[Socket]:
    """The sockets on which a process and those that it started listen for TCP."""
    found: set[Socket] = set()
    for each in (process, *process.children(recursive=True)):
        try:
            program = " ".join(each.cmdline())
            places = each.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            # it ended meanwhile
            continue
        found.update(
            Socket(place.laddr.ip, place.laddr.port, program)
            for place in places
            if place.status == psutil.CONN_LISTEN
        )
    return sorted(found)


def main() -> int:
    """Prints each socket; returns the exit status."""
    console = Console(soft_wrap=True, highlight=False)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ui = subprocess.Popen(
        [shutil.which("make") or "make", "--silent", "ui", f"port={port}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process = psutil.Process(ui.pid)
    try:
        _wait_for_answer(port)
        sockets = listening(process)
    finally:
        _end(process)
    for each in sockets:
        told = "this machine alone" if each.is_closed else "OPEN TO OTHERS"
        console.print(f"{each.address}:{each.port}: {told}: {each.program[:100]}", markup=False)
    is_seen = any(each.port == port for each in sockets)
    open_ones = [each for each in sockets if not each.is_closed]
    console.print(f"{len(sockets)} listening sockets, {len(open_ones)} open to others")
    return int(bool(open_ones) or not is_seen)


def _end(process: psutil.Process) -> None:
    """Ends a process and those that it started, which clean up behind them if they are let."""
    processes = [*process.children(recursive=True), process]
    for each in processes:
        each.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(processes, timeout=30)
    for each in left:
        each.kill()


def _wait_for_answer(port: int) -> None:
    """Returns once Dagster's page is served; raises TimeoutError if it never is."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/server_info")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        except OSError:
            time.sleep(1)
        finally:
            connection.close()
    raise TimeoutError(f"nothing answers on port {port} after {LONGEST_SECONDS:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
