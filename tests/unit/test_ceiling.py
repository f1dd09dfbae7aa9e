"""The ceiling of a training step's speed: its fastest operation, each timed separately."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from torch import nn

from benchmarks.ceiling import OperationRates


def rates(operation):
    """The rates of an operation, with a clock that gives one second for each."""
    with OperationRates(lambda: None, count().__next__) as found:
        operation()
    return found


def test_a_convolution_counts_as_many_operations_as_its_kernels_have_products_and_sums():
    layer, maps = nn.Conv2d(16, 24, 5), torch.randn(2, 16, 44, 44)
    assert rates(lambda: layer(maps)).fastest == 2 * 2 * 24 * 40 * 40 * 16 * 5 * 5


def test_the_fastest_operation_of_a_step_is_the_ceiling_and_not_the_matrix_product():
    """Forward and backward of a layer: the gradients of maps and kernels take twice the forward operations."""
    layer, maps = nn.Conv2d(16, 24, 5), torch.randn(2, 16, 44, 44, requires_grad=True)
    square = torch.randn(200, 200)

    def step():
        _ = square @ square
        layer(maps).sum().backward()

    forward = 2 * 2 * 24 * 40 * 40 * 16 * 5 * 5
    assert forward > 2 * 200**3
    assert rates(step).fastest == 2 * forward


@pytest.mark.parametrize("size", [8, 100])
def test_what_is_too_small_to_be_timed_is_no_ceiling(size):
    left = torch.randn(size, size)
    assert rates(lambda: left @ left).fastest == 0
