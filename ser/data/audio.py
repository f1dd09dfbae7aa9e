"""The waveforms of a corpus: read where they lie, or converted once into one packed PCM file."""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.data.recording import FULL_SCALE, PCM, AudioError, open_recording, read_recording, wav_header
from ser.errors import InputError
from ser.frames import SAMPLE_RATE_HZ

# A packed file: this mark, the number of utterances, the number of samples of each (int64), the samples (int16).
_MARK = b"ser-pcm1"
_COUNT = struct.Struct("<8sQ")


class Waveforms:
    """The samples of every utterance of a table, at 16 kHz.

    Files that are 16 kHz mono 16-bit PCM WAV are read where they lie. All others are converted once, into one file in
    the cache folder that is named by their content, so that it cannot go stale. Nothing is kept open: an instance can
    be sent to a DataLoader's workers.

    Args:
        utterances: a corpus's table; rows are numbered in its order.
        cache: folder for converted audio; by default `$SER_CACHE`, else `$XDG_CACHE_HOME/ser`, else `~/.cache/ser`.

    Raises:
        AudioError: a recording cannot be used.
        InputError: the cache folder cannot be written.
    """

    def __init__(self, utterances: pd.DataFrame, cache: Path | None = None) -> None:
        self._files = [str(path) for path in utterances.path]
        self._offsets = np.zeros(len(self._files), np.int64)  # of the first sample, in bytes
        self.num_samples = np.zeros(len(self._files), np.int64)
        foreign = []
        for row, path in enumerate(self._files):
            with open_recording(path) as file:
                header = wav_header(file, path)
            if header is not None and header.is_mono_pcm16(SAMPLE_RATE_HZ):
                self._offsets[row], self.num_samples[row] = header.data_offset, header.data_bytes // PCM.itemsize
            else:
                foreign.append(row)
        if foreign:
            sources = [self._files[row] for row in foreign]
            packed = _packed(sources, Path(cache) if cache else _cache_folder())
            num_samples, offsets = _read_lengths(packed)
            self.num_samples[foreign], self._offsets[foreign] = num_samples, offsets
            for row in foreign:
                self._files[row] = str(packed)

    def __len__(self) -> int:
        return len(self._files)

    def read(self, row: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """A slice of one utterance; only these samples are read.

        Args:
            row: row of the table.
            start: first sample.
            stop: sample after the last one; by default the end.

        Returns:
            (stop - start,) float32 in [-1, 1).

        Raises:
            AudioError: the file has changed or gone since the table was made.
        """
        start, stop, _ = slice(start, stop).indices(int(self.num_samples[row]))
        count = max(stop - start, 0)
        path = self._files[row]
        try:
            pcm = np.fromfile(path, PCM, count, offset=int(self._offsets[row]) + start * PCM.itemsize)
        except OSError as error:
            raise AudioError(f"{path}: unreadable ({error.strerror})") from None
        if len(pcm) < count:
            raise AudioError(f"{path}: has become shorter since it was first read")
        return pcm.astype(np.float32) * np.float32(1 / FULL_SCALE)


def _cache_folder() -> Path:
    if chosen := os.environ.get("SER_CACHE"):
        return Path(chosen).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "ser"
    return Path(os.path.expanduser("~")) / ".cache" / "ser"


def _packed(sources: list[str], cache: Path) -> Path:
    """The packed file of these recordings; made now unless a sound one is there."""
    digests = hashlib.sha256(_MARK)
    for path in sources:
        with open_recording(path) as file:
            digests.update(hashlib.file_digest(file, "sha256").digest())
    packed = cache / f"{digests.hexdigest()[:32]}.pcm"
    if _read_lengths(packed) is None:
        try:
            _pack(sources, packed)
        except OSError as error:
            raise InputError(
                f"cannot write converted audio into the folder {cache} ({error.strerror}); "
                "choose another one with the environment variable SER_CACHE"
            ) from None
    return packed


def _pack(sources: list[str], packed: Path) -> None:
    """Convert into a temporary file beside `packed`, then rename: nobody ever sees half a file."""
    packed.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=packed.stem, suffix=".part", dir=packed.parent)
    try:
        with open(descriptor, "wb") as file:
            num_samples = np.zeros(len(sources), "<i8")
            file.write(_COUNT.pack(_MARK, len(sources)))
            file.write(num_samples.tobytes())
            for index, path in enumerate(tqdm(sources, "converting audio", unit="file", disable=None, leave=False)):
                pcm = read_recording(path)
                num_samples[index] = len(pcm)
                file.write(pcm.tobytes())
            file.seek(_COUNT.size)
            file.write(num_samples.tobytes())
            file.flush()
            os.chmod(temporary, 0o644)  # mkstemp's 0o600 would shut out others who share the cache
            os.fsync(file.fileno())
        os.replace(temporary, packed)
    except BaseException:
        os.unlink(temporary)
        raise


def _read_lengths(packed: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Samples and byte offset of every utterance of a packed file; None if there is no sound one."""
    try:
        with open(packed, "rb") as file:
            head = file.read(_COUNT.size)
            if len(head) < _COUNT.size or not head.startswith(_MARK):
                return None
            count = _COUNT.unpack(head)[1]
            size = os.fstat(file.fileno()).st_size
            if _COUNT.size + 8 * count > size:
                return None
            num_samples = np.frombuffer(file.read(8 * count), "<i8")
    except OSError:
        return None
    ends = _COUNT.size + 8 * count + PCM.itemsize * np.cumsum(num_samples)
    if count == 0 or num_samples.min() < 1 or ends[-1] != size:
        return None
    return num_samples, ends - PCM.itemsize * num_samples
