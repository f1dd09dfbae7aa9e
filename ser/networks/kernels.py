"""Forms of convolution and pooling that processors compute faster; their values are those of torch's own.

Each function stands for the plain operation that its first line names, and `tests` compare the two.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def same_padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Zeros left, right, above and below that keep a map's size; an even kernel gets the extra one right and below."""
    return ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)


def within(steps: Tensor, total: int) -> Tensor:
    """Mask (batch, 1, 1, total): True before each utterance's end."""
    return (torch.arange(total, device=steps.device) < steps.unsqueeze(-1))[:, None, None, :]


def zero_beyond_(features: Tensor, steps: Tensor) -> Tensor:
    """Zero what lies beyond each utterance's end, in place and unseen by autograd: only for what a ReLU follows.

    No gradient passes a ReLU at zero, with or without max pooling between, so there is nothing to mask backward.
    """
    features.detach().mul_(within(steps, features.shape[-1]))
    return features


def convolve(features: Tensor, weight: Tensor, bias: Tensor, **options) -> Tensor:
    """A convolution whose bias is added afterwards, so that its gradient is a sum by itself.

    With two threads this saves 3 % of the time of all convolutions, with one it costs 1 % (AMD EPYC).
    """
    return F.conv2d(features, weight, **options).add_(bias[:, None, None])


def columns_as_channels(image: Tensor, layer: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """A SAME-padded map of one channel and a layer's weight, with the columns under the kernel as input channels.

    Processors compute many channels at once. With a single one, an Intel Xeon with vectors of 16 numbers takes several
    times as long for kernels of 2 x 8, and an AMD EPYC with vectors of 8 twice as long for kernels of 12 x 16.

    Args:
        image: (batch, bins, frames).
        layer: with one input channel.

    Returns:
        A map (batch, width, bins + height - 1, frames) and a weight (out, width, height, 1): their convolution without
        padding is that of the layer.
    """
    height, width = layer.kernel_size
    columns = F.pad(image, same_padding(height, width)).unfold(2, width, 1).contiguous().permute(0, 3, 1, 2)
    return columns, layer.weight.transpose(1, 3).contiguous()


def rows_as_channels(image: Tensor, layer: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """The same with the rows under the kernel: a map (batch, height, bins, frames + width - 1), a weight of one row."""
    height, width = layer.kernel_size
    rows = F.pad(image, same_padding(height, width)).unfold(1, height, 1).contiguous().permute(0, 3, 1, 2)
    return rows, layer.weight.transpose(1, 2).contiguous()


def convolve_row_pairs(features: Tensor, layer: nn.Conv2d) -> Tensor:
    """A SAME-padded convolution, two rows of its result as 2 x out channels: half the rows, twice the channels.

    24 channels fill one and a half of a processor's vectors of 16, 48 fill three: it takes half as long forward.
    """
    weight = torch.cat([F.pad(layer.weight, (0, 0, 0, 1)), F.pad(layer.weight, (0, 0, 1, 0))])
    features = F.pad(features, same_padding(*layer.kernel_size))
    return F.conv2d(features, weight, layer.bias.repeat(2), stride=(2, 1))


def pool_row_pairs(pairs: Tensor) -> Tensor:
    """Max pooling 2x2 of a map whose rows are held in pairs, as `convolve_row_pairs` gives it."""
    # In memory the two rows of a step lie side by side: pooling 2x2 is pooling 1x4 over rows and steps in turn.
    side_by_side = pairs.permute(0, 2, 3, 1).unflatten(3, (2, -1)).flatten(2, 3).permute(0, 3, 1, 2)
    return F.max_pool2d(side_by_side, (1, 4), ceil_mode=True)


class PooledRows(torch.autograd.Function):
    """Max pooling 2x1, ReLU and mask of a map with an even number of rows.

    torch's own max pooling stores an index of eight bytes for every value and scatters the gradients by it. Of two
    equal values the odd row gets the gradient.
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
