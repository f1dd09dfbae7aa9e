"""The paper's learning-rate rule, as a function."""

from __future__ import annotations

STEPS = ((0.1, 0.5), (0.01, 0.2), (0.001, 0.1))


def rate_factor(loss_ratio: float) -> float:
    """What the first learning rate is multiplied by when the training loss has fallen to a share of its first value.

    Each reduction of the loss by a factor of 10 takes one step along 0.001, 0.0005, 0.0002, 0.0001.

    Args:
        loss_ratio: mean loss of the last 100 steps over the mean of the first 100.

    Example:
        >>> [rate_factor(ratio) for ratio in (1.0, 0.1, 0.009, 0.0001)]
        [1.0, 0.5, 0.2, 0.1]

    Source:
        Wu et al. (2019), section 4.1; what the loss is compared with is assumed.
    """
    return min([factor for ratio, factor in STEPS if loss_ratio <= ratio], default=1.0)
