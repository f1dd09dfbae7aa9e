"""Warnings about the level of a recording that is otherwise usable."""

import math

import numpy as np

from ser.audio.blocks import Extremes
from ser.audio.decoding import Decoded, digits_of

CLIPPED_SHARE = 0.001  # of the samples
CLIPPED_LEVEL = 0.25  # of full scale; quieter recordings have too few quantisation steps to judge
QUIET_PEAK = 0.001  # 60 dB below full scale: 33 of the 32,768 steps of 16 bits
OFF_CENTRE = 0.1  # of half the peak-to-peak range; such an offset has about the power of the speech
CANCELLED = 0.02  # of the peak-to-peak range of a channel


def level_cautions(decoded: Decoded) -> dict[str, str]:
    """Warnings about the level of a recording.

    - beyond full scale: float samples beyond 1, which are clipped when they are read;
    - clipped: more than 0.1 % of the samples are in the middle of three that all have the highest or lowest value;
    - nearly silent: the peak is more than 60 dB below full scale;
    - off-centre: the mean is more than a tenth of half the peak-to-peak range;
    - nearly cancelled: the mean of the channels has less than a fiftieth of a channel's peak-to-peak range.

    Args:
        decoded: a recording that is not silent; all but the first and the last are judged on the mean of its channels.

    Returns:
        The warnings that apply, by the words above, each with its measurement.
    """
    meter = LevelMeter()
    meter.add(decoded.samples)
    return meter.cautions(decoded.peak, decoded.spread)


class LevelMeter:
    """The level of a recording, measured block by block."""

    def __init__(self) -> None:
        self._extremes, self._sum, self._number = Extremes(), 0.0, 0
        self._last = np.empty(0, np.float32)  # two samples
        self._held = [0, 0]  # samples in runs at the lowest and the highest value

    def add(self, samples: np.ndarray) -> None:
        """Add consecutive samples of the mean channel."""
        before = self._extremes.lowest, self._extremes.highest
        self._extremes.add(samples)
        joined = np.concatenate([self._last, samples])
        for place, extreme in enumerate((self._extremes.lowest, self._extremes.highest)):
            at = joined == extreme
            held = np.count_nonzero(at[:-2] & at[1:-1] & at[2:]) if len(at) > 2 else 0
            self._held[place] = held + (self._held[place] if extreme == before[place] else 0)
        self._last = joined[-2:]
        self._sum += float(samples.sum(dtype=np.float64))
        self._number += len(samples)

    def cautions(self, peak: float, spread: float) -> dict[str, str]:
        """The warnings of `level_cautions`.

        Args:
            peak: largest absolute sample of any channel before clipping.
            spread: largest peak-to-peak range of any channel.
        """
        lowest, highest = float(self._extremes.lowest), float(self._extremes.highest)
        mean, half = self._sum / self._number, (highest - lowest) / 2
        cautions = {}
        if peak > 1:
            cautions["beyond full scale"] = f"samples reach {digits_of(peak)}; values beyond 1 are clipped"
        elif (share := self._clipped_share()) > CLIPPED_SHARE:
            cautions["clipped"] = f"{100 * share:.1f} % of the samples are in runs at the highest or lowest value"
        if 2 * half < CANCELLED * spread:
            below = _decibels(spread / 2 / half)
            cautions["nearly cancelled"] = f"the mean of the channels is {below} below the largest of them"
        elif (largest := max(highest - mean, mean - lowest)) < QUIET_PEAK:
            cautions["nearly silent"] = f"the peak is {_decibels(1 / largest)} below full scale"
        elif abs(mean) > OFF_CENTRE * half:
            cautions["off-centre"] = f"the mean is {mean:.4f} of full scale, between {lowest:.4f} and {highest:.4f}"
        return cautions

    def _clipped_share(self) -> float:
        extremes = (self._extremes.lowest, self._extremes.highest)
        held = [number for number, level in zip(self._held, extremes, strict=True) if abs(level) >= CLIPPED_LEVEL]
        return sum(held) / self._number


def _decibels(ratio: float) -> str:
    return f"{20 * math.log10(ratio):.0f} dB"
