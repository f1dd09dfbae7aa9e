"""Read and check a recording, and convert it to 16 kHz mono 16-bit PCM."""

import math
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ser.audio.decoding import FULL_SCALE, PCM, AudioError, Decoded, decode
from ser.audio.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from ser.audio.levels import level_cautions

_RESAMPLING_WEIGHTS = 1_000_000  # largest torchaudio kernel: enough for multiples of 100 Hz, 11 025 and 22 050 Hz
_LARGEST_DIVISOR = 50_000  # in the ratio of other rates; the filter has 135 times as many weights


class Checked(NamedTuple):
    """Properties of a usable recording.

    Args:
        num_samples: at 16 kHz.
        peak: largest absolute sample of any channel before clipping; full scale is 1.
        digest: of sample rate and 16-bit samples; equal for the same recording in different file formats.
        cautions: warnings about its level (`ser.audio.levels`).
    """

    num_samples: int
    peak: float
    digest: str
    cautions: dict[str, str]


def check_recording(path: str | Path) -> Checked:
    """Read and check a recording without converting it.

    Raises:
        AudioError: if it is missing, empty, truncated, unreadable, not finite, 1 dB beyond full scale, silent, shorter
            than one window, or longer than ten minutes.
    """
    decoded, num_samples = _load(path)
    digest = blake2b(_quantise(decoded.samples), digest_size=8, salt=decoded.sample_rate_hz.to_bytes(4, "little"))
    return Checked(num_samples, decoded.peak, digest.hexdigest(), level_cautions(decoded))


def read_recording(path: str | Path) -> np.ndarray:
    """Read, check and convert a recording.

    Channels are averaged, other rates are resampled, and samples are rounded and clipped to 16 bits, because the
    resampling filter can ring beyond full scale.

    Returns:
        (samples,) int16 at 16 kHz.

    Raises:
        AudioError: as `check_recording`.
    """
    decoded, num_samples = _load(path)
    samples, sample_rate_hz = decoded.samples, decoded.sample_rate_hz
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return _quantise(samples)
    divisor = math.gcd(sample_rate_hz, SAMPLE_RATE_HZ)
    if sample_rate_hz * SAMPLE_RATE_HZ <= _RESAMPLING_WEIGHTS * divisor**2:
        return _quantise(_resample(samples, sample_rate_hz))
    return _quantise(_resample_unusual(samples, sample_rate_hz, num_samples))


def _load(path: str | Path) -> tuple[Decoded, int]:
    """Decode and check a recording; also return its number of samples at 16 kHz."""
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


def _resample(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    import torch  # takes seconds to import, and most corpora do not need it

    with torch.inference_mode():
        return _resampler(sample_rate_hz)(torch.from_numpy(samples)).numpy()


@lru_cache(maxsize=4)
def _resampler(sample_rate_hz: int):
    """A long Kaiser-windowed filter; files are converted only once, so quality matters more than speed."""
    from torchaudio.transforms import Resample

    return Resample(
        sample_rate_hz,
        SAMPLE_RATE_HZ,
        resampling_method="sinc_interp_kaiser",
        lowpass_filter_width=64,
        rolloff=0.95,
        beta=14.77,
    )


def _resample_unusual(samples: np.ndarray, sample_rate_hz: int, num_samples: int) -> np.ndarray:
    """Resample with the same filter, for rates that would make torchaudio's kernel too large.

    Exact up to 50 kHz. Higher rates can be off by 10 parts per million, less than the error of a recorder's clock,
    because an exact filter could need a gigabyte.
    """
    from scipy.signal import resample_poly

    ratio = Fraction(SAMPLE_RATE_HZ, sample_rate_hz).limit_denominator(_LARGEST_DIVISOR)
    weights = _filter(max(ratio.numerator, ratio.denominator))
    resampled = resample_poly(samples, ratio.numerator, ratio.denominator, window=weights)
    return np.pad(resampled[:num_samples], (0, max(num_samples - len(resampled), 0)))


@lru_cache(maxsize=1)
def _filter(divisor: int) -> np.ndarray:
    """Low-pass filter at the rates' common multiple: 0.95 of the lower Nyquist frequency, 64 periods on each side."""
    from scipy.signal import firwin

    return firwin(2 * math.ceil(64 * divisor / 0.95) + 1, 0.95 / divisor, window=("kaiser", 14.77)).astype(np.float32)
