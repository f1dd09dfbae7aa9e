"""One recording: read completely, checked, and brought to 16 kHz mono 16-bit PCM."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.signal import firwin, resample_poly

from ser.audio.decoding import FULL_SCALE, PCM, AudioError, Decoded, decode
from ser.audio.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from ser.audio.levels import level_cautions

_LARGEST_DIVISOR = 50_000  # of a ratio of rates; the filter has 135 times as many weights


class Checked(NamedTuple):
    """What was found in a sound recording.

    Args:
        num_samples: how many it has at 16 kHz.
        peak: largest sample of any channel, where 1 is full scale; before it is clipped.
        digest: of rate and samples, rounded to 16 bits: equal for one recording in files of several kinds.
        cautions: what is suspicious about its level (`ser.audio.levels`).
    """

    num_samples: int
    peak: float
    digest: str
    cautions: dict[str, str]


def check_recording(path: str | Path) -> Checked:
    """Read and check a recording without converting it.

    Raises:
        AudioError: it is missing, empty, truncated, unreadable, not finite, beyond full scale by 1 dB, silent, shorter
            than one window, or longer than ten minutes.
    """
    decoded, num_samples = _load(path)
    digest = blake2b(_quantise(decoded.samples), digest_size=8, salt=decoded.sample_rate_hz.to_bytes(4, "little"))
    return Checked(num_samples, decoded.peak, digest.hexdigest(), level_cautions(decoded))


def read_recording(path: str | Path) -> np.ndarray:
    """Read and check a recording.

    Channels are averaged, other rates resampled, and samples rounded and clipped to 16 bits: where a recording touches
    full scale, the filter of the resampling may ring beyond it.

    Returns:
        (samples,) int16 at 16 kHz.

    Raises:
        AudioError: as `check_recording`.
    """
    decoded, num_samples = _load(path)
    if decoded.sample_rate_hz == SAMPLE_RATE_HZ:
        return _quantise(decoded.samples)
    return _quantise(_resample(decoded.samples, decoded.sample_rate_hz, num_samples))


def _load(path: str | Path) -> tuple[Decoded, int]:
    """The checked recording, and how many samples it will have at 16 kHz."""
    decoded = decode(path)
    num_samples = math.ceil(len(decoded.samples) * SAMPLE_RATE_HZ / decoded.sample_rate_hz)
    _check_content(path, decoded, num_samples)
    return decoded, num_samples


def _check_content(path: str | Path, decoded: Decoded, num_samples: int) -> None:
    if num_samples < WINDOW_SAMPLES:
        raise AudioError(
            f"{path}: shorter than one analysis window ({1000 * num_samples / SAMPLE_RATE_HZ:.1f} ms, "
            f"at least {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms are needed)"
        )
    lowest, highest = _quantise(np.array([decoded.samples.min(), decoded.samples.max()]))
    if lowest == highest and decoded.spread > 2 / FULL_SCALE:
        raise AudioError(
            f"{path}: the channels cancel out (their mean is silence); keep one of them: sox FILE new.wav remix 1"
        )
    if lowest == highest:
        raise AudioError(f"{path}: silence (all samples are equal)")


def _quantise(samples: np.ndarray) -> np.ndarray:
    """Float samples in [-1, 1] as int16, rounded and clipped."""
    scaled = np.rint(np.clip(samples, -1, 1) * np.float32(FULL_SCALE))
    return np.minimum(scaled, FULL_SCALE - 1).astype(PCM)


def _resample(samples: np.ndarray, sample_rate_hz: int, num_samples: int) -> np.ndarray:
    """Exact up to 50 kHz and at usual rates.

    Another rate may be taken for one that differs by up to 10 millionths, less than a recorder's clock does: the
    weights of the filter would fill a gigabyte.
    """
    ratio = Fraction(SAMPLE_RATE_HZ, sample_rate_hz).limit_denominator(_LARGEST_DIVISOR)
    weights = _filter(max(ratio.numerator, ratio.denominator))
    resampled = resample_poly(samples, ratio.numerator, ratio.denominator, window=weights)
    return np.pad(resampled[:num_samples], (0, max(num_samples - len(resampled), 0)))


@lru_cache(maxsize=4)
def _filter(divisor: int) -> np.ndarray:
    """Low-pass at 0.95 of the lower rate's half, 64 periods to either side, at the rates' multiple.

    It is long: each file is converted once, so quality comes before speed.
    """
    return firwin(2 * math.ceil(64 * divisor / 0.95) + 1, 0.95 / divisor, window=("kaiser", 14.77)).astype(np.float32)
