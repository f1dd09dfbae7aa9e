"""WAV files written byte by byte, and two independent decoders of them."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import soundfile
from scipy.io import wavfile

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def samples(encoding: int, bits: int, channels: int = 1, frames: int = 800, seed: int = 0) -> bytes:
    """Little-endian noise between -1/3 and 1/3 of full scale."""
    noise = np.random.default_rng(seed).uniform(-1 / 3, 1 / 3, frames * channels)
    if encoding == FLOAT:
        return noise.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (noise * 128 + 128).astype(np.uint8).tobytes()
    whole = (noise * 2.0**31).astype("<i4").view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(whole[:, 4 - bits // 8 :]).tobytes()


def form(
    encoding: int = PCM,
    bits: int = 16,
    channels: int = 1,
    rate: int = 16_000,
    frame_bytes: int | None = None,
    second_bytes: int | None = None,
) -> bytes:
    """Content of a format chunk."""
    frame_bytes = channels * -(-bits // 8) if frame_bytes is None else frame_bytes
    second_bytes = rate * frame_bytes if second_bytes is None else second_bytes
    return struct.pack("<HHIIHH", encoding, channels, rate, second_bytes & 0xFFFFFFFF, frame_bytes & 0xFFFF, bits)


def extensible(encoding: int = PCM, bits: int = 16, channels: int = 1, tail: bytes = GUID_TAIL, **others) -> bytes:
    """Content of a format chunk of WAVE_FORMAT_EXTENSIBLE."""
    return form(EXTENSIBLE, bits, channels, **others) + struct.pack("<HHIH", 22, bits, 0, encoding) + tail


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A chunk, padded to an even length; its declared size can be wrong."""
    return name + struct.pack("<I", len(content) if size is None else size) + content + bytes(len(content) % 2)


def riff(*chunks: bytes, size: int | None = None, name: bytes = b"RIFF") -> bytes:
    """A file of these chunks; its declared size can be wrong."""
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if size is None else size) + body


def wav(encoding: int = PCM, bits: int = 16, channels: int = 1, frames: int = 800, **others) -> bytes:
    """A WAV file with only the format and the samples."""
    return riff(
        chunk(b"fmt ", form(encoding, bits, channels, **others)),
        chunk(b"data", samples(encoding, bits, channels, frames)),
    )


def readings(path: Path) -> dict[str, tuple[np.ndarray, int]]:
    """Mono samples in [-1, 1] and rate in Hz by decoder, scipy or libsndfile; a decoder that fails is left out."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, read in (("scipy", _read_with_scipy), ("libsndfile", _read_with_libsndfile)):
            try:
                channels, rate = read(path)
            except (Exception, MemoryError):
                continue
            channels = np.clip(channels, -1, 1)
            found[name] = channels if channels.ndim == 1 else channels.mean(axis=1), rate
    return found


def _read_with_scipy(path: Path) -> tuple[np.ndarray, int]:
    rate, content = wavfile.read(path)
    if content.dtype.kind == "u":
        return content / 128.0 - 1, rate
    return content / (2.0 ** (8 * content.itemsize - 1) if content.dtype.kind == "i" else 1.0), rate


def _read_with_libsndfile(path: Path) -> tuple[np.ndarray, int]:
    return soundfile.read(path, dtype="float64", always_2d=True)
