"""The shared convolutions of Fig. 2: a standardised spectrogram becomes the feature maps that branches tap.

Masking: what lies beyond an utterance's end is zero after every layer, as SAME padding would have it, so neither the
padding nor the neighbours of a batch can change an answer. Time is pooled with ceil: no utterance has zero steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ser.networks.spectrogram import NUM_BINS


class FeatureMap(NamedTuple):
    """Features (batch, channels, bins, steps), zero beyond `steps`, the (batch,) count of real steps."""

    features: Tensor
    steps: Tensor


def within(steps: Tensor, total: int) -> Tensor:
    """Mask (batch, 1, 1, total): True before each utterance's end."""
    return (torch.arange(total, device=steps.device) < steps.unsqueeze(-1))[:, None, None, :]


def masked_image(spectrogram: Tensor, frames: Tensor) -> Tensor:
    """(batch, bins, frames) -> (batch, 1, bins, frames), zero beyond each utterance's end."""
    image = spectrogram.unsqueeze(1)
    return image.masked_fill(~within(frames, image.shape[-1]), 0)  # a product would let NaN through


def zero_beyond_(features: Tensor, steps: Tensor) -> Tensor:
    """Zero what lies beyond each utterance's end, in place and unseen by autograd: only for what a ReLU follows.

    No gradient passes a ReLU at zero, with or without max pooling between, so there is nothing to mask backward.
    """
    features.detach().mul_(within(steps, features.shape[-1]))
    return features


def halve(features: Tensor, steps: Tensor) -> FeatureMap:
    """Max pooling 2x2 and ReLU of a convolution's output; an odd last step is pooled alone."""
    return FeatureMap(F.relu_(F.max_pool2d(zero_beyond_(features, steps), 2, ceil_mode=True)), (steps + 1) // 2)


class PooledRows(torch.autograd.Function):
    """Max pooling 2x1, ReLU and mask of a map with an even number of rows.

    Max pooling as torch has it remembers an index of eight bytes for every value and scatters the gradients by it. Two
    equal values pass their gradient to the odd row.
    """

    @staticmethod
    def forward(ctx, features: Tensor, mask: Tensor) -> Tensor:
        """A map (batch, channels, rows, steps) and a mask that broadcasts over it -> a map of half the rows."""
        even, odd = features[:, :, ::2], features[:, :, 1::2]
        larger = torch.maximum(even, odd).clamp_min_(0).mul_(mask)
        ctx.save_for_backward(larger, even - odd)
        return larger

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        larger, difference = ctx.saved_tensors
        threshold_backward = torch.ops.aten.threshold_backward
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        gradient = threshold_backward(gradient, larger, 0)  # what lies beyond the end is zero as well
        batch, channels, rows, steps = gradient.shape
        of_rows = gradient.new_empty(batch, 2 * rows, steps, channels).permute(0, 3, 1, 2)
        even, odd = of_rows[:, :, ::2], of_rows[:, :, 1::2]
        threshold_backward.grad_input(gradient, difference, 0, grad_input=even)
        torch.sub(gradient, even, out=odd)
        return of_rows, None


def same_padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Zeros left, right, above and below that keep a map's size; an even kernel gets the extra one right and below."""
    return ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)


def convolution(height: int, width: int, in_channels: int, out_channels: int, **options) -> nn.Conv2d:
    """A Xavier-initialised convolution, written as in the paper: height x width x in x out."""
    layer = nn.Conv2d(in_channels, out_channels, (height, width), **options)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def convolve(features: Tensor, weight: Tensor, bias: Tensor, **options) -> Tensor:
    """A convolution whose bias is added afterwards, so that its gradient is a sum by itself.

    With two threads this saves 3 % of the time of all convolutions, with one it costs 1 % (AMD EPYC).
    """
    return F.conv2d(features, weight, **options).add_(bias[:, None, None])


class Convolutions(nn.Module, ABC):
    """Shared convolutions: a standardised spectrogram becomes the feature maps that branches may tap.

    Attributes:
        taps: for every map its (channels, bins).
    """

    taps: ClassVar[dict[str, tuple[int, int]]]

    @abstractmethod
    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        """(batch, bins, frames) and (batch,) counts of real frames -> feature maps by name."""


