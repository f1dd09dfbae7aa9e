"""The header of a WAV file: what it promises, and where the samples are."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

PCM = 1
FLOAT = 3
EXTENSIBLE = 0xFFFE

_EXTENDED = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")  # follows a known format tag in WAVE_FORMAT_EXTENSIBLE
_MOST_CHUNKS = 1000  # what has more before its samples is no header
_PLACEHOLDERS = range(0x7FFF0000, 1 << 32)  # promised by programs that write into a pipe: the largest size they know


@dataclass(frozen=True)
class WavHeader:
    """What a RIFF, RIFX or RF64 header says.

    Args:
        encoding: format tag (1 PCM, 3 float, ...).
        num_channels: interleaved channels.
        sample_rate_hz: samples per second and channel.
        sample_bits: bits per sample.
        big_endian: true for RIFX.
        data_offset: where the samples begin, in bytes.
        data_bytes: how many bytes of samples the header promises.
        streamed: true where that number was never filled in, although samples are there: the file was written into a
            pipe, or its writer was stopped.
    """

    encoding: int
    num_channels: int
    sample_rate_hz: int
    sample_bits: int
    big_endian: bool
    data_offset: int
    data_bytes: int
    streamed: bool = False

    def is_mono_pcm16(self, sample_rate_hz: int) -> bool:
        """Whether the samples can be read as they lie: one channel of little-endian 16-bit integers at this rate."""
        kind = (self.encoding, self.num_channels, self.sample_rate_hz, self.sample_bits, self.big_endian)
        return kind == (PCM, 1, sample_rate_hz, 16, False)


def read_header(file: BinaryIO) -> WavHeader | None:
    """Read the chunks up to the samples.

    The standard library's `wave` refuses WAVE_FORMAT_EXTENSIBLE and libsndfile hides the promised length, hence this.

    Returns:
        The header, or None if the file is not a WAV file at all.

    Raises:
        ValueError: for a WAV file without one chunk of samples and one format that makes sense.
    """
    riff = file.read(12)
    if len(riff) < 12 or riff[:4] not in (b"RIFF", b"RIFX", b"RF64") or riff[8:] != b"WAVE":
        return None
    order = ">" if riff[:4] == b"RIFX" else "<"
    form: tuple[int, int, int, int] | None = None
    header: WavHeader | None = None
    long_bytes, end = None, 12
    for name, size in _chunks(file, order):
        end = file.tell() + size + size % 2
        if name == b"fmt " and header is None:
            if form is not None:
                raise ValueError("its header has two formats")
            form = _format(file.read(min(size, 40)), order)
        elif name == b"ds64" and riff[:4] == b"RF64":  # lengths beyond 4 GB
            body = file.read(16)
            long_bytes = struct.unpack("<8xQ", body)[0] if len(body) == 16 else None
        elif name == b"data":
            if header is not None:
                raise ValueError("it has two chunks of samples")
            if form is None:
                raise ValueError("its header has no format before the samples")
            if long_bytes is not None and size not in (long_bytes, 0xFFFFFFFF):
                raise ValueError(f"its header promises {size} and {long_bytes} bytes of samples")
            header = WavHeader(*form, order == ">", file.tell(), size if long_bytes is None else long_bytes)
    if header is None:
        raise ValueError("its header ends before the samples")
    return replace(header, streamed=_is_streamed(header, end, file.seek(0, os.SEEK_END)))


def _is_streamed(header: WavHeader, end: int, file_bytes: int) -> bool:
    """Whether the promised number of bytes is a placeholder.

    Args:
        header: with the promise.
        end: of the last chunk, padded to an even length.
        file_bytes: size of the file.
    """
    present = file_bytes - header.data_offset
    if header.data_bytes == 0:
        return present > 0 and end not in (file_bytes, file_bytes + 1)  # what is behind are no chunks: samples
    placeholder = header.data_bytes in _PLACEHOLDERS or header.data_bytes == 2**64 - 1
    return placeholder and 0 < present < header.data_bytes


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Name and size of one chunk after the other, while the file stands at the chunk's content."""
    start = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(start)
        head = file.read(8)
        if len(head) < 8 or not (head[:4].isascii() and head[:4].decode().isprintable()):
            return  # the end, or what was padded with zeros
        name, size = struct.unpack(f"{order}4sI", head)
        yield name, size
        start += 8 + size + size % 2


def _format(body: bytes, order: str) -> tuple[int, int, int, int]:
    """Encoding, channels, rate and bits of the format chunk.

    Bytes per frame and per second repeat what the other fields say; a flipped bit in any of them is found so.
    """
    if len(body) < 16:
        raise ValueError("its header ends within the format")
    encoding, num_channels, sample_rate_hz, second_bytes, frame_bytes, sample_bits = struct.unpack_from(
        f"{order}HHIIHH", body
    )
    if encoding == EXTENSIBLE and order == "<" and body[26:40] == _EXTENDED:
        encoding = struct.unpack_from("<H", body, 24)[0]
    if encoding in (PCM, FLOAT):
        sizes = (num_channels * -(-sample_bits // 8), sample_rate_hz * frame_bytes)
        if not second_bytes or sizes != (frame_bytes, second_bytes):
            raise ValueError(
                f"its header contradicts itself: {num_channels} channel(s) of {sample_bits} bits at "
                f"{sample_rate_hz} Hz in {frame_bytes} bytes a frame, {second_bytes} bytes a second"
            )
    return encoding, num_channels, sample_rate_hz, sample_bits
