"""Warnings about the level of a recording that is otherwise usable."""

import math

import numpy as np

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
    samples = decoded.samples
    lowest, highest = float(samples.min()), float(samples.max())
    mean = float(samples.mean(dtype=np.float64))
    half = (highest - lowest) / 2
    cautions = {}
    if decoded.peak > 1:
        cautions["beyond full scale"] = f"samples reach {digits_of(decoded.peak)}; values beyond 1 are clipped"
    elif (share := _clipped_share(samples)) > CLIPPED_SHARE:
        cautions["clipped"] = f"{100 * share:.1f} % of the samples are in runs at the highest or lowest value"
    if 2 * half < CANCELLED * decoded.spread:
        below = _decibels(decoded.spread / 2 / half)
        cautions["nearly cancelled"] = f"the mean of the channels is {below} below the largest of them"
    elif (peak := max(highest - mean, mean - lowest)) < QUIET_PEAK:
        cautions["nearly silent"] = f"the peak is {_decibels(1 / peak)} below full scale"
    elif abs(mean) > OFF_CENTRE * half:
        cautions["off-centre"] = f"the mean is {mean:.4f} of full scale, between {lowest:.4f} and {highest:.4f}"
    return cautions


def _clipped_share(samples: np.ndarray) -> float:
    held = 0
    for extreme in (samples.min(), samples.max()):
        if abs(extreme) >= CLIPPED_LEVEL:
            at = samples == extreme
            held += np.count_nonzero(at[:-2] & at[1:-1] & at[2:])
    return held / len(samples)


def _decibels(ratio: float) -> str:
    return f"{20 * math.log10(ratio):.0f} dB"
