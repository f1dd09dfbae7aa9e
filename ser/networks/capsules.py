"""Capsule mathematics of Wu et al. (2019), Eqs. (1)-(7): functions without weights."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ser.errors import InputError


def squash(total_input: Tensor) -> Tensor:
    """Shrink each capsule's total input to a length in [0, 1), keeping its direction.

    One factor |s| of the printed formula is cancelled, so value and gradient are finite (zero) at s = 0.

    Args:
        total_input: s_j, (..., dim).

    Example:
        >>> squash(torch.tensor([3.0, 4.0]))  # length 5 becomes 25/26
        tensor([0.5769, 0.7692])

    Source:
        Wu et al. (2019), Eq. (1).
    """
    length = vector_norm(total_input, dim=-1, keepdim=True)
    return total_input * (length / (1 + length.square()))


def route(prediction: Tensor, iterations: int, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Routing by agreement between two layers of capsules.

    The logits start at zero; after every iteration but the last, the agreement of each prediction with the output is
    added to them. Gradients run through all iterations.

    Args:
        prediction: prediction vectors u-hat_{j|i}, (..., lower, upper, dim).
        iterations: how often the output is computed, at least 1.
        mask: (..., lower) bool, True for real lower capsules; the coupling of the others is zero.

    Returns:
        Output v_j, (..., upper, dim), and coupling c_ij of the last iteration, (..., lower, upper), which sums to 1
        over the upper capsules for every real lower capsule.

    Raises:
        InputError: for fewer than one iteration.

    Example:
        >>> output, coupling = route(torch.ones(1, 2, 3), iterations=1)
        >>> coupling
        tensor([[0.5000, 0.5000]])

    Source:
        Wu et al. (2019), Eqs. (1), (2), (4) and section 2.1.
    """
    if iterations < 1:
        raise InputError(f"routing_iterations is {iterations}, but must be at least 1")
    logits = prediction.new_zeros(prediction.shape[:-1])
    for iteration in range(iterations):
        coupling = logits.softmax(dim=-1)
        if mask is not None:
            coupling = coupling * mask.unsqueeze(-1)
        output = squash((coupling.unsqueeze(-1) * prediction).sum(dim=-3))
        if iteration < iterations - 1:
            logits = logits + (prediction * output.unsqueeze(-3)).sum(dim=-1)
    return output, coupling


def emo_vector(output: Tensor) -> Tensor:
    """Concatenate the orientations and lengths of all capsules of a layer.

    Args:
        output: capsule outputs v_j, (..., upper, dim).

    Returns:
        o = [v_1, ..., v_N, |v_1|, ..., |v_N|], (..., upper * (dim + 1)).

    Example:
        >>> emo_vector(torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([3., 4., 0., 1., 5., 1.])

    Source:
        Wu et al. (2019), Eqs. (5) and (7).
    """
    return torch.cat([output.flatten(-2), vector_norm(output, dim=-1)], dim=-1)
