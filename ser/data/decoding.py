"""A file of audio, decoded as it is, or refused with the cause."""

from __future__ import annotations

import math
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from ser.data.wav import WavHeader, read_header
from ser.errors import InputError
from ser.frames import SAMPLE_RATE_HZ

PCM = np.dtype("<i2")
LONGEST_SECONDS = 600  # a few bytes of FLAC can hold hours of silence
MOST_SAMPLES = LONGEST_SECONDS * 48_000  # of a channel: at a high rate, a minute is as many as ten at a usual one

_BLOCK_SAMPLES = 1 << 20
_RESAMPLING_WEIGHTS = 1_000_000  # largest resampling kernel: for all multiples of 100 Hz, and 11 025 and 22 050 Hz
_CONTAINERS = {"WAV", "WAVEX", "RF64", "FLAC", "AIFF", "CAF"}
_SHORTENED = re.compile(r"\(should be|not equal to frame count")  # libsndfile's log of a length that it has corrected


class AudioError(InputError):
    """A recording cannot be used: "path: cause"."""


def open_recording(path: str | Path) -> BinaryIO:
    """Open a file for reading, or say why not."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise AudioError(f"{path}: not a file")
        if status.st_size == 0:
            raise AudioError(f"{path}: empty (0 bytes)")
        return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError):
        raise AudioError(f"{path}: missing") from None
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None
    except AudioError:
        raise
    except ValueError as error:  # a NUL in the name
        raise AudioError(f"{path!r}: unreadable ({error})") from None


def wav_header(file: BinaryIO, path: str | Path) -> WavHeader | None:
    """The header of an open WAV file, its promise kept; None for any other kind of file."""
    try:
        header = read_header(file)
    except ValueError as error:
        raise AudioError(f"{path}: unreadable ({error})") from None
    if header is not None:
        present = os.fstat(file.fileno()).st_size - header.data_offset
        if header.data_bytes > present:
            raise AudioError(
                f"{path}: truncated (its header promises {header.data_bytes} bytes of samples, {present} are there)"
            )
        if header.data_bytes < max(header.sample_bits // 8, 1):
            raise AudioError(f"{path}: empty (no samples)")
    return header


def decode(path: str | Path) -> tuple[np.ndarray, int]:
    """Read a recording as it is.

    Returns:
        The mono samples at the file's own rate, int16 as they lie or float32 in [-1, 1], and that rate in Hz.

    Raises:
        AudioError: as `check_recording`, for all that is wrong with the file rather than with the sound.
    """
    try:
        with open_recording(path) as file:
            header = wav_header(file, path)
            if header is not None and header.is_mono_pcm16(SAMPLE_RATE_HZ):
                _check_length(path, header.data_bytes // PCM.itemsize, SAMPLE_RATE_HZ)
                file.seek(header.data_offset)
                return np.frombuffer(file.read(header.data_bytes // 2 * 2), dtype=PCM), SAMPLE_RATE_HZ
            return _decode_with_libsndfile(file, path)
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None


def _decode_with_libsndfile(file: BinaryIO, path: str | Path) -> tuple[np.ndarray, int]:
    """In blocks, because many channels take many times the memory of their mean."""
    blocks = []
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:  # by content, never by the name's suffix
            promised, sample_rate_hz = sound.frames, sound.samplerate
            _check_container(path, sound)
            while len(block := sound.read(max(_BLOCK_SAMPLES // sound.channels, 1), dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise AudioError(f"{path}: has samples that are not finite numbers")
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
    return samples, sample_rate_hz


def _check_container(path: str | Path, sound: soundfile.SoundFile) -> None:
    """Refuse what is not worth decoding."""
    if sound.format not in _CONTAINERS:  # libsndfile takes what is left of a truncated or damaged one for the whole
        raise AudioError(f"{path}: unreadable ({sound.format} files are not; convert it to WAV or FLAC)")
    if sound.format in ("AIFF", "CAF") and _SHORTENED.search(sound.extra_info):
        raise AudioError(f"{path}: truncated (its header promises another length than the file has)")
    if sound.frames >= 2**62:
        raise AudioError(f"{path}: unreadable (a stream that does not know its length; convert it to WAV)")
    divisor = math.gcd(sound.samplerate, SAMPLE_RATE_HZ)
    weights = (sound.samplerate // divisor) * (SAMPLE_RATE_HZ // divisor)
    if not 4_000 <= sound.samplerate <= 400_000 or weights > _RESAMPLING_WEIGHTS:
        raise AudioError(f"{path}: its sample rate of {sound.samplerate} Hz cannot be converted to {SAMPLE_RATE_HZ} Hz")
    _check_length(path, sound.frames, sound.samplerate)


def _check_length(path: str | Path, num_samples: int, sample_rate_hz: int) -> None:
    if num_samples > LONGEST_SECONDS * sample_rate_hz:
        raise AudioError(
            f"{path}: longer than {LONGEST_SECONDS} s ({num_samples / sample_rate_hz:.0f} s), which no utterance is"
        )
    if num_samples > MOST_SAMPLES:
        raise AudioError(
            f"{path}: more than {MOST_SAMPLES} samples a channel ({num_samples} at {sample_rate_hz} Hz); "
            "convert it to a lower rate"
        )
