"""One recording: read completely, checked, and brought to 16 kHz mono 16-bit PCM."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from ser.data.decoding import PCM, AudioError, decode
from ser.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES

FULL_SCALE = 32_768


def check_recording(path: str | Path) -> int:
    """Read and check a recording without converting it.

    Returns:
        How many samples it has at 16 kHz.

    Raises:
        AudioError: it is missing, empty, truncated, unreadable, not finite, silent, shorter than one window, or longer
            than ten minutes.
    """
    return _load(path)[2]


def read_recording(path: str | Path) -> np.ndarray:
    """Read and check a recording.

    Channels are averaged, other rates resampled, and samples rounded and clipped to 16 bits.

    Returns:
        (samples,) int16 at 16 kHz.

    Raises:
        AudioError: as `check_recording`.
    """
    samples, sample_rate_hz, _ = _load(path)
    return _quantise(samples if sample_rate_hz == SAMPLE_RATE_HZ else _resample(samples, sample_rate_hz))


def _load(path: str | Path) -> tuple[np.ndarray, int, int]:
    """The checked samples as `decode` gives them, their rate in Hz, and how many there will be at 16 kHz."""
    samples, sample_rate_hz = decode(path)
    num_samples = math.ceil(len(samples) * SAMPLE_RATE_HZ / sample_rate_hz)
    _check_content(path, samples, num_samples)
    return samples, sample_rate_hz, num_samples


def _check_content(path: str | Path, samples: np.ndarray, num_samples: int) -> None:
    if num_samples == 0:
        raise AudioError(f"{path}: empty (no samples)")
    if num_samples < WINDOW_SAMPLES:
        raise AudioError(
            f"{path}: shorter than one analysis window ({1000 * num_samples / SAMPLE_RATE_HZ:.1f} ms, "
            f"at least {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms are needed)"
        )
    lowest, highest = _quantise(np.array([samples.min(), samples.max()]))
    if lowest == highest:
        raise AudioError(f"{path}: silence (all samples are equal)")


def _quantise(samples: np.ndarray) -> np.ndarray:
    """Float samples in [-1, 1] as int16, rounded and clipped."""
    if samples.dtype == PCM:
        return samples
    scaled = np.rint(np.clip(samples, -1, 1) * np.float32(FULL_SCALE))
    return np.minimum(scaled, FULL_SCALE - 1).astype(PCM)


def _resample(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    import torch  # here, not above: most corpora never need it and it takes seconds to import

    with torch.inference_mode():
        return _resampler(sample_rate_hz)(torch.from_numpy(samples)).numpy()


@lru_cache(maxsize=4)
def _resampler(sample_rate_hz: int):
    """A long Kaiser-windowed filter: each file is converted once, so quality comes before speed."""
    from torchaudio.transforms import Resample

    return Resample(
        sample_rate_hz,
        SAMPLE_RATE_HZ,
        resampling_method="sinc_interp_kaiser",
        lowpass_filter_width=64,
        rolloff=0.95,
        beta=14.77,
    )
