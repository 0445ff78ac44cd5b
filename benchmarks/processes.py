"""What a command costs, from its start to its end, with all processes that it starts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
TAIL_LINES = 20

# Linux counts in blocks of 512 bytes whatever the file system's are
BLOCK_BYTES = 512
# macOS gives the largest memory in bytes, Linux in KiB
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


class CommandError(Exception):
    """A command that was to be measured did not end well; the text is the end of what it said."""


@dataclass(frozen=True)
class Usage:
    """What a command used.

    `cpu_seconds` adds up user and system time of all its processes. `peak_memory_bytes` is the
    largest resident memory that all of them held at one time; pages that they share count once for
    each. `written_bytes` is what they sent to disk, files deleted since included, and None where
    the system doesn't tell.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    written_bytes: int | None


def measure(command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path) -> Usage:
    """Run the command to its end and return what it used; what it says goes to the file `log`.

    Raises `CommandError` where its exit status is not 0.
    """
    with log.open("w", encoding="utf-8") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        ended = threading.Event()
        sampler = MemorySampler(process.pid, ended)
        sampler.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            wall_seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            ended.set()
            sampler.join()
            if process.returncode is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise CommandError(
            f"{' '.join(map(str, command))} ended with {process.returncode}:\n" + "\n".join(lines)
        )
    return Usage(
        wall_seconds=wall_seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_memory_bytes=max(sampler.peak_bytes, _own_peak_bytes(used)),
        written_bytes=used.ru_oublock * BLOCK_BYTES if sys.platform == "linux" else None,
    )


def _own_peak_bytes(used: resource.struct_rusage) -> int:
    """Return the system's own figure of the largest memory, which misses no peak between samples.

    It is that of one process at a time, and 0 where it may be this process's own: what is started
    begins as a copy of what starts it, and the system counts that too.
    """
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used.ru_maxrss * MEMORY_UNIT if used.ru_maxrss > ours else 0


class MemorySampler(threading.Thread):
    """Watches the memory of a process and its descendants until `ended` is set."""

    def __init__(self, pid: int, ended: threading.Event) -> None:
        super().__init__(name=f"memory of {pid}", daemon=True)
        self.pid = pid
        self.ended = ended
        self.peak_bytes = 0

    def run(self) -> None:
        """Take a sample every `SAMPLE_SECONDS`."""
        while not self.ended.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, tree_memory_bytes(self.pid))


def tree_memory_bytes(pid: int) -> int:
    """Return the resident memory of the process and its descendants; 0 once it has ended."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_memory_bytes(process) for process in processes)


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        # it ended between being listed and being asked
        return 0
