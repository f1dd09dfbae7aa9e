"""One recording: read completely, checked, and brought to 16 kHz mono 16-bit PCM."""

from __future__ import annotations

import math
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from ser.data.wav import WavHeader, read_header
from ser.errors import InputError
from ser.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES

PCM = np.dtype("<i2")
FULL_SCALE = 32_768

_BLOCK_FRAMES = 1 << 20
_RESAMPLING_WEIGHTS = 20_000_000  # largest resampling kernel, 160 MB while it is computed


class AudioError(InputError):
    """A recording cannot be used: "path: cause"."""


def check_recording(path: str | Path) -> int:
    """Read and check a recording without converting it.

    Returns:
        How many samples it has at 16 kHz.

    Raises:
        AudioError: it is missing, empty, truncated, unreadable, not finite, silent, or shorter than one window.
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
    """The checked samples as `_decode` gives them, their rate in Hz, and how many there will be at 16 kHz."""
    samples, sample_rate_hz = _decode(path)
    num_samples = math.ceil(len(samples) * SAMPLE_RATE_HZ / sample_rate_hz)
    _check_content(path, _quantise(samples), num_samples)
    return samples, sample_rate_hz, num_samples


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
        if header.data_bytes == 0:
            raise AudioError(f"{path}: empty (no samples)")
    return header


def _decode(path: str | Path) -> tuple[np.ndarray, int]:
    """The mono samples at the file's own rate, int16 as they lie or float32 in [-1, 1], and that rate in Hz."""
    try:
        with open_recording(path) as file:
            header = wav_header(file, path)
            if header is not None and header.is_mono_pcm16(SAMPLE_RATE_HZ):
                file.seek(header.data_offset)
                return np.frombuffer(file.read(header.data_bytes // 2 * 2), dtype=PCM), SAMPLE_RATE_HZ
            samples, sample_rate_hz = _decode_with_libsndfile(file, path)
    except OSError as error:
        raise AudioError(f"{path}: unreadable ({error.strerror})") from None
    smaller = math.gcd(sample_rate_hz, SAMPLE_RATE_HZ)
    weights = (sample_rate_hz // smaller) * (SAMPLE_RATE_HZ // smaller)
    if not 4_000 <= sample_rate_hz <= 400_000 or weights > _RESAMPLING_WEIGHTS:
        raise AudioError(f"{path}: its sample rate of {sample_rate_hz} Hz cannot be converted to {SAMPLE_RATE_HZ} Hz")
    return samples, sample_rate_hz


def _decode_with_libsndfile(file: BinaryIO, path: str | Path) -> tuple[np.ndarray, int]:
    """In blocks, because a header may promise more than memory holds."""
    blocks = [np.empty(0, np.float32)]
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:  # by content, never by the name's suffix
            promised, sample_rate_hz = sound.frames, sound.samplerate
            while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise AudioError(f"{path}: has samples that are not finite numbers")
                blocks.append(block[:, 0] if sound.channels == 1 else np.clip(block, -1, 1).mean(axis=1))
    except soundfile.SoundFileError as error:
        cause = getattr(error, "error_string", "not audio").removeprefix("Error : ").rstrip(".")
        raise AudioError(f"{path}: unreadable ({cause})") from None
    samples = np.concatenate(blocks)
    if len(samples) < promised < 2**62:  # beyond: the format does not know its length
        raise AudioError(
            f"{path}: truncated (its header promises {promised} samples per channel, {len(samples)} are there)"
        )
    return samples, sample_rate_hz


def _check_content(path: str | Path, pcm: np.ndarray, num_samples: int) -> None:
    if num_samples == 0:
        raise AudioError(f"{path}: empty (no samples)")
    if num_samples < WINDOW_SAMPLES:
        raise AudioError(
            f"{path}: shorter than one analysis window ({1000 * num_samples / SAMPLE_RATE_HZ:.1f} ms, "
            f"at least {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms are needed)"
        )
    if pcm.min() == pcm.max():
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
