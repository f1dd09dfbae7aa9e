"""Measure the speed of a device's convolutions and matrix products, the ceiling of a training step's speed.

A square matrix product alone is not a ceiling: on an AMD EPYC a convolution is faster than the matrix product of 2048 x
2048, and a step of almost only convolutions would exceed 100 %.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

LEAST_FLOPS = 10**7  # smaller operations are too short to time


class OperationRates(TorchDispatchMode):
    """Time every convolution and matrix product that runs in this context, forward and backward.

    A step takes at least the time of its operations together, so it cannot be faster than the fastest of them.

    Args:
        wait: waits until the device has finished its work.
        clock: returns seconds.

    Attributes:
        fastest: floating-point operations per second of the fastest operation so far, 0 before the first.
    """

    def __init__(self, wait: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self.wait, self.clock, self.fastest = wait, clock, 0.0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        count = flop_registry.get(func._overloadpacket)
        if count is None:
            return func(*args, **kwargs)
        self.wait()
        start = self.clock()
        result = func(*args, **kwargs)
        self.wait()
        seconds = self.clock() - start
        if (flops := count(*args, **kwargs, out_val=result)) >= LEAST_FLOPS:
            self.fastest = max(self.fastest, flops / seconds)
        return result


def time_square_product(device: str, size: int = 2048) -> None:
    """Multiply two square float32 matrices three times, for `OperationRates` to keep the fastest."""
    left, right = torch.randn(2, size, size, device=device)
    for _ in range(3):
        left @ right
