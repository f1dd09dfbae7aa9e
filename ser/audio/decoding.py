"""Decode an audio file at its own sample rate, or refuse it with the cause."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from ser.audio.blocks import Block, Extremes
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.wav import PlainSamples, find_plain_samples
from ser.errors import InputError

PCM = np.dtype("<i2")
FULL_SCALE = 32_768
LONGEST_SECONDS = 600  # of an utterance; a few bytes of FLAC can hold hours of silence
LONGEST_CUT_SECONDS = 7200  # of a recording that is cut into utterances
_MOST_SAMPLES = 48_000  # per channel and allowed second

LOUDEST_PEAK = 10 ** (1 / 20)  # 1 dB beyond full scale, for a resampler's ringing; higher peaks mean another scale
RATES_HZ = (4_000, 400_000)
ANY_RATES_HZ = (1_000, 1_000_000)  # more than libsndfile's highest

ANY_LENGTH = 10**9  # seconds
LOSSY = {"MP3", "OGG"}  # compression makes their peaks higher than the original's
LOUDEST_LOSSY_PEAK = 2.0

_BLOCK_SAMPLES = 1 << 20
CONTAINERS = {"WAV", "WAVEX", "RF64", "FLAC", "AIFF", "CAF"}  # if these are truncated or damaged, it is noticed
_CUT = re.compile(r"\(should be")  # in libsndfile's log after it corrected the length of a chunk
_SHORTENED = re.compile(rf"{_CUT.pattern}|not equal to frame count")


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
    """Decode a recording of at most ten minutes without resampling it.

    Float samples beyond full scale by less than 1 dB are clipped; `Decoded.peak` keeps the original peak.

    Raises:
        AudioError: as `check_recording`, for faults of the file, not of the sound.
    """
    found, extremes = [], Extremes()
    for block in decode_blocks(path):
        found.append(block.samples)
        extremes.add(block.channels)
    return Decoded(np.concatenate(found), block.sample_rate_hz, extremes.peak, extremes.spread)


def decode_blocks(
    path: str | Path, longest_seconds: int = LONGEST_SECONDS, any_container: bool = False
) -> Iterator[Block]:
    """Decode a recording block by block, because many channels, or an hour, need much memory.

    Args:
        any_container: also accept formats in which libsndfile does not notice that a file is truncated or damaged, and
            unusual sample rates.

    Raises:
        AudioError: as `decode`, also after the last block.
    """
    try:
        with open_recording(path) as file:
            before = os.fstat(file.fileno())
            find_samples(file, path)
            try:
                yield from _decode_with_libsndfile(file, path, longest_seconds, any_container)
            except AudioError:
                _check_unchanged(file, path, before)  # which explains the error
                raise
            _check_unchanged(file, path, before)
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None


def _check_unchanged(file: BinaryIO, path: str | Path, before: os.stat_result) -> None:
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise AudioError(f"{path}: changed while it was read") from None


class _Forward(soundfile.SoundFile):
    """A file without the seek after every read, from which an MP3 decoder resumes with damaged sound."""

    def seekable(self) -> bool:
        return False


def _decode_with_libsndfile(
    file: BinaryIO, path: str | Path, longest_seconds: int, any_container: bool
) -> Iterator[Block]:
    extremes, number = Extremes(), 0
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with _Forward(file.fileno(), closefd=False) as sound:  # format by content, not by suffix
            promised, sample_rate_hz, container = sound.frames, sound.samplerate, sound.format
            if not any_container:
                _check_container(path, sound)
            _check_form(path, sound, ANY_RATES_HZ if any_container else RATES_HZ)
            check_length(path, promised, sample_rate_hz, longest_seconds)
            most = max(_BLOCK_SAMPLES // sound.channels, 1)
            while len(block := sound.read(min(most, promised - number), dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise AudioError(f"{path}: has samples that are not finite numbers")
                extremes.add(block)
                number += len(block)
                clipped = block if extremes.peak <= 1 else np.clip(block, -1, 1)
                mean = clipped[:, 0] if sound.channels == 1 else clipped.mean(axis=1)
                yield Block(block, mean, sample_rate_hz, promised, container)
    except soundfile.SoundFileError as error:
        cause = getattr(error, "error_string", "not audio").removeprefix("Error : ").rstrip(".")
        raise AudioError(f"{path}: unreadable ({cause})") from None
    if number < promised:
        raise AudioError(f"{path}: truncated (its header promises {promised} samples a channel, {number} are there)")
    if not number:
        cause = "empty or truncated (no last page)" if container == "OGG" else "empty (no samples)"
        raise AudioError(f"{path}: {cause}")
    if extremes.peak >= (LOUDEST_LOSSY_PEAK if container in LOSSY else LOUDEST_PEAK):
        raise AudioError(
            f"{path}: samples reach {extremes.peak:.6g}, but full scale is 1; multiply all recordings by one factor "
            "(1/32768 if 16-bit integers were stored as float)"
        )


def _check_container(path: str | Path, sound: soundfile.SoundFile) -> None:
    """Refuse formats in which damage would not be noticed."""
    if sound.format not in CONTAINERS:
        raise AudioError(f"{path}: unreadable ({sound.format} is not supported; convert it to WAV or FLAC)")


def _check_form(path: str | Path, sound: soundfile.SoundFile, rates_hz: tuple[int, int]) -> None:
    """Refuse truncated files, streams of unknown length, and sample rates that cannot be converted."""
    packets = sound.subtype == "IMA_ADPCM"  # an AIFF header counts 64 samples as one, which libsndfile takes for wrong
    if sound.format in ("AIFF", "CAF") and (_CUT if packets else _SHORTENED).search(sound.extra_info):
        raise AudioError(f"{path}: truncated (the file is shorter than its header promises)")
    if sound.frames >= 2**62:
        raise AudioError(f"{path}: unreadable (a stream of unknown length; convert it to WAV)")
    if not rates_hz[0] <= sound.samplerate <= rates_hz[1]:
        raise AudioError(
            f"{path}: its sample rate of {sound.samplerate} Hz cannot be converted to {SAMPLE_RATE_HZ} Hz "
            f"(possible: {rates_hz[0]} to {rates_hz[1]} Hz)"
        )


def check_length(place: object, num_samples: int, sample_rate_hz: int, longest_seconds: int = LONGEST_SECONDS) -> None:
    """Refuse an utterance, or a recording that is cut into utterances, that is too long.

    Raises:
        AudioError: with its length.
    """
    if num_samples > longest_seconds * sample_rate_hz:
        raise AudioError(
            f"{place}: longer than {longest_seconds} s ({num_samples / sample_rate_hz:.0f} s); cut it into utterances"
        )
    if num_samples > (most := longest_seconds * _MOST_SAMPLES):
        raise AudioError(
            f"{place}: more than {most} samples a channel ({num_samples} at {sample_rate_hz} Hz); "
            "convert it to a lower rate"
        )
