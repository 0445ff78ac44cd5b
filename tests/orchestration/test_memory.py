"""What a process holds after it has freed a build's blocks."""

import platform
import subprocess
import sys

import pytest

# a larger block is freed first, as in any build; then many of the engine's size, with something
# that lives on behind each, as entries of a catalog do
HELD_AFTER_FREEING = """
import ctypes, psutil
from orchestration.database.memory import give_freed_blocks_back

give_freed_blocks_back()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def block(size):
    place = libc.malloc(size)
    ctypes.memset(place, 1, size)
    return place

libc.free(block(16 * 2**20))
before = psutil.Process().memory_info().rss
blocks = []
for _ in range(400):
    blocks.append(block(256 * 1024))
    block(20_000)
for place in blocks:
    libc.free(place)
print((psutil.Process().memory_info().rss - before) // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed")
def test_a_hundred_megabytes_of_freed_blocks_go_back_to_the_system() -> None:
    told = subprocess.run(
        [sys.executable, "-c", HELD_AFTER_FREEING], check=True, capture_output=True, text=True
    )

    assert int(told.stdout) < 10
