"""Keep freed memory for the next training step instead of handing it back to the system."""

import ctypes
import platform

# Numbers of glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Let glibc reuse freed memory, however large the block; whether it does. Other C libraries are left alone.

    By default a tensor of more than 32 MiB is mapped anew every time, and the system zeroes its pages at first touch:
    hundreds of thousands of page faults in every training step. Resident memory stays at its peak from then on.
    Concerns the whole process, so it is for programs to call and not for libraries.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
