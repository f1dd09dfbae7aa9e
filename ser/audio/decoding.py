"""Decode an audio file at its own sample rate, or refuse it with the cause."""

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.wav import PlainSamples, find_plain_samples
from ser.errors import InputError

PCM = np.dtype("<i2")
FULL_SCALE = 32_768
LONGEST_SECONDS = 600  # a few bytes of FLAC can hold hours of silence
MOST_SAMPLES = LONGEST_SECONDS * 48_000  # per channel: ten minutes at 48 kHz

LOUDEST_PEAK = 10 ** (1 / 20)  # 1 dB beyond full scale, for a resampler's ringing; higher peaks mean another scale
RATES_HZ = (4_000, 400_000)

_BLOCK_SAMPLES = 1 << 20
_CONTAINERS = {"WAV", "WAVEX", "RF64", "FLAC", "AIFF", "CAF"}
_SHORTENED = re.compile(r"\(should be|not equal to frame count")  # in libsndfile's log after it corrected a length


class AudioError(InputError):
    """A recording cannot be used: "path: cause"."""


class Decoded(NamedTuple):
    """A decoded recording, not yet resampled.

    Args:
        samples: (samples,) mean of the channels, float32 in [-1, 1].
        sample_rate_hz: of the file.
        peak: largest absolute sample of any channel before clipping; full scale is 1.
        spread: largest peak-to-peak range of any channel.
    """

    samples: np.ndarray
    sample_rate_hz: int
    peak: float
    spread: float


def digits_of(peak: float) -> str:
    """Format a peak with enough digits to distinguish it from full scale.

    Example:
        >>> digits_of(1.09999), digits_of(32768 / 32767)
        ('1.1', '1.0000305')
    """
    return text if (text := f"{peak:.4g}") != "1" else f"{peak:.8g}"


def open_recording(path: str | Path) -> BinaryIO:
    """Open a file for reading, or raise AudioError with the cause."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            return open(path, "rb")
        cause = "empty (0 bytes)" if stat.S_ISREG(status.st_mode) else "not a file"  # opening a pipe would block
    except (FileNotFoundError, NotADirectoryError):
        cause = "missing"
    except OSError as error:
        cause = f"unreadable ({error.strerror})"
    except ValueError as error:  # a NUL in the name
        raise AudioError(f"{path!r}: unreadable ({error})") from None
    raise AudioError(f"{path}: {cause}")


def find_samples(file: BinaryIO, path: str | Path) -> PlainSamples | None:
    """Locate the samples of an open file that needs no decoding; None if libsndfile has to decode it."""
    try:
        return find_plain_samples(file)
    except ValueError as error:
        raise AudioError(f"{path}: {error}") from None


def decode(path: str | Path) -> Decoded:
    """Decode a recording without resampling it.

    Float samples beyond full scale by less than 1 dB are clipped; `Decoded.peak` keeps the original peak.

    Raises:
        AudioError: as `check_recording`, for faults of the file, not of the sound.
    """
    try:
        with open_recording(path) as file:
            find_samples(file, path)
            return _decode_with_libsndfile(file, path)
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None


def _decode_with_libsndfile(file: BinaryIO, path: str | Path) -> Decoded:
    """Decode in blocks, because many channels need many times the memory of their mean."""
    blocks, lowest, highest = [], np.float32(np.inf), np.float32(-np.inf)
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:  # format by content, not by suffix
            promised, sample_rate_hz = sound.frames, sound.samplerate
            _check_container(path, sound)
            while len(block := sound.read(max(_BLOCK_SAMPLES // sound.channels, 1), dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise AudioError(f"{path}: has samples that are not finite numbers")
                lowest, highest = np.minimum(lowest, block.min(axis=0)), np.maximum(highest, block.max(axis=0))
                np.clip(block, -1, 1, out=block)
                blocks.append(block[:, 0] if sound.channels == 1 else block.mean(axis=1))
    except soundfile.SoundFileError as error:
        cause = getattr(error, "error_string", "not audio").removeprefix("Error : ").rstrip(".")
        raise AudioError(f"{path}: unreadable ({cause})") from None
    samples = np.concatenate([np.empty(0, np.float32), *blocks])
    if len(samples) < promised:
        raise AudioError(
            f"{path}: truncated (its header promises {promised} samples a channel, {len(samples)} are there)"
        )
    if not len(samples):
        raise AudioError(f"{path}: empty (no samples)")
    peak = float(np.maximum(-lowest, highest).max())
    if peak >= LOUDEST_PEAK:
        raise AudioError(
            f"{path}: samples reach {peak:.6g}, but full scale is 1; multiply all recordings by one factor "
            "(1/32768 if 16-bit integers were stored as float)"
        )
    return Decoded(samples, sample_rate_hz, peak, float((highest.astype(float) - lowest).max()))


def _check_container(path: str | Path, sound: soundfile.SoundFile) -> None:
    """Refuse unsupported formats, lengths and sample rates."""
    if sound.format not in _CONTAINERS:  # libsndfile does not notice when others are truncated or damaged
        raise AudioError(f"{path}: unreadable ({sound.format} is not supported; convert it to WAV or FLAC)")
    if sound.format in ("AIFF", "CAF") and _SHORTENED.search(sound.extra_info):
        raise AudioError(f"{path}: truncated (the file is shorter than its header promises)")
    if sound.frames >= 2**62:
        raise AudioError(f"{path}: unreadable (a stream of unknown length; convert it to WAV)")
    if not RATES_HZ[0] <= sound.samplerate <= RATES_HZ[1]:
        raise AudioError(
            f"{path}: its sample rate of {sound.samplerate} Hz cannot be converted to {SAMPLE_RATE_HZ} Hz "
            f"(possible: {RATES_HZ[0]} to {RATES_HZ[1]} Hz)"
        )
    _check_length(path, sound.frames, sound.samplerate)


def _check_length(path: str | Path, num_samples: int, sample_rate_hz: int) -> None:
    if num_samples > LONGEST_SECONDS * sample_rate_hz:
        raise AudioError(
            f"{path}: longer than {LONGEST_SECONDS} s ({num_samples / sample_rate_hz:.0f} s); cut it into utterances"
        )
    if num_samples > MOST_SAMPLES:
        raise AudioError(
            f"{path}: more than {MOST_SAMPLES} samples a channel ({num_samples} at {sample_rate_hz} Hz); "
            "convert it to a lower rate"
        )
