"""Check the header of a WAV file and locate its samples; libsndfile does neither."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ser.audio.frames import SAMPLE_RATE_HZ

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_PLAIN = struct.pack("<HHIIHH", _PCM, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)
_MOST_CHUNKS = 1000  # a file with more chunks before its samples is not a recording
_PLACEHOLDER = 0x7FFF0000  # programs that write to a pipe promise the largest possible size, which exceeds this


class PlainSamples(NamedTuple):
    """Mono little-endian 16-bit integers at 16 kHz, which need no decoding.

    Args:
        offset: of the first sample in the file, in bytes.
        num_samples: promised by the header and present in the file.
    """

    offset: int
    num_samples: int


def find_plain_samples(file: BinaryIO) -> PlainSamples | None:
    """Compare the header of a WAV file with its content.

    Returns:
        The location of plain samples; None for any other file, which libsndfile may be able to read.

    Raises:
        ValueError: with the cause, if a WAV file is damaged.
    """
    riff = file.read(12)
    if riff[:4] not in (b"RIFF", b"RIFX", b"RF64") or riff[8:] != b"WAVE":
        return None
    order = ">" if riff[:4] == b"RIFX" else "<"
    chunks = list(_chunks(file, order))
    kinds = [name.decode().strip() for name, *_ in chunks if name in (b"fmt ", b"data")]
    if kinds != ["fmt", "data"]:
        found = ", ".join(kinds) or "neither"
        raise ValueError(f"unreadable (it needs one fmt chunk, then one data chunk; it has: {found})")
    places = {name: (start, size) for name, start, size in chunks}
    offset, promised = places[b"data"]
    if riff[:4] == b"RF64" and b"ds64" in places:  # lengths beyond 4 GB
        long = int.from_bytes(_read(file, places[b"ds64"][0] + 8, 8), "little")
        if promised not in (long, 0xFFFFFFFF):
            raise ValueError(f"unreadable (its header promises {promised} and {long} bytes of samples)")
        promised = long
    form = _read(file, *places[b"fmt "])[:16]
    _check_format(form, order)
    _check_length(promised, file.seek(0, os.SEEK_END) - offset)
    plain = form == _PLAIN and order == "<" and promised > 1
    return PlainSamples(offset, promised // 2) if plain else None


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk."""
    start = 12
    for _ in range(_MOST_CHUNKS):
        head = _read(file, start, 8)
        if len(head) < 8 or not (head[:4].isascii() and head[:4].decode().isprintable()):
            return  # end of the file, or zero padding
        name, size = struct.unpack(f"{order}4sI", head)
        yield name, start + 8, size
        start += 8 + size + size % 2


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(min(size, 16))


def _check_format(form: bytes, order: str) -> None:
    """Check bytes per frame and per second against the other fields, which reveals a flipped bit in any of them."""
    if len(form) < 16:
        return  # libsndfile refuses it
    encoding, num_channels, sample_rate_hz, second_bytes, frame_bytes, sample_bits = struct.unpack(
        f"{order}HHIIHH", form
    )
    sizes = (num_channels * -(-sample_bits // 8), sample_rate_hz * frame_bytes)
    if encoding in (_PCM, _FLOAT, _EXTENSIBLE) and (not second_bytes or sizes != (frame_bytes, second_bytes)):
        raise ValueError(
            f"unreadable (its header contradicts itself: {num_channels} channel(s) of {sample_bits} bits at "
            f"{sample_rate_hz} Hz in {frame_bytes} bytes a frame, {second_bytes} bytes a second)"
        )


def _check_length(promised: int, present: int) -> None:
    """Refuse a truncated file, which libsndfile would accept."""
    both = f"its header promises {promised} bytes of samples, {present} are there"
    if present and (promised == 0 or promised > max(present, _PLACEHOLDER)):
        raise ValueError(
            f"of unknown length ({both}: it was written into a pipe, or its writer was stopped); write it again: "
            "ffmpeg -i FILE -c copy new.wav, or sox --ignore-length FILE new.wav"
        )
    if promised > present:
        raise ValueError(f"truncated ({both})")
