"""Memory that is freed goes back to the system, so that a build holds what it uses and no more."""

import ctypes
import platform

# mallopt's number of it in glibc's malloc.h, and what glibc begins with
M_MMAP_THRESHOLD = -3
MMAP_THRESHOLD_BYTES = 128 * 1024


def give_freed_blocks_back() -> None:
    """Has the C library return each larger block to the system at once, for the whole process.

    glibc does so until the first one is freed; from then on it takes blocks of that size from its
    heaps, up to 32 MB, whose holes stay with the process. DuckDB has no allocator of its own in
    Python's wheels, its blocks are of 256 KiB, and the holes came to hundreds of megabytes beyond
    its limit. A threshold that is set is not raised (mallopt(3), M_MMAP_THRESHOLD). Other C
    libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
