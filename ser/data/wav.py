"""The header of a WAV file: what it promises, and where the samples are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

PCM = 1
EXTENSIBLE = 0xFFFE


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
    """

    encoding: int
    num_channels: int
    sample_rate_hz: int
    sample_bits: int
    big_endian: bool
    data_offset: int
    data_bytes: int

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
        ValueError: for a WAV file without a usable format or without samples.
    """
    riff = file.read(12)
    if len(riff) < 12 or riff[:4] not in (b"RIFF", b"RIFX", b"RF64") or riff[8:] != b"WAVE":
        return None
    order = ">" if riff[:4] == b"RIFX" else "<"
    form: tuple[int, int, int, int] | None = None
    long_bytes = None
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack(f"{order}4sI", head)
        start = file.tell()
        if name == b"fmt ":
            form = _format(file.read(min(size, 40)), order)
        elif name == b"ds64":  # RF64 keeps lengths beyond 4 GB here
            body = file.read(16)
            long_bytes = struct.unpack("<8xQ", body)[0] if len(body) == 16 else None
        elif name == b"data":
            if form is None:
                raise ValueError("its header has no format before the samples")
            data_bytes = size if long_bytes is None or size != 0xFFFFFFFF else long_bytes
            return WavHeader(*form, order == ">", start, data_bytes)
        file.seek(start + size + size % 2)
    raise ValueError("its header ends before the samples")


def _format(body: bytes, order: str) -> tuple[int, int, int, int]:
    """Encoding, channels, rate and bits of the format chunk."""
    if len(body) < 16:
        raise ValueError("its header ends within the format")
    encoding, num_channels, sample_rate_hz, _, _, sample_bits = struct.unpack_from(f"{order}HHIIHH", body)
    if encoding == EXTENSIBLE and len(body) >= 26:
        encoding = struct.unpack_from(f"{order}H", body, 24)[0]
    return encoding, num_channels, sample_rate_hz, sample_bits
