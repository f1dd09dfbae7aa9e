"""The shared convolutions of Fig. 2: from a standardised spectrogram to the feature maps that branches start from.

Steps beyond an utterance's end are set to zero after every layer, like SAME padding, so neither padding nor the rest
of a batch changes its posterior. Pooling over time rounds up, so every utterance keeps at least one step.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ser.networks.kernels import (
    PooledRows,
    columns_as_channels,
    convolve,
    convolve_row_pairs,
    pool_row_pairs,
    rows_as_channels,
    same_padding,
    within,
    zero_beyond_,
)
from ser.networks.spectrogram import NUM_BINS

REACH = 64  # frames; a multiple of those in a step


class FeatureMap(NamedTuple):
    """Features (batch, channels, bins, steps), zero beyond `steps`, the number of real steps (batch,)."""

    features: Tensor
    steps: Tensor


def joined(parts: list[dict[str, FeatureMap]]) -> dict[str, FeatureMap]:
    """The feature maps of a batch, given those of its parts."""
    if len(parts) == 1:
        return parts[0]
    return {name: FeatureMap(*map(torch.cat, zip(*(maps[name] for maps in parts), strict=True))) for name in parts[0]}


def masked_image(spectrogram: Tensor, frames: Tensor) -> Tensor:
    """Set a spectrogram (batch, bins, frames) to zero beyond each utterance's end."""
    beyond = ~within(frames, spectrogram.shape[-1]).squeeze(1)
    return spectrogram.masked_fill(beyond, 0)  # multiplying by a mask would keep NaN


def halve(features: Tensor, steps: Tensor) -> FeatureMap:
    """Max pooling 2x2 and ReLU of a convolution's output; an odd last step is pooled alone."""
    return FeatureMap(F.relu_(F.max_pool2d(zero_beyond_(features, steps), 2, ceil_mode=True)), (steps + 1) // 2)


def convolution(height: int, width: int, in_channels: int, out_channels: int, **options) -> nn.Conv2d:
    """A Xavier-initialised convolution, written as in the paper: height x width x in x out."""
    layer = nn.Conv2d(in_channels, out_channels, (height, width), **options)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Convolutions(nn.Module, ABC):
    """Shared convolutions; `taps` has the (channels, bins) of every map that branches can start from.

    `frames_per_step` has the frames in a step of each map. No step depends on frames that are `REACH` or more away.
    """

    taps: ClassVar[dict[str, tuple[int, int]]]
    frames_per_step: ClassVar[dict[str, int]]

    @abstractmethod
    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        """(batch, bins, frames) and (batch,) counts of real frames -> feature maps by name."""


class SpectralTemporalConvolutions(Convolutions):
    """Wide and tall kernels in parallel, then two 5x5 convolutions; the maps are `conv3` and `pool3`.

    Max pooling comes before ReLU, not after it as in Fig. 2: the values are the same, since ReLU is monotonic, and it
    is less work. The convolutions are in channels_last format, which is faster on CPUs.

    Source:
        Wu et al. (2019), section 3 and Fig. 2; ReLU and SAME padding are assumed.
    """

    taps: ClassVar = {"conv3": (16, NUM_BINS // 4), "pool3": (16, NUM_BINS // 8)}
    frames_per_step: ClassVar = {"conv3": 2, "pool3": 4}

    def __init__(self) -> None:
        super().__init__()
        self.wide = convolution(2, 8, 1, 8)
        self.tall = convolution(8, 2, 1, 8)
        self.conv2 = convolution(5, 5, 16, 16)
        self.conv3 = convolution(5, 5, 16, 16)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        image, mask = masked_image(spectrogram, frames), within(frames, spectrogram.shape[-1])
        wide = F.conv2d(*columns_as_channels(image, self.wide), self.wide.bias)
        tall = F.conv2d(*rows_as_channels(image, self.tall), self.tall.bias)
        features = torch.cat([PooledRows.apply(half, mask) for half in (wide, tall)], dim=1)
        pool2, steps = halve(convolve(features, self.conv2.weight, self.conv2.bias, padding=2), frames)
        conv3 = convolve(pool2, self.conv3.weight, self.conv3.bias, padding=2)
        conv3 = F.relu_(zero_beyond_(conv3, steps))
        pool3 = F.max_pool2d(conv3, 2, ceil_mode=True)
        return {"conv3": FeatureMap(conv3, steps), "pool3": FeatureMap(pool3, (steps + 1) // 2)}


class PlainConvolutions(Convolutions):
    """Three convolutions, each followed by max pooling 2x2; the map is `pool3`.

    Source:
        Satt et al. (2017), the baseline of Table 1; SAME padding, ReLU and the pooling size are assumed.
    """

    taps: ClassVar = {"pool3": (32, NUM_BINS // 8)}
    frames_per_step: ClassVar = {"pool3": 8}

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = convolution(12, 16, 1, 16)
        self.conv2 = convolution(8, 12, 16, 24)
        self.conv3 = convolution(5, 7, 24, 32)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        image = masked_image(spectrogram, frames)
        features, steps = halve(convolve(*columns_as_channels(image, self.conv1), self.conv1.bias), frames)
        pairs = zero_beyond_(convolve_row_pairs(features, self.conv2), steps)
        features, steps = F.relu_(pool_row_pairs(pairs)), (steps + 1) // 2
        features, steps = halve(self.conv3(F.pad(features, same_padding(*self.conv3.kernel_size))), steps)
        return {"pool3": FeatureMap(features, steps)}


def convolve_in_pieces(
    convolutions: Convolutions, spectrogram: Tensor, frames: Tensor, most_frames: int
) -> dict[str, FeatureMap]:
    """The same maps from pieces of a spectrogram, because a minute at once needs half a gigabyte.

    Args:
        spectrogram: (batch, bins, frames).
        frames: (batch,) counts of real frames.
        most_frames: of a piece without its margins, a multiple of 8.
    """
    total, pieces = spectrogram.shape[-1], []
    if total <= most_frames:
        return convolutions(spectrogram, frames)
    for start in range(0, total, most_frames):
        stop = min(start + most_frames, total)
        first, last = max(start - REACH, 0), min(stop + REACH, total)
        maps = convolutions(spectrogram[..., first:last], (frames - first).clamp(0, last - first))
        pieces.append({})
        for name, (features, _) in maps.items():
            step = convolutions.frames_per_step[name]
            pieces[-1][name] = features[..., (start - first) // step : -(-(stop - first) // step)]
    return {
        name: FeatureMap(torch.cat([piece[name] for piece in pieces], dim=-1), -(-frames // step))
        for name, step in convolutions.frames_per_step.items()
    }
