"""A recording of any length at 16 kHz, kept in an unnamed temporary file."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import IO

import numpy as np

from ser.audio.blocks import Block, Extremes
from ser.audio.cuts import Cut
from ser.audio.decoding import CONTAINERS, FULL_SCALE, LOSSY, PCM, AudioError
from ser.audio.frames import SAMPLE_RATE_HZ, SHIFT_SAMPLES
from ser.audio.levels import LevelMeter
from ser.audio.recording import convert_blocks, silent_because
from ser.audio.silence import frame_levels
from ser.errors import InputError

HIGHEST_HZ = 5120  # of the spectrogram
_PIECE_SECONDS = 20
_PIECE_SAMPLES = _PIECE_SECONDS * SAMPLE_RATE_HZ
_IN_MEMORY_BYTES = 1 << 22


@dataclass(frozen=True)
class Sound:
    """A recording, or a part of one, whose samples can be read in any order.

    Args:
        file: int16 samples at 16 kHz.
        first: sample of the file with which the part begins.
        num_samples: of the part.
        cautions: of the whole recording: what is doubtful, with its measurement.
    """

    file: IO[bytes]
    first: int
    num_samples: int
    cautions: dict[str, str]

    @property
    def seconds(self) -> float:
        """Length of the part."""
        return self.num_samples / SAMPLE_RATE_HZ

    def part(self, start: int, stop: int) -> "Sound":
        """The samples from `start` to `stop` (exclusive)."""
        return replace(self, first=self.first + start, num_samples=stop - start)

    def cut(self, cut: Cut) -> "Sound":
        """The part between two times.

        Raises:
            AudioError: if they are not within the recording.
        """
        if cut.is_whole:
            return self
        if fault := cut.fault(self.seconds):
            raise AudioError(fault)
        return self.part(*cut.samples(self.num_samples))

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """(stop - start,) float32 in [-1, 1)."""
        start, stop, _ = slice(start, stop).indices(self.num_samples)
        self.file.seek((self.first + start) * PCM.itemsize)
        pcm = np.frombuffer(self.file.read(max(stop - start, 0) * PCM.itemsize), PCM)
        return pcm.astype(np.float32) * np.float32(1 / FULL_SCALE)

    def pieces(self) -> Iterator[np.ndarray]:
        """All samples, a few seconds at a time."""
        for start in range(0, self.num_samples, _PIECE_SAMPLES):
            yield self.read(start, min(start + _PIECE_SAMPLES, self.num_samples))

    def levels(self) -> np.ndarray:
        """The variance of every 10 ms."""
        assert _PIECE_SAMPLES % SHIFT_SAMPLES == 0
        return np.concatenate([frame_levels(piece) for piece in self.pieces()] or [np.empty(0, np.float32)])

    def digest(self) -> str:
        """Digest of the samples, as `ser.data.leaks.recording_digests` computes it."""
        found = blake2b(digest_size=8)
        for piece in self.pieces():
            found.update(piece)
        return found.hexdigest()


class _TemporaryFile(tempfile.SpooledTemporaryFile):
    """It is closed with the last `Sound` of it; Python would warn that it was not closed before."""

    def __del__(self) -> None:
        self.close()


def listen(blocks: Iterable[Block]) -> Sound:
    """Convert a recording to 16 kHz mono in a temporary file, which is removed with the last `Sound` of it.

    Raises:
        AudioError: if the blocks raise it.
        InputError: if there is no room for the file.
    """
    mean, channels, meter = Extremes(), Extremes(), LevelMeter()
    first: list[Block] = []

    def heard() -> Iterator[Block]:
        for block in blocks:
            first[:] = first or [block]
            mean.add(block.samples)
            channels.add(block.channels)
            meter.add(block.samples)
            yield block

    file = _TemporaryFile(_IN_MEMORY_BYTES)
    number = 0
    try:
        for piece in convert_blocks(heard(), _PIECE_SECONDS):
            file.write(piece.tobytes())
            number += len(piece)
        file.flush()  # or the room for the last samples could be missing later
    except BaseException as error:
        with suppress(OSError):
            file.close()
        if not isinstance(error, OSError):
            raise
        folder = f"{tempfile.tempdir}: " if tempfile.tempdir else ""  # None if there is no folder at all
        raise InputError(
            f"{folder}{error.strerror}; audio is converted there (the environment variable TMPDIR chooses another)"
        ) from error
    cautions = _of_format(first[0].container, first[0].sample_rate_hz)
    if cause := silent_because(mean, channels):
        cautions["silent"] = cause.removeprefix("silence (").removesuffix(")")
    else:
        cautions |= meter.cautions(channels.peak, channels.spread)
    return Sound(file, 0, number, cautions)


def _of_format(container: str, sample_rate_hz: int) -> dict[str, str]:
    cautions = {}
    if container in LOSSY:
        cautions["lossy format"] = f"{container}: compression changes the sound, and damage is not noticed"
    elif container and container not in CONTAINERS:
        cautions["unchecked format"] = f"{container}: it is not noticed if the file is truncated or damaged"
    if sample_rate_hz < 2 * HIGHEST_HZ:
        cautions["low sample rate"] = f"{sample_rate_hz} Hz: the spectrogram is empty above {sample_rate_hz // 2} Hz"
    return cautions
