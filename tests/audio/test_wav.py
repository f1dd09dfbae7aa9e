"""Headers of WAV files, written here byte by byte."""

from __future__ import annotations

import io
import struct

import pytest

from ser.audio.wav import read_header

RIGHT = {"encoding": 1, "channels": 2, "rate": 16_000, "second_bytes": 96_000, "frame_bytes": 6, "bits": 24}


def wav(samples: bytes = bytes(12), before: bytes = b"", **changed: int) -> io.BytesIO:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, *{**RIGHT, **changed}.values())
    chunks = form + before + struct.pack("<4sI", b"data", len(samples)) + samples
    return io.BytesIO(struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks)


def test_the_header_is_what_was_written():
    found = read_header(wav())
    assert (found.encoding, found.num_channels, found.sample_rate_hz, found.sample_bits) == (1, 2, 16_000, 24)
    assert (found.data_offset, found.data_bytes, found.streamed, found.big_endian) == (44, 12, False, False)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_chunk_of_odd_size_is_padded(size):
    before = struct.pack("<4sI", b"LIST", size) + b"x" * size + b"\0" * (size % 2)
    found = read_header(wav(before=before))
    assert (found.data_offset, found.data_bytes) == (44 + len(before), 12)


@pytest.mark.parametrize(
    "changed",
    [
        *({"channels": 1}, {"channels": 6}, {"frame_bytes": 4}, {"bits": 16}),
        *({"rate": 8_000}, {"rate": 16_001}, {"second_bytes": 95_999}, {"second_bytes": 0}, {"rate": 0}),
    ],
)
def test_one_field_that_contradicts_the_others_is_found(changed):
    """A rate that is believed although a bit of it is flipped would make other speech of a recording."""
    with pytest.raises(ValueError, match="its header contradicts itself"):
        read_header(wav(**changed))
