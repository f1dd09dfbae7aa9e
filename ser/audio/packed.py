"""One file that holds the samples of many recordings, knows its length, and in which a flipped bit is found."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import numpy as np

from ser.audio.decoding import PCM, AudioError
from ser.files import write_whole

MARK = b"ser-pcm2"

# A packed file: mark, number of utterances, bytes of samples, checksum of all this and of the table; then the samples
# (int16); then the table: the number of samples of each utterance (int64), the checksum of each block of the samples.
_HEADER = struct.Struct("<8sQQ")
_CHECKSUM_BYTES = 8
_SAMPLES_START = _HEADER.size + _CHECKSUM_BYTES
_BLOCK_BYTES = 16_384  # half a second: what a slice reads beyond its ends in order to compare checksums


def write_packed(path: Path, recordings: Iterable[np.ndarray]) -> None:
    """Write recordings one behind the other, so that nobody ever sees half a file.

    Args:
        path: of the packed file.
        recordings: int16 samples of each; taken one by one.

    Raises:
        InputError: if the file cannot be written; an older one is left as it was.
    """
    write_whole(path, lambda file: _write(file, recordings))


def _write(file: BinaryIO, recordings: Iterable[np.ndarray]) -> None:
    num_samples, checksums, rest = [], [], b""
    file.seek(_SAMPLES_START)
    for pcm in recordings:
        samples = pcm.astype(PCM).tobytes()
        file.write(samples)
        num_samples.append(len(pcm))
        rest += samples
        whole = len(rest) - len(rest) % _BLOCK_BYTES
        checksums += _checksums(rest[:whole])
        rest = rest[whole:]
    checksums += _checksums(rest)
    table = np.array(num_samples, "<i8").tobytes() + np.array(checksums, "<u4").tobytes()
    file.write(table)
    header = _HEADER.pack(MARK, len(num_samples), PCM.itemsize * sum(num_samples))
    file.seek(0)
    file.write(header + crc32(table, crc32(header)).to_bytes(_CHECKSUM_BYTES, "little"))


def _checksums(samples: bytes) -> list[int]:
    """CRC-32 of every block: it finds any one or two flipped bits, and overlooks other damage once in 2^32 blocks."""
    view = memoryview(samples)
    return [crc32(view[start : start + _BLOCK_BYTES]) for start in range(0, len(view), _BLOCK_BYTES)]


class PackedAudio:
    """A packed file, read slice by slice; whatever is read is compared with its checksums, every time.

    The whole file is checked once when it is opened, so that damage is found at the start of a training rather than in
    its middle. Nothing is kept open: an instance can be sent to other processes.

    Args:
        path: of the packed file.

    Raises:
        AudioError: it is missing, unreadable or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()
        for start in range(0, self._num_bytes, 64 * _BLOCK_BYTES):
            self._read_bytes(start, min(start + 64 * _BLOCK_BYTES, self._num_bytes))

    def read(self, index: int, start: int, stop: int) -> np.ndarray:
        """Samples of one recording.

        Args:
            index: which one.
            start: first sample.
            stop: sample after the last one.

        Returns:
            (stop - start,) int16.

        Raises:
            AudioError: the file has gone or been damaged since it was opened.
        """
        try:
            return self._read(index, start, stop)
        except AudioError:
            self._open()  # another process may have put its own in place: the same speech, another machine's rounding
            return self._read(index, start, stop)

    def _read(self, index: int, start: int, stop: int) -> np.ndarray:
        first = PCM.itemsize * (int(self._starts[index]) + start)
        return np.frombuffer(self._read_bytes(first, first + PCM.itemsize * (stop - start)), PCM)

    def _open(self) -> None:
        try:
            with open(self._path, "rb") as file:
                header = file.read(_SAMPLES_START)
                size = os.fstat(file.fileno()).st_size
                if len(header) < _SAMPLES_START or not header.startswith(MARK):
                    raise self._damaged("no header of packed audio")
                _, count, num_bytes = _HEADER.unpack_from(header)
                table_bytes = 8 * count + 4 * -(-num_bytes // _BLOCK_BYTES)
                whole = _SAMPLES_START + num_bytes + table_bytes
                if size != whole:
                    raise self._damaged(f"{size} bytes are there, its header promises {whole}")
                file.seek(_SAMPLES_START + num_bytes)
                table = file.read(table_bytes)
        except OSError as error:
            raise AudioError(f"{self._path}: unreadable ({error.strerror})") from None
        checksum = crc32(table, crc32(header[: _HEADER.size]))
        if checksum.to_bytes(_CHECKSUM_BYTES, "little") != header[_HEADER.size :]:
            raise self._damaged("its table does not match its checksum")
        self.num_samples = np.frombuffer(table, "<i8", count)
        self._starts = np.cumsum(self.num_samples) - self.num_samples
        self._num_bytes, self._checksums = num_bytes, np.frombuffer(table, "<u4", offset=8 * count)

    def _read_bytes(self, first: int, last: int) -> bytes:
        """Bytes of the samples, after a comparison of the blocks that they lie in."""
        blocks = slice(first // _BLOCK_BYTES, -(-last // _BLOCK_BYTES))
        start, stop = blocks.start * _BLOCK_BYTES, min(blocks.stop * _BLOCK_BYTES, self._num_bytes)
        try:
            with open(self._path, "rb") as file:
                file.seek(_SAMPLES_START + start)
                content = file.read(max(stop - start, 0))
        except OSError as error:
            raise AudioError(f"{self._path}: unreadable ({error.strerror})") from None
        if _checksums(content) != self._checksums[blocks].tolist():
            raise self._damaged("samples do not match their checksum")
        return content[first - start : last - start]

    def _damaged(self, cause: str) -> AudioError:
        return AudioError(f"{self._path}: damaged ({cause}); delete it and start again: it is made again")
