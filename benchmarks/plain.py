"""Literal implementation of the paper's five networks: the reference of `benchmarks/step.py`.

The spectrogram and its standardisation come from `ser`; the rest follows the paper's equations and uses no layer of
`ser`. Parameters have the names used in `ser`, so that both networks can have the same weights; their initial values
are placeholders.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser.networks.spectrogram import Spectrogram, Standardisation

NUM_EMOTIONS = 4  # of the paper
CAPSULE_SIZES = {
    "routing_iterations": 3,
    "capsule_tap": "pool3",
    "window_steps": 40,
    "window_shift": 20,
    "num_window_convolutions": 8,
    "window_capsule_dim": 8,
    "window_kernel": 9,
    "window_stride": 8,
    "emo_capsule_dim": 16,
    "utterance_capsule_dim": 16,
    "dense_units": 64,
    "dropout": 0.5,
}
GRU_SIZES = {"units": 64, "dense_units": 64, "dropout": 0.5, "pool_bins": 4}
LSTM_SIZES = {"units": 128, "dense_units": 64, "dropout": 0.5, "pool_bins": 1}
SYSTEMS = {
    "CNN_GRU": ("gru",),
    "CNN_SeqCap": ("seqcap",),
    "CNN_RecCap": ("reccap",),
    "CNN_GRU-SeqCap": ("seqcap", "gru"),
    "CNN_LSTM": ("lstm",),
}
Map = tuple[Tensor, Tensor]  # (batch, channels, bins, steps) and the number of real steps, (batch,)


def mask_within(steps: Tensor, total: int) -> Tensor:
    """Mask (batch, 1, 1, total): one in the real steps of each utterance, zero in the padding."""
    return (torch.arange(total, device=steps.device) < steps.unsqueeze(-1))[:, None, None, :].float()


def pad_same(features: Tensor, layer: nn.Conv2d) -> Tensor:
    """Zero padding that keeps a map's size in a convolution; for even kernels the extra zero is right and below."""
    height, width = layer.kernel_size
    return F.pad(features, ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2))


