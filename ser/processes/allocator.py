"""Keep freed memory for the next training step instead of returning it to the system."""

import ctypes
import platform

# Constants of glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Make glibc reuse freed blocks of any size; return whether it does. Other C libraries are left alone.

    By default a tensor of more than 32 MiB is mapped anew every time and its pages are zeroed on first touch, which
    costs hundreds of thousands of page faults per training step. Resident memory then stays at its peak. This affects
    the whole process, so programs should call it, not libraries.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
