"""Read a recording and convert it to 16 kHz mono 16-bit PCM."""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from ser.audio.blocks import Block, Extremes
from ser.audio.decoding import FULL_SCALE, LONGEST_CUT_SECONDS, LONGEST_SECONDS, PCM, AudioError, decode_blocks
from ser.audio.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES

_RESAMPLING_WEIGHTS = 1_000_000  # largest torchaudio kernel: enough for multiples of 100 Hz, 11 025 and 22 050 Hz
_PIECE_SECONDS = 60
_LARGEST_DIVISOR = 50_000  # in the ratio of other rates; the filter has 135 times as many weights


def read_recording(path: str | Path) -> np.ndarray:
    """Read, check and convert a recording of at most two hours.

    Channels are averaged, other rates are resampled, and samples are rounded and clipped to 16 bits, because the
    resampling filter can ring beyond full scale.

    Returns:
        (samples,) int16 at 16 kHz.

    Raises:
        AudioError: as `check_recording`.
    """
    channels, mean = Extremes(), Extremes()

    def heard() -> Iterator[Block]:
        for block in decode_blocks(path, LONGEST_CUT_SECONDS):
            channels.add(block.channels)
            mean.add(block.samples)
            yield block

    # Ten minutes are converted at once, more piece by piece.
    pcm = np.concatenate([*convert_blocks(heard(), _PIECE_SECONDS, LONGEST_SECONDS)])
    check_content(path, len(pcm), mean, channels)
    return pcm


def convert_blocks(blocks: Iterable[Block], piece_seconds: int, most_seconds: int = 0) -> Iterator[np.ndarray]:
    """Convert a recording to int16 at 16 kHz in pieces; a second of its neighbours is more than the filter needs.

    Args:
        blocks: the recording.
        piece_seconds: length of every piece but the last, which is up to a second longer.
        most_seconds: a recording that is not longer is one piece.
    """
    held, before = [], 0
    for block in blocks:
        rate = block.sample_rate_hz
        held.append(block.samples)
        seconds = most_seconds if block.promised <= most_seconds * rate else piece_seconds
        while sum(map(len, held)) > ((end := before + seconds) + 1) * rate:
            samples = np.concatenate(held)
            piece = _convert(samples[: (end + 1) * rate], rate)
            yield piece[before * SAMPLE_RATE_HZ : end * SAMPLE_RATE_HZ]
            held, before = [samples[(end - 1) * rate :]], 1
    yield _convert(np.concatenate(held), rate)[before * SAMPLE_RATE_HZ :]


def _convert(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Float samples as int16 at 16 kHz."""
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return quantise(samples)
    divisor = math.gcd(sample_rate_hz, SAMPLE_RATE_HZ)
    if sample_rate_hz * SAMPLE_RATE_HZ <= _RESAMPLING_WEIGHTS * divisor**2:
        return quantise(_resample(samples, sample_rate_hz))
    return quantise(_resample_unusual(samples, sample_rate_hz, at_16_khz(len(samples), sample_rate_hz)))


def at_16_khz(num_samples: int, sample_rate_hz: int) -> int:
    return math.ceil(num_samples * SAMPLE_RATE_HZ / sample_rate_hz)


def check_content(place: object, num_samples: int, mean: Extremes, channels: Extremes) -> None:
    """Refuse an utterance that is too short or silent, by the extremes of its mean channel and of all channels."""
    if num_samples < WINDOW_SAMPLES:
        raise AudioError(
            f"{place}: shorter than one analysis window ({1000 * num_samples / SAMPLE_RATE_HZ:.1f} ms, "
            f"at least {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms are needed)"
        )
    if cause := silent_because(mean, channels):
        raise AudioError(f"{place}: {cause}")


def silent_because(mean: Extremes, channels: Extremes) -> str:
    """Why a recording is silent, by the extremes of its mean channel and of all channels; "" if it is not."""
    lowest, highest = quantise(np.array([mean.lowest, mean.highest]))
    if lowest != highest:
        return ""
    if channels.spread > 2 / FULL_SCALE:
        return "the channels cancel out (their mean is silence); keep one of them: sox FILE new.wav remix 1"
    return "silence (all samples are equal)"


def quantise(samples: np.ndarray) -> np.ndarray:
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
