"""From waveform to standardised spectrogram, inside the network (Wu et al., 2019, section 4.1)."""

from typing import Literal

import torch
from torch import Tensor, nn
from torchaudio.transforms import Spectrogram as Stft

from ser.audio.frames import SAMPLE_RATE_HZ, SHIFT_SAMPLES, WINDOW_SAMPLES
from ser.bounds import checked
from ser.errors import InputError

DFT_LENGTH = 1600  # 10-Hz grid
NUM_BINS = 512  # 0 to 5.12 kHz
FLOOR = 1e-5  # below the quantisation noise of 16-bit PCM; keeps digital silence finite
assert SAMPLE_RATE_HZ / DFT_LENGTH * NUM_BINS == 5120


class Spectrogram(nn.Module):
    """Magnitude spectrogram: 40-ms Hann window, 10-ms shift, DFT of 1600, bins 0-511.

    Args:
        magnitude: "log" for log(max(x, 1e-5)), "linear" for x itself.

    Source:
        Wu et al. (2019), section 4.1; the logarithm is assumed.
    """

    @checked()
    def __init__(self, magnitude: Literal["log", "linear"] = "log") -> None:
        super().__init__()
        self.magnitude = magnitude
        # torch centres the window in the DFT's frame; with this padding, frame t begins at sample 160 t.
        margin = (DFT_LENGTH - WINDOW_SAMPLES) // 2
        self.stft = Stft(DFT_LENGTH, WINDOW_SAMPLES, SHIFT_SAMPLES, pad=margin, power=None, center=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) at 16 kHz -> (batch, bins, frames)."""
        spectrum = self.stft(waveform)[:, :NUM_BINS].abs()  # of these bins only: `abs` takes as long as the transform
        return spectrum.clamp(min=FLOOR).log() if self.magnitude == "log" else spectrum


class Moments:
    """Running mean and standard deviation of each bin, summed in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.sums = torch.zeros(2, NUM_BINS, dtype=torch.float64)

    def add(self, spectrogram: Tensor) -> None:
        """Add the frames of one spectrogram, (bins, frames)."""
        values = spectrogram.double()
        self.count += values.shape[-1]
        self.sums += torch.stack([values.sum(-1), values.square().sum(-1)])

    def statistics(self) -> Tensor:
        """(2, bins) float32: mean and standard deviation of each bin.

        Raises:
            InputError: if no frame was added.
        """
        if not self.count:
            raise InputError("no audio to compute the spectrogram's mean and deviation from")
        mean, square = self.sums / self.count
        return torch.stack([mean, (square - mean.square()).clamp(min=0).sqrt()]).float()


class Standardisation(nn.Module):
    """Standardise to zero mean and unit variance; the statistics are buffers, so they are saved in the checkpoint.

    Args:
        per: "bin" for a mean and deviation per frequency bin, "scalar" for one of each over all bins.

    Source:
        Wu et al. (2019), section 4.1 ("normalize ... to have zero mean and unit variance"); per bin is assumed.
    """

    @checked()
    def __init__(self, per: Literal["bin", "scalar"] = "bin") -> None:
        super().__init__()
        self.per = per
        self.register_buffer("statistics", torch.stack([torch.zeros(NUM_BINS), torch.ones(NUM_BINS)]))

    def forward(self, spectrogram: Tensor, statistics: Tensor | None = None) -> Tensor:
        """Standardise (batch, bins, frames) by the module's own statistics or the given ones, (batch, 2, bins)."""
        mean, deviation = (self.statistics if statistics is None else statistics).unbind(-2)
        if self.per == "scalar":
            total = mean.mean(-1, keepdim=True)
            deviation = (deviation.square() + (mean - total).square()).mean(-1, keepdim=True).sqrt()
            mean = total
        return (spectrogram - mean.unsqueeze(-1)) / deviation.clamp(min=1e-5).unsqueeze(-1)