class PrintedConvolutions(nn.Module):
    """Figure 2 in the printed order: concatenation, ReLU, max pooling, with a mask after each layer."""

    taps = {"conv3": (16, 128), "pool3": (16, 64)}  # noqa: RUF012 (channels, bins)

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 8, (2, 8))
        self.tall = nn.Conv2d(1, 8, (8, 2))
        self.conv2 = nn.Conv2d(16, 16, 5, padding="same")
        self.conv3 = nn.Conv2d(16, 16, 5, padding="same")

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, Map]:
        mask = mask_within(frames, spectrogram.shape[-1])
        image = spectrogram.unsqueeze(1) * mask
        both = [layer(pad_same(image, layer)) for layer in (self.wide, self.tall)]
        features = F.max_pool2d(F.relu(torch.cat(both, dim=1)) * mask, (2, 1))
        features = F.max_pool2d(F.relu(self.conv2(features)) * mask, 2, ceil_mode=True)
        steps = (frames + 1) // 2
        conv3 = F.relu(self.conv3(features)) * mask_within(steps, features.shape[-1])
        pool3 = F.max_pool2d(conv3, 2, ceil_mode=True)
        return {"conv3": (conv3, steps), "pool3": (pool3, (steps + 1) // 2)}


class PrintedPlainConvolutions(nn.Module):
    """The baseline's three convolutions, each with ReLU, a mask and max pooling."""

    taps = {"pool3": (32, 64)}  # noqa: RUF012 (channels, bins)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (12, 16))
        self.conv2 = nn.Conv2d(16, 24, (8, 12))
        self.conv3 = nn.Conv2d(24, 32, (5, 7))

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, Map]:
        steps = frames
        features = spectrogram.unsqueeze(1) * mask_within(steps, spectrogram.shape[-1])
        for layer in (self.conv1, self.conv2, self.conv3):
            features = F.relu(layer(pad_same(features, layer)))
            features = F.max_pool2d(features * mask_within(steps, features.shape[-1]), 2, ceil_mode=True)
            steps = (steps + 1) // 2
        return {"pool3": (features, steps)}


class PrintedHead(nn.Sequential):
    """Section 3: a dense layer with ReLU and dropout, then the output layer."""

    def __init__(self, in_features: int, units: int, num_emotions: int, dropout: float) -> None:
        super().__init__(nn.Linear(in_features, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, num_emotions))


class BidirectionalBranch(nn.Module):
    """One bidirectional recurrent layer over segments of full length, and the dense layers."""

    def __init__(
        self, cell, taps, num_emotions: int, *, units: int, dense_units: int, dropout: float, pool_bins: int
    ) -> None:
        super().__init__()
        channels, bins = taps["pool3"]
        self.units, self.pool_bins = units, pool_bins
        self.recurrent = cell(channels * bins // pool_bins, units, batch_first=True, bidirectional=True)
        self.head = PrintedHead(2 * units, dense_units, num_emotions, dropout)

    def forward(self, maps: dict[str, Map]) -> Tensor:
        features = F.max_pool2d(maps["pool3"][0], (self.pool_bins, 1))
        outputs, _ = self.recurrent(features.permute(0, 3, 1, 2).flatten(2))
        return self.head(torch.cat([outputs[:, -1, : self.units], outputs[:, 0, self.units :]], dim=-1))


def squash(total: Tensor) -> Tensor:
    """Eq. (1): |s|^2 / (1 + |s|^2) times s / |s|."""
    square = (total**2).sum(-1, keepdim=True)
    return square / (1 + square) * total / torch.sqrt(square + 1e-20)  # avoids 0 / 0 for a capsule without input


def route(prediction: Tensor, real: Tensor, iterations: int) -> Tensor:
    """Eqs. (1), (2) and (4): u-hat_{j|i}, (batch, i, j, dim), and which i are real, (batch, i) -> v_j, (batch, j, dim).

    The logits b_ij start at zero; between iterations the agreement of u-hat_{j|i} and v_j is added.
    """
    logits = torch.zeros(prediction.shape[:3], dtype=prediction.dtype, device=prediction.device)
    for iteration in range(iterations):
        if iteration > 0:
            logits = logits + (prediction * output[:, None]).sum(3)  # noqa: F821 (of the previous iteration)
        coupling = F.softmax(logits, dim=2) * real[:, :, None]
        output = squash((coupling[:, :, :, None] * prediction).sum(1))
    return output


def orientations_and_lengths(output: Tensor) -> Tensor:
    """Eqs. (5) and (7): v_1 to v_N, then their lengths, (batch, N * (dim + 1))."""
    return torch.cat([output.flatten(1), output.norm(dim=2)], dim=1)


class PrintedSeqCaps(nn.Module):
    """Section 2.2: u-hat_{j|i} = W_ij u_i + b_ij (Eq. 3), window by window; `upper` capsules j, one per emotion."""

    def __init__(self, lower: int, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = nn.Parameter(torch.randn(lower, upper, dim, lower_dim))
        self.bias = nn.Parameter(torch.randn(lower, upper, dim))

    def forward(self, windows: list[Tensor]) -> list[Tensor]:
        """Capsules u_i of each window, (batch, i, dim) -> its emo-vector o."""
        vectors = []
        for capsules in windows:
            prediction = torch.einsum("ijdk,bik->bijd", self.weight, capsules) + self.bias
            everyone = torch.ones(prediction.shape[:2], device=prediction.device)
            vectors.append(orientations_and_lengths(route(prediction, everyone, self.iterations)))
        return vectors


class PrintedRecCaps(PrintedSeqCaps):
    """Section 2.3: u-hat_{j|i} = W_ij u_i + W^o_ij o_{t-1} + b_ij (Eq. 6), and o_0 = 0."""

    def __init__(self, lower: int, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__(lower, lower_dim, upper, dim, iterations)
        self.recurrent_weight = nn.Parameter(torch.randn(lower, upper, dim, upper * (dim + 1)))

    def forward(self, windows: list[Tensor]) -> list[Tensor]:
        vectors = [windows[0].new_zeros(len(windows[0]), self.recurrent_weight.shape[3])]
        for capsules in windows:
            prediction = torch.einsum("ijdk,bik->bijd", self.weight, capsules) + self.bias
            prediction = prediction + torch.einsum("ijdo,bo->bijd", self.recurrent_weight, vectors[-1])
            everyone = torch.ones(prediction.shape[:2], device=prediction.device)
            vectors.append(orientations_and_lengths(route(prediction, everyone, self.iterations)))
        return vectors[1:]


class PrintedWindowCapsules(nn.Module):
    """The separate convolutions of a window, stacked into one; each gives a capsule at every position of its grid."""

    def __init__(self, channels: int, convolutions: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.dim = dim
        self.convolutions = nn.Conv2d(channels, convolutions * dim, kernel, stride)

    def forward(self, window: Tensor) -> Tensor:
        """(batch, channels, bins, steps) -> u_i, (batch, i, dim)."""
        separate = self.convolutions(window).split(self.dim, dim=1)
        return squash(torch.cat([maps.flatten(2).transpose(1, 2) for maps in separate], dim=1))


class PrintedUtteranceCapsules(nn.Module):
    """Section 3: every window is a lower-level capsule of the utterance; all windows share W_j and b_j."""

    def __init__(self, lower_dim: int, upper: int, dim: int, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = nn.Parameter(torch.randn(upper, dim, lower_dim))
        self.bias = nn.Parameter(torch.randn(upper, dim))

    def forward(self, vectors: list[Tensor], real: Tensor) -> Tensor:
        """Emo-vectors of the windows, and which are real, (batch, windows) -> v_j, (batch, j, dim)."""
        predictions = [torch.einsum("jdk,bk->bjd", self.weight, vector) + self.bias for vector in vectors]
        return route(torch.stack(predictions, dim=1), real, self.iterations)


class PrintedCapsuleBranch(nn.Module):
    """Figure 1: window capsules, window emo-capsules, utterance capsules, dense layers."""

    def __init__(
        self,
        kind: type[PrintedSeqCaps],
        taps: dict[str, tuple[int, int]],
        num_emotions: int,
        *,
        routing_iterations: int,
        capsule_tap: str,
        window_steps: int,
        window_shift: int,
        num_window_convolutions: int,
        window_capsule_dim: int,
        window_kernel: int,
        window_stride: int,
        emo_capsule_dim: int,
        utterance_capsule_dim: int,
        dense_units: int,
        dropout: float,
    ) -> None:
        super().__init__()
        channels, bins = taps[capsule_tap]
        rows, columns = ((size - window_kernel) // window_stride + 1 for size in (bins, window_steps))
        lower = num_window_convolutions * rows * columns
        self.tap, self.window_steps, self.window_shift = capsule_tap, window_steps, window_shift
        self.window_capsules = PrintedWindowCapsules(
            channels, num_window_convolutions, window_capsule_dim, window_kernel, window_stride
        )
        self.emo_caps = kind(lower, window_capsule_dim, num_emotions, emo_capsule_dim, routing_iterations)
        self.utterance_capsules = PrintedUtteranceCapsules(
            num_emotions * (emo_capsule_dim + 1), num_emotions, utterance_capsule_dim, routing_iterations
        )
        self.head = PrintedHead(num_emotions * (utterance_capsule_dim + 1), dense_units, num_emotions, dropout)

    def forward(self, maps: dict[str, Map]) -> Tensor:
        features, steps = maps[self.tap]
        starts = [0]
        while starts[-1] + self.window_steps < features.shape[-1]:
            starts.append(starts[-1] + self.window_shift)
        features = F.pad(features, (0, starts[-1] + self.window_steps - features.shape[-1]))
        windows = [features[..., start : start + self.window_steps] for start in starts]
        # A window is real if the previous one does not reach the utterance's end; the first is always real.
        reached = [start - self.window_shift + self.window_steps if start else 0 for start in starts]
        real = torch.stack([steps > end for end in reached], dim=1).to(features.dtype)
        vectors = self.emo_caps([self.window_capsules(window) for window in windows])
        return self.head(orientations_and_lengths(self.utterance_capsules(vectors, real)))


class Network(nn.Module):
    """A network with shared convolutions and parallel branches, without a training framework."""

    def __init__(self, convolutions: nn.Module, branches: list[nn.Module]) -> None:
        super().__init__()
        self.spectrogram = Spectrogram()
        self.standardisation = Standardisation()
        self.convolutions = convolutions
        self.branches = nn.ModuleList(branches)

    def loss(self, waveform: Tensor, frames: Tensor, emotion: Tensor) -> Tensor:
        """Sum of the branches' cross-entropies."""
        maps = self.convolutions(self.standardisation(self.spectrogram(waveform)), frames)
        return sum(F.cross_entropy(branch(maps), emotion) for branch in self.branches)


def plain_network(system: str) -> Network:
    """A system of `SYSTEMS` as printed in the paper."""
    convolutions = PrintedPlainConvolutions() if system == "CNN_LSTM" else PrintedConvolutions()
    sizes = convolutions.taps, NUM_EMOTIONS
    branches = {
        "gru": lambda: BidirectionalBranch(nn.GRU, *sizes, **GRU_SIZES),
        "lstm": lambda: BidirectionalBranch(nn.LSTM, *sizes, **LSTM_SIZES),
        "seqcap": lambda: PrintedCapsuleBranch(PrintedSeqCaps, *sizes, **CAPSULE_SIZES),
        "reccap": lambda: PrintedCapsuleBranch(PrintedRecCaps, *sizes, **CAPSULE_SIZES),
    }
    return Network(convolutions, [branches[name]() for name in SYSTEMS[system]])


def plain_name(name: str) -> str:
    """The plain network's name for a parameter of `ser`, which has one layer per direction."""
    if ".backwards." in name:
        return name.replace(".backwards.", ".recurrent.") + "_reverse"
    return name.replace(".forwards.", ".recurrent.")
