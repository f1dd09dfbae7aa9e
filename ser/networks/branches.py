"""The branches of Fig. 2: from the maps of the shared convolutions to logits over the emotions.

Steps beyond an utterance's end are never read, so neither padding nor the rest of a batch changes its posterior.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ser.bounds import CapsuleSize, Dropout, Units, checked
from ser.networks.capsule_layers import DenseHead, EmoCaps, UtteranceCapsules, WindowCapsules, Windows
from ser.networks.capsules import emo_vector
from ser.networks.convolutions import FeatureMap


class Branch(nn.Module, ABC):
    """A network from the shared feature maps to logits over the emotions."""

    @abstractmethod
    def forward(self, maps: dict[str, FeatureMap]) -> Tensor:
        """Feature maps by name -> logits (batch, emotions)."""


class RecurrentBranch(Branch):
    """A bidirectional recurrent layer over time, then dense layers.

    Two unidirectional layers, the second on each sequence reversed within its own length: padding is never read, and
    no length is copied to the host.

    Args:
        cell: `nn.GRU` or `nn.LSTM`.
        taps: (channels, bins) of each feature map.
        num_emotions: length of the logits.
        units: cells per direction.
        pool_bins: size of the max pooling over bins before the recurrent layer.

    Source:
        Wu et al. (2019), section 3 and Fig. 2.
    """

    def __init__(
        self,
        cell: type[nn.GRU] | type[nn.LSTM],
        taps: dict[str, tuple[int, int]],
        num_emotions: int,
        units: int,
        dense_units: int,
        dropout: float,
        pool_bins: int = 1,
    ) -> None:
        super().__init__()
        channels, bins = taps["pool3"]
        self.pool_bins = pool_bins
        self.forwards = cell(channels * bins // pool_bins, units, batch_first=True)
        self.backwards = cell(channels * bins // pool_bins, units, batch_first=True)
        self.head = DenseHead(2 * units, dense_units, num_emotions, dropout)

    def forward(self, maps: dict[str, FeatureMap]) -> Tensor:
        features, steps = maps["pool3"]
        if self.pool_bins > 1:
            features = F.max_pool2d(features, (self.pool_bins, 1))
        sequence = features.permute(0, 3, 1, 2).flatten(2)
        time = torch.arange(sequence.shape[1], device=steps.device)
        # Step t of the reversed sequence is step steps-1-t; indices beyond the end do not matter.
        reverse = (steps.unsqueeze(-1) - 1 - time).clamp(min=0)
        reversed_sequence = sequence.gather(1, reverse.unsqueeze(-1).expand_as(sequence))
        last = (steps - 1)[:, None, None]
        states = []
        for layer, inputs in ((self.forwards, sequence), (self.backwards, reversed_sequence)):
            outputs, _ = layer(inputs)
            states.append(outputs.gather(1, last.expand(-1, 1, outputs.shape[-1])).squeeze(1))
        return self.head(torch.cat(states, dim=-1))


class CapsuleBranch(Branch):
    """Window capsules -> window emo-capsules -> utterance capsules -> dense layers.

    Args:
        emo_caps: `SeqCaps` or `RecCaps`, the routing over windows.
        taps: (channels, bins) of each feature map.
        num_emotions: N in Eqs. (5) and (7): window emo-capsules, utterance capsules and logits.
        routing_iterations: iterations of both routings.
        capsule_tap: the feature map that is cut into windows.
        window_steps: length of a window.
        window_shift: steps between the starts of consecutive windows.
        num_window_convolutions: parallel convolutions that compute the window capsules.
        window_capsule_dim: dimensions of a window capsule.
        window_kernel: height and width of their kernels.
        window_stride: their stride in both directions.
        emo_capsule_dim: dimensions of a window emo-capsule.
        utterance_capsule_dim: dimensions of an utterance capsule.
        dense_units: units of the dense layer.
        dropout: rate after the dense layer.

    Source:
        Wu et al. (2019), Fig. 1 and section 3.
    """

    @checked("model.")
    def __init__(
        self,
        emo_caps: type[EmoCaps],
        taps: dict[str, tuple[int, int]],
        num_emotions: int,
        *,
        routing_iterations: Annotated[int, Field(ge=1, le=100)] = 3,
        capsule_tap: Literal["pool3", "conv3"] = "pool3",
        window_steps: Annotated[int, Field(ge=1, le=10_000)] = 40,
        window_shift: Annotated[int, Field(ge=1, le=10_000)] = 20,
        num_window_convolutions: CapsuleSize = 8,
        window_capsule_dim: CapsuleSize = 8,
        window_kernel: CapsuleSize = 9,
        window_stride: CapsuleSize = 8,
        emo_capsule_dim: CapsuleSize = 16,
        utterance_capsule_dim: CapsuleSize = 16,
        dense_units: Units = 64,
        dropout: Dropout = 0.5,
    ) -> None:
        super().__init__()
        self.tap = capsule_tap
        self.windows = Windows(window_steps, window_shift)
        self.window_capsules = WindowCapsules(
            *taps[capsule_tap], window_steps, num_window_convolutions, window_capsule_dim, window_kernel, window_stride
        )
        self.emo_caps = emo_caps(
            self.window_capsules.num_capsules, window_capsule_dim, num_emotions, emo_capsule_dim, routing_iterations
        )
        self.utterance_capsules = UtteranceCapsules(
            num_emotions * (emo_capsule_dim + 1), num_emotions, utterance_capsule_dim, routing_iterations
        )
        self.head = DenseHead(num_emotions * (utterance_capsule_dim + 1), dense_units, num_emotions, dropout)

    def forward(self, maps: dict[str, FeatureMap]) -> Tensor:
        windows, mask = self.windows(*maps[self.tap])
        capsules = self.window_capsules(windows.flatten(0, 1)).unflatten(0, mask.shape)
        output, _ = self.utterance_capsules(self.emo_caps(capsules), mask)
        return self.head(emo_vector(output))
