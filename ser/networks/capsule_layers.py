"""Capsule layers with weights: from windows of a feature map to one emo-vector per utterance."""

from abc import ABC, abstractmethod
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser.errors import InputError
from ser.networks.capsules import emo_vector, route, squash

MOST_WEIGHTS = 2**24  # per capsule layer


def check_size(name: str, *shape: int) -> None:
    """Refuse a layer of more than 16 million weights before it is allocated; the paper's largest has 115 thousand."""
    if (number := prod(shape)) > MOST_WEIGHTS:
        factors = " x ".join(map(str, shape))
        raise InputError(f"{name} make {factors} = {number} weights, but must make at most {MOST_WEIGHTS}")


def capsule_weight(*shape: int) -> nn.Parameter:
    """Weights (..., out, in) of capsule matrices, Xavier-initialised matrix by matrix.

    `nn.init.xavier_uniform_` on the whole tensor treats the leading dimensions as a receptive field, which makes the
    weights far too small.
    """
    bound = (6 / (shape[-1] + shape[-2])) ** 0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


class Windows(nn.Module):
    """Slice a feature map into overlapping windows of `size` steps, `shift` apart; the last one is zero-padded.

    Raises:
        InputError: if `shift` is larger than `size`, so that steps would be left out.

    Source:
        Wu et al. (2019), section 3 (40 steps, shift 20); the treatment of the tail is assumed.
    """

    def __init__(self, size: int, shift: int) -> None:
        super().__init__()
        if shift > size:
            raise InputError(f"model.window_shift is {shift}, but must be at most model.window_steps, {size}")
        self.size, self.shift = size, shift

    def count(self, steps):
        """Number of windows of a map with `steps` steps: at least one, and the last includes the end."""
        beyond_first = steps - self.size
        extra = -(-beyond_first // self.shift)
        return 1 + (extra.clamp(min=0) if isinstance(extra, Tensor) else max(extra, 0))

    def forward(self, features: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Cut the windows.

        Args:
            features: (batch, channels, bins, steps), zero beyond each utterance's end.
            steps: (batch,) real steps.

        Returns:
            Windows (batch, windows, channels, bins, size) and their mask (batch, windows): True for the windows that
            the utterance would have by itself.
        """
        count = self.count(features.shape[-1])
        missing = (count - 1) * self.shift + self.size - features.shape[-1]
        windows = F.pad(features, (0, missing)).unfold(-1, self.size, self.shift)
        mask = torch.arange(count, device=steps.device) < self.count(steps).unsqueeze(-1)
        return windows.permute(0, 3, 1, 2, 4), mask


class WindowCapsules(nn.Module):
    """The lowest capsules of a window: parallel convolutions, each with one capsule per output position.

    Args:
        in_channels: of the feature map.
        bins: height of a window.
        window_steps: width of a window.
        dim: output channels of each convolution, which are the dimensions of its capsules.
        kernel: height and width.
        stride: in both directions.

    Raises:
        InputError: for a kernel larger than a window, or more than 16 million weights.

    Source:
        Wu et al. (2019), section 2.2 and Fig. 1; all sizes are assumed.
    """

    def __init__(
        self, in_channels: int, bins: int, window_steps: int, num_convolutions: int, dim: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        if kernel > min(bins, window_steps):
            raise InputError(f"model.window_kernel is {kernel}, but a window has {bins} bins and {window_steps} steps")
        sizes = "model.num_window_convolutions, window_capsule_dim and window_kernel"
        check_size(sizes, num_convolutions, dim, in_channels, kernel, kernel)
        self.dim = dim
        rows, columns = ((size - kernel) // stride + 1 for size in (bins, window_steps))
        self.num_capsules = num_convolutions * rows * columns
        # The parallel convolutions are computed as one, with their output channels concatenated.
        self.convolutions = nn.Conv2d(in_channels, num_convolutions * dim, kernel, stride)
        for weight in self.convolutions.weight.data.split(dim):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.convolutions.bias)

    def forward(self, windows: Tensor) -> Tensor:
        """(count, channels, bins, steps) -> capsules u_i, (count, capsules, dim)."""
        maps = self.convolutions(windows).flatten(2)  # (count, convolutions * dim, positions)
        return squash(maps.unflatten(1, (-1, self.dim)).transpose(2, 3).flatten(1, 2))


class EmoCaps(nn.Module, ABC):
    """`lower` window capsules of `lower_dim` dimensions -> `upper` window emo-capsules of `dim` -> emo-vectors.

    `upper` is the number of emotions, N in Eqs. (5) and (7).

    Raises:
        InputError: for more than 16 million weights.
    """

    def __init__(self, lower: int, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__()
        sizes = "the window capsules, model.emo_capsule_dim and window_capsule_dim"
        check_size(sizes, lower, upper, dim, lower_dim)
        self.iterations = iterations
        self.weight = capsule_weight(lower, upper, dim, lower_dim)
        self.bias = nn.Parameter(torch.zeros(lower, upper, dim))

    def prediction(self, capsules: Tensor) -> Tensor:
        """Eq. (3): (..., lower, lower_dim) -> prediction vectors (..., lower, upper, dim)."""
        return torch.einsum("...ik,ijdk->...ijd", capsules, self.weight) + self.bias

    @abstractmethod
    def forward(self, capsules: Tensor) -> Tensor:
        """(batch, windows, lower, lower_dim) -> emo-vectors (batch, windows, upper * (dim + 1))."""


class SeqCaps(EmoCaps):
    """Sequential capsules: each window is routed by itself, with weights shared by all windows.

    Source:
        Wu et al. (2019), section 2.2, Eqs. (1)-(5).
    """

    def forward(self, capsules: Tensor) -> Tensor:
        output, _ = route(self.prediction(capsules), self.iterations)
        return emo_vector(output)


class RecCaps(EmoCaps):
    """Recurrent capsules: the emo-vector of the previous window, initially zero, contributes to the next predictions.

    Source:
        Wu et al. (2019), section 2.3, Eqs. (6) and (7).
    """

    def __init__(self, lower: int, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__(lower, lower_dim, upper, dim, iterations)
        self.recurrent_weight = capsule_weight(lower, upper, dim, upper * (dim + 1))

    def forward(self, capsules: Tensor) -> Tensor:
        previous = capsules.new_zeros(capsules.shape[0], self.recurrent_weight.shape[-1])
        vectors = []
        for prediction in self.prediction(capsules).unbind(1):
            recurrent = torch.einsum("bo,ijdo->bijd", previous, self.recurrent_weight)
            output, _ = route(prediction + recurrent, self.iterations)
            previous = emo_vector(output)
            vectors.append(previous)
        return torch.stack(vectors, dim=1)


class UtteranceCapsules(nn.Module):
    """Window emo-vectors of length `lower_dim` -> `upper` utterance capsules, one per emotion; windows share weights.

    Source:
        Wu et al. (2019), sections 2.2 and 3.
    """

    def __init__(self, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = capsule_weight(upper, dim, lower_dim)
        self.bias = nn.Parameter(torch.zeros(upper, dim))

    def forward(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Route windows to the utterance.

        Args:
            vectors: window emo-vectors, (batch, windows, lower_dim).
            mask: (batch, windows) bool, True for real windows.

        Returns:
            Output (batch, upper, dim) and the coupling of each window, (batch, windows, upper).
        """
        prediction = torch.einsum("bwk,jdk->bwjd", vectors, self.weight) + self.bias
        return route(prediction, self.iterations, mask)


class DenseHead(nn.Sequential):
    """Dense layer with ReLU and dropout, then a linear layer to the emotions' logits.

    Source:
        Wu et al. (2019), section 3.
    """

    def __init__(self, in_features: int, units: int, num_emotions: int, dropout: float) -> None:
        super().__init__(nn.Linear(in_features, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, num_emotions))
        for layer in (self[0], self[3]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
