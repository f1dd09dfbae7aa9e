"""Freed memory is reused."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from ser.processes.allocator import keep_freed_memory
assert keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        block = np.ones(2**26, np.uint8)  # 64 MiB, written to
        del block
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is configured")
def test_a_freed_block_of_64_mib_costs_no_page_the_next_time():
    """By default each of the six blocks is mapped again, and the kernel zeroes its pages."""
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    first, second = map(int, found.stdout.split())
    assert second < 16 < 32 <= first, "a block is 32 huge pages, or 16384 small ones"
