"""WAV headers, written byte by byte."""

from __future__ import annotations

import io
import struct

import pytest

from ser.audio.wav import find_plain_samples

RIGHT = {"encoding": 1, "channels": 2, "rate": 16_000, "second_bytes": 96_000, "frame_bytes": 6, "bits": 24}


def wav(samples: bytes = bytes(12), before: bytes = b"", **changed: int) -> io.BytesIO:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, *{**RIGHT, **changed}.values())
    chunks = form + before + struct.pack("<4sI", b"data", len(samples)) + samples
    return io.BytesIO(struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks)


def test_plain_samples_are_found_and_no_others():
    plain = {"channels": 1, "second_bytes": 32_000, "frame_bytes": 2, "bits": 16}
    assert find_plain_samples(wav(**plain)) == (44, 6)
    for another in (
        {"encoding": 3},
        {"channels": 2, "frame_bytes": 4, "second_bytes": 64_000},
        {"rate": 8_000, "second_bytes": 16_000},
        {"bits": 8, "frame_bytes": 1, "second_bytes": 16_000},
    ):
        assert find_plain_samples(wav(**{**plain, **another})) is None
    assert find_plain_samples(wav(**RIGHT)) is None


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_chunk_of_odd_size_is_padded(size):
    before = struct.pack("<4sI", b"LIST", size) + b"x" * size + b"\0" * (size % 2)
    found = find_plain_samples(wav(before=before, channels=1, second_bytes=32_000, frame_bytes=2, bits=16))
    assert found == (44 + len(before), 6)


@pytest.mark.parametrize(
    "changed",
    [
        *({"channels": 1}, {"channels": 6}, {"frame_bytes": 4}, {"bits": 16}),
        *({"rate": 8_000}, {"rate": 16_001}, {"second_bytes": 95_999}, {"second_bytes": 0}, {"rate": 0}),
    ],
)
def test_one_field_that_contradicts_the_others_is_found(changed):
    """A rate with a flipped bit would silently change the speech."""
    with pytest.raises(ValueError, match="its header contradicts itself"):
        find_plain_samples(wav(**changed))
