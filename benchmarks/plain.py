"""The five networks as the paper prints them, written plainly: what `benchmarks/step.py` measures ours against."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser.convolutions import FeatureMap, PlainConvolutions, SpectralTemporalConvolutions, same_padding
from ser.layers import DenseHead, RecCaps, SeqCaps
from ser.networks import CapsuleBranch, RecurrentBranch
from ser.spectrogram import Spectrogram, Standardisation

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


def mask_within(steps: Tensor, total: int) -> Tensor:
    """(batch, 1, 1, total) of ones before each utterance's end and zeros beyond."""
    return (torch.arange(total, device=steps.device) < steps.unsqueeze(-1))[:, None, None, :].float()


class PrintedConvolutions(nn.Module):
    """Figure 2 in the printed order: concatenation, ReLU, max pooling; the default layout; a mask after each layer."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 8, (2, 8))
        self.tall = nn.Conv2d(1, 8, (8, 2))
        self.conv2 = nn.Conv2d(16, 16, 5, padding="same")
        self.conv3 = nn.Conv2d(16, 16, 5, padding="same")

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        mask = mask_within(frames, spectrogram.shape[-1])
        image = spectrogram.unsqueeze(1) * mask
        both = [layer(F.pad(image, same_padding(*layer.kernel_size))) for layer in (self.wide, self.tall)]
        features = F.max_pool2d(F.relu(torch.cat(both, dim=1)) * mask, (2, 1))
        features = F.max_pool2d(F.relu(self.conv2(features)) * mask, 2, ceil_mode=True)
        steps = (frames + 1) // 2
        conv3 = F.relu(self.conv3(features)) * mask_within(steps, features.shape[-1])
        pool3 = F.max_pool2d(conv3, 2, ceil_mode=True)
        return {"conv3": FeatureMap(conv3, steps), "pool3": FeatureMap(pool3, (steps + 1) // 2)}


class PrintedPlainConvolutions(nn.Module):
    """The baseline's three convolutions: each with ReLU, a mask and max pooling, in the default layout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (12, 16))
        self.conv2 = nn.Conv2d(16, 24, (8, 12))
        self.conv3 = nn.Conv2d(24, 32, (5, 7))

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        steps = frames
        features = spectrogram.unsqueeze(1) * mask_within(steps, spectrogram.shape[-1])
        for layer in (self.conv1, self.conv2, self.conv3):
            features = F.relu(layer(F.pad(features, same_padding(*layer.kernel_size))))
            features = F.max_pool2d(features * mask_within(steps, features.shape[-1]), 2, ceil_mode=True)
            steps = (steps + 1) // 2
        return {"pool3": FeatureMap(features, steps)}


class BidirectionalBranch(nn.Module):
    """One bidirectional layer over segments of full length, and the dense layers."""

    def __init__(self, cell, taps, *, units: int, dense_units: int, dropout: float, pool_bins: int) -> None:
        super().__init__()
        channels, bins = taps["pool3"]
        self.units, self.pool_bins = units, pool_bins
        self.recurrent = cell(channels * bins // pool_bins, units, batch_first=True, bidirectional=True)
        self.head = DenseHead(2 * units, dense_units, dropout)

    def forward(self, maps: dict[str, FeatureMap]) -> Tensor:
        features = F.max_pool2d(maps["pool3"].features, (self.pool_bins, 1))
        outputs, _ = self.recurrent(features.permute(0, 3, 1, 2).flatten(2))
        return self.head(torch.cat([outputs[:, -1, : self.units], outputs[:, 0, self.units :]], dim=-1))


class Network(nn.Module):
    """Waveform -> the logits of every branch, without a training framework.

    Args:
        system: a key of `SYSTEMS`.
        plain: whether the plainly written convolutions and recurrent branch are used; capsules are the same in both.
    """

    def __init__(self, system: str, plain: bool) -> None:
        super().__init__()
        ours = PlainConvolutions if system == "CNN_LSTM" else SpectralTemporalConvolutions
        printed = {PlainConvolutions: PrintedPlainConvolutions, SpectralTemporalConvolutions: PrintedConvolutions}
        recurrent = BidirectionalBranch if plain else RecurrentBranch
        branches = {
            "gru": lambda: recurrent(nn.GRU, ours.taps, **GRU_SIZES),
            "lstm": lambda: recurrent(nn.LSTM, ours.taps, **LSTM_SIZES),
            "seqcap": lambda: CapsuleBranch(SeqCaps, ours.taps, **CAPSULE_SIZES),
            "reccap": lambda: CapsuleBranch(RecCaps, ours.taps, **CAPSULE_SIZES),
        }
        self.spectrogram = Spectrogram()
        self.standardisation = Standardisation()
        self.convolutions = printed[ours]() if plain else ours()
        self.branches = nn.ModuleList(branches[name]() for name in SYSTEMS[system])

    def loss(self, waveform: Tensor, frames: Tensor, emotion: Tensor) -> Tensor:
        """Sum of the branches' cross-entropies."""
        maps = self.convolutions(self.standardisation(self.spectrogram(waveform)), frames)
        return sum(F.cross_entropy(branch(maps), emotion) for branch in self.branches)


def plain_name(name: str) -> str:
    """The plain network's name of one of our parameters: two directions there are one bidirectional layer."""
    if ".backwards." in name:
        return name.replace(".backwards.", ".recurrent.") + "_reverse"
    return name.replace(".forwards.", ".recurrent.")
