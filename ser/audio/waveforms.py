"""The waveforms of a corpus: read where they lie, or converted once into one packed PCM file."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.audio.decoding import PCM, AudioError, open_recording, wav_header
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.packed import MARK, PackedAudio, write_packed
from ser.audio.recording import FULL_SCALE, read_recording
from ser.errors import InputError
from ser.files import sweep_leftovers

_WRITER_SECONDS = 3600  # a file that nobody has written to for so long was left by a writer that was killed


class Waveforms:
    """The samples of every utterance of a table, at 16 kHz.

    Files that are 16 kHz mono 16-bit PCM WAV are read where they lie. All others are converted once, into one file in
    the cache folder that is named by their content, so that it cannot go stale; a damaged one is made again. Nothing is
    kept open: an instance can be sent to a DataLoader's workers.

    Args:
        utterances: a corpus's table; rows are numbered in its order.
        cache: folder for converted audio; by default `$SER_CACHE`, else `$XDG_CACHE_HOME/ser`, else `~/.cache/ser`.

    Raises:
        AudioError: a recording cannot be used.
        InputError: the cache folder cannot be written.
    """

    def __init__(self, utterances: pd.DataFrame, cache: Path | None = None) -> None:
        self._files = [str(path) for path in utterances.path]
        self._offsets = np.zeros(len(self._files), np.int64)  # of the first sample in bytes, or place in packed audio
        self._packed: PackedAudio | None = None
        self._foreign = np.zeros(len(self._files), bool)
        self.num_samples = np.zeros(len(self._files), np.int64)
        for row, path in enumerate(self._files):
            with open_recording(path) as file:
                header = wav_header(file, path)
            if header is not None and header.is_mono_pcm16(SAMPLE_RATE_HZ):
                self._offsets[row], self.num_samples[row] = header.data_offset, header.data_bytes // PCM.itemsize
            else:
                self._foreign[row] = True
        if self._foreign.any():
            sources = [self._files[row] for row in np.flatnonzero(self._foreign)]
            self._packed = _packed(sources, Path(cache) if cache else _cache_folder())
            self._offsets[self._foreign] = np.arange(len(sources))
            self.num_samples[self._foreign] = self._packed.num_samples

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
            AudioError: the file has become shorter or gone since the table was made, or packed audio is damaged.
        """
        start, stop, _ = slice(start, stop).indices(int(self.num_samples[row]))
        count = max(stop - start, 0)
        if self._packed is not None and self._foreign[row]:
            pcm = self._packed.read(int(self._offsets[row]), start, start + count)
        else:
            pcm = self._read_in_place(row, start, count)
        return pcm.astype(np.float32) * np.float32(1 / FULL_SCALE)

    def _read_in_place(self, row: int, start: int, count: int) -> np.ndarray:
        path = self._files[row]
        try:
            pcm = np.fromfile(path, PCM, count, offset=int(self._offsets[row]) + start * PCM.itemsize)
        except OSError as error:
            raise AudioError(f"{path}: unreadable ({error.strerror})") from None
        if len(pcm) < count:
            raise AudioError(f"{path}: has become shorter since it was first read")
        return pcm


def _cache_folder() -> Path:
    if chosen := os.environ.get("SER_CACHE"):
        return Path(chosen).expanduser()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "ser"
    return Path(os.path.expanduser("~")) / ".cache" / "ser"


def _packed(sources: list[str], cache: Path) -> PackedAudio:
    """The packed audio of these recordings; made now unless a sound one is there.

    Several processes may do this at once: each puts a whole file in place, and all of these are right.
    """
    digests = hashlib.sha256(MARK)
    for path in sources:
        with open_recording(path) as file:
            digests.update(hashlib.file_digest(file, "sha256").digest())
    packed = cache / f"{digests.hexdigest()[:32]}.pcm"
    sweep_leftovers([cache], _WRITER_SECONDS)
    if os.path.lexists(packed):
        try:
            return PackedAudio(packed)
        except AudioError:
            print(f"ser: {packed} is damaged or unreadable; the audio is converted again", file=sys.stderr)
    recordings = map(read_recording, tqdm(sources, "converting audio", unit="file", disable=None, leave=False))
    try:
        write_packed(packed, recordings)
    except AudioError:
        raise
    except InputError as error:
        raise InputError(f"{error}; choose another folder with the environment variable SER_CACHE") from error
    return PackedAudio(packed)
