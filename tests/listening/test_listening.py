"""What listens is seen, and `make ui` binds to this machine; `make listening` looks in earnest."""

import re
import socket

import psutil
import pytest

from tests.listening.__main__ import ROOT, Socket, listening


@pytest.mark.parametrize(
    ("family", "address", "is_closed"),
    [
        (socket.AF_INET, "127.0.0.1", True),
        (socket.AF_INET, "0.0.0.0", False),  # noqa: S104 that is what must be seen
        (socket.AF_INET6, "::1", True),
        (socket.AF_INET6, "::", False),
    ],
)
def test_a_socket_is_seen_where_it_listens(
    family: socket.AddressFamily, address: str, *, is_closed: bool
) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((address, 0))
        server.listen()
        port = server.getsockname()[1]
        (found,) = (each for each in listening(psutil.Process()) if each.port == port)
    assert (found.address, found.is_closed) == (address, is_closed)


def test_an_address_of_a_network_is_open() -> None:
    assert not Socket("192.168.1.7", 3000, "").is_closed


def test_whatever_the_makefile_serves_it_serves_to_this_machine() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    served = re.findall(r"^\t.*\bdagster dev\b.*$", text, flags=re.MULTILINE)
    assert len(served) == 1
    assert all("--host 127.0.0.1" in line for line in served)