class SpectralTemporalConvolutions(Convolutions):
    """Wide and tall kernels side by side, then two 5x5 convolutions; the maps are `conv3` and `pool3`.

    Max pooling stands before ReLU where the paper draws it behind: ReLU is monotonic, so the values are the same and
    the work is less. The convolutions are laid out as channels_last, which processors compute faster.

    Source:
        Wu et al. (2019), section 3 and Fig. 2; ReLU and SAME padding are assumed.
    """

    taps: ClassVar = {"conv3": (16, NUM_BINS // 4), "pool3": (16, NUM_BINS // 8)}

    def __init__(self) -> None:
        super().__init__()
        self.wide = convolution(2, 8, 1, 8)
        self.tall = convolution(8, 2, 1, 8)
        self.conv2 = convolution(5, 5, 16, 16)
        self.conv3 = convolution(5, 5, 16, 16)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        # The eight columns or rows under a kernel become input channels. With a single one, an Intel Xeon with vectors
        # of 16 numbers takes several times as long; an AMD EPYC with vectors of 8 does not care.
        image, mask = masked_image(spectrogram, frames).squeeze(1), within(frames, spectrogram.shape[-1])
        columns = F.pad(image, same_padding(2, 8)).unfold(2, 8, 1).contiguous().permute(0, 3, 1, 2)
        rows = F.pad(image, same_padding(8, 2)).unfold(1, 8, 1).contiguous().permute(0, 3, 1, 2)
        wide = F.conv2d(columns, self.wide.weight.transpose(1, 3).contiguous(), self.wide.bias)
        tall = F.conv2d(rows, self.tall.weight.transpose(1, 2).contiguous(), self.tall.bias)
        features = torch.cat([PooledRows.apply(half, mask) for half in (wide, tall)], dim=1)
        pool2, steps = halve(convolve(features, self.conv2.weight, self.conv2.bias, padding=2), frames)
        conv3 = convolve(pool2, self.conv3.weight, self.conv3.bias, padding=2)
        conv3 = F.relu_(zero_beyond_(conv3, steps))
        pool3 = F.max_pool2d(conv3, 2, ceil_mode=True)
        return {"conv3": FeatureMap(conv3, steps), "pool3": FeatureMap(pool3, (steps + 1) // 2)}


class PlainConvolutions(Convolutions):
    """Three convolutions, each followed by max pooling 2x2; the map is `pool3`.

    Source:
        Satt et al. (2017), the baseline of Table 1; SAME padding, ReLU and the size of the pools are assumed.
    """

    taps: ClassVar = {"pool3": (32, NUM_BINS // 8)}

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = convolution(12, 16, 1, 16)
        self.conv2 = convolution(8, 12, 16, 24)
        self.conv3 = convolution(5, 7, 24, 32)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrogram: Tensor, frames: Tensor) -> dict[str, FeatureMap]:
        height, width = self.conv1.kernel_size
        image = F.pad(masked_image(spectrogram, frames), same_padding(height, width))
        # The columns under the kernel become input channels: processors compute many channels at once, and with a
        # single one this layer takes twice as long.
        columns = image.unfold(3, width, 1).transpose(1, 4).squeeze(4).clone(memory_format=torch.channels_last)
        weight = self.conv1.weight.transpose(1, 3).clone(memory_format=torch.channels_last)
        features = convolve(columns, weight, self.conv1.bias)
        features, steps = halve(features, frames)
        features, steps = self.convolve_row_pairs(features, steps)
        features, steps = halve(self.conv3(F.pad(features, same_padding(*self.conv3.kernel_size))), steps)
        return {"pool3": FeatureMap(features, steps)}

    def convolve_row_pairs(self, features: Tensor, steps: Tensor) -> FeatureMap:
        """The second convolution, max pooling and ReLU, with two rows of the map as 2 x 24 channels.

        24 channels fill one and a half of a processor's vectors of 16, 48 fill three: it takes half as long forward.
        """
        weight = torch.cat([F.pad(self.conv2.weight, (0, 0, 0, 1)), F.pad(self.conv2.weight, (0, 0, 1, 0))])
        features = F.pad(features, same_padding(*self.conv2.kernel_size))
        pairs = zero_beyond_(F.conv2d(features, weight, self.conv2.bias.repeat(2), stride=(2, 1)), steps)
        # In memory the two rows of a step lie side by side: pooling 2x2 is pooling 1x4 over rows and steps in turn.
        side_by_side = pairs.permute(0, 2, 3, 1).unflatten(3, (2, -1)).flatten(2, 3).permute(0, 3, 1, 2)
        return FeatureMap(F.relu_(F.max_pool2d(side_by_side, (1, 4), ceil_mode=True)), (steps + 1) // 2)
