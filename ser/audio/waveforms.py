"""The waveforms of a corpus, read from the original files or from converted copies."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.audio.converted import convert, read_converted
from ser.audio.cuts import Cut
from ser.audio.decoding import FULL_SCALE, PCM, AudioError, find_samples, open_recording
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.silence import Trim, trimmed


class Waveforms:
    """The samples of every utterance of a table, at 16 kHz.

    Files that are 16 kHz mono 16-bit PCM WAV are read directly. Other files are converted once into a cache folder; a
    copy is named by the content of its source, so it cannot go stale, and a damaged copy is converted again. No file is
    kept open, so an instance can be sent to DataLoader workers.

    Args:
        utterances: a corpus's table; rows are numbered in its order. An utterance with `start` or `end` is that part of
            its recording, rounded to samples.
        cache: folder for converted audio; by default `$SER_CACHE`, else `$XDG_CACHE_HOME/ser`, else `~/.cache/ser`.
        trim: cut off silence at the ends of every utterance, which are then all read here once; None keeps it.

    Attributes:
        num_samples: of every utterance.

    Raises:
        AudioError: a recording cannot be used, or an utterance is not within it.
        InputError: the cache folder cannot be written.
    """

    def __init__(self, utterances: pd.DataFrame, cache: Path | None = None, trim: Trim | None = None) -> None:
        self._files = [str(path) for path in utterances.path]
        self._offsets = np.full(len(self._files), -1)  # of the first sample in bytes; -1 for a converted copy
        self.num_samples = np.zeros(len(self._files), np.int64)
        for row, path in enumerate(self._files):
            with open_recording(path) as file:
                plain = find_samples(file, path)
            if plain is not None:
                self._offsets[row], self.num_samples[row] = plain
        foreign = np.flatnonzero(self._offsets < 0)
        if len(foreign):
            converted = convert(list({self._files[row]: None for row in foreign}), cache and Path(cache))
            for row in foreign:
                self._files[row], self.num_samples[row] = converted[self._files[row]]
        self._starts = np.zeros_like(self.num_samples)  # in the recording
        if {"start", "end"} <= set(utterances.columns):
            self._cut(utterances)
        self._untrimmed = self._starts.copy(), self.num_samples.copy()
        if trim:
            self._trim(trim)

    def _cut(self, utterances: pd.DataFrame) -> None:
        for row, cut in enumerate(map(Cut, utterances.start, utterances.end)):
            if not cut.is_whole:
                if fault := cut.fault(self.num_samples[row] / SAMPLE_RATE_HZ):
                    raise AudioError(f"{utterances.path.iloc[row]}: {fault}")
                self._starts[row], stop = cut.samples(int(self.num_samples[row]))
                self.num_samples[row] = stop - self._starts[row]

    def _trim(self, trim: Trim) -> None:
        for row in tqdm(range(len(self)), "trimming silence", unit="file", disable=None, leave=False, delay=1):
            start, stop = trimmed(self.read(row), trim)
            self._starts[row] += start
            self.num_samples[row] = stop - start

    def __len__(self) -> int:
        return len(self._files)

    def read(self, row: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Read a slice of one utterance, without reading the rest.

        Returns:
            (stop - start,) float32 in [-1, 1).

        Raises:
            AudioError: the file was shortened or removed after the table was made, or converted audio is damaged.
        """
        return self._read(row, int(self._starts[row]), *slice(start, stop).indices(int(self.num_samples[row]))[:2])

    def read_untrimmed(self, row: int) -> np.ndarray:
        """Read one utterance with the silence at its ends."""
        starts, num_samples = self._untrimmed
        return self._read(row, int(starts[row]), 0, int(num_samples[row]))

    def _read(self, row: int, first: int, start: int, stop: int) -> np.ndarray:
        start, stop = first + start, first + max(start, stop)
        path, offset = self._files[row], int(self._offsets[row])
        if offset < 0:
            pcm = read_converted(path, start, stop)
        else:
            try:
                pcm = np.fromfile(path, PCM, stop - start, offset=offset + start * PCM.itemsize)
            except OSError as error:
                raise AudioError(f"{path}: unreadable ({error.strerror})") from None
        if len(pcm) < stop - start:
            raise AudioError(f"{path}: has become shorter since it was first read")
        return pcm.astype(np.float32) * np.float32(1 / FULL_SCALE)
