"""What is suspicious about the level of a recording: it can be used, and may be worth little."""

import math

import numpy as np

from ser.audio.decoding import Decoded, digits_of

CLIPPED_SHARE = 0.001  # of the samples
CLIPPED_LEVEL = 0.25  # of full scale: quieter recordings have too few steps to tell
QUIET_PEAK = 0.001  # 60 dB below full scale: 33 of the 32,768 steps of 16 bits
OFF_CENTRE = 0.1  # of half the distance between lowest and highest sample: about the power of the speech itself
CANCELLED = 0.02  # of the distance between lowest and highest sample of a channel


def level_cautions(decoded: Decoded) -> dict[str, str]:
    """What to look at in a recording.

    - beyond full scale: float samples beyond 1, which are clipped when they are read;
    - clipped: more than 0.1 % of the samples have the recording's highest or lowest value and two neighbours that have
      it too;
    - nearly silent: the peak is more than 60 dB below full scale;
    - off-centre: the mean is more than a tenth of half the distance between the lowest and the highest sample;
    - nearly cancelled: the mean of the channels has less than a fiftieth of a channel's distance.

    Args:
        decoded: a recording that is not silent; but for the first and the last, the mean of its channels is judged.

    Returns:
        The words above, each with its measure.
    """
    samples = decoded.samples
    lowest, highest = float(samples.min()), float(samples.max())
    mean = float(samples.mean(dtype=np.float64))
    half = (highest - lowest) / 2
    cautions = {}
    if decoded.peak > 1:
        cautions["beyond full scale"] = f"samples reach {digits_of(decoded.peak)}; what is beyond 1 is clipped"
    elif (share := _clipped_share(samples)) > CLIPPED_SHARE:
        cautions["clipped"] = f"{100 * share:.1f} % of the samples lie in runs at the highest or lowest value"
    if 2 * half < CANCELLED * decoded.spread:
        cautions["nearly cancelled"] = f"the mean of the channels is {_decibels(decoded.spread / 2 / half)} below one"
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
