"""Training segments, whole utterances for evaluation, and the batches of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from ser.audio.frames import WINDOW_SAMPLES, num_frames, num_samples
from ser.audio.waveforms import Waveforms
from ser.emotions import IGNORED

FILLER = -1  # index of a filler row in a batch


class Batch(NamedTuple):
    """A batch of waveforms with their labels.

    Filler rows keep the shape of a batch or the number of batches equal over processes. They have emotion -100 and
    utterance -1, and do not affect losses or scores.
    """

    waveform: Tensor  # (batch, samples) float32 in [-1, 1), zero beyond the length
    lengths: Tensor  # (batch,) samples
    emotion: Tensor  # (batch,) index into the data module's emotions
    utterance: Tensor  # (batch,) row of the corpus's table
    scale: Tensor  # () factor of the summed loss; its average over processes is then the batch mean
    statistics: Tensor | None  # (batch, 2, bins) for statistics per speaker, else None


class Segments(NamedTuple):
    """Training segments: table rows, first samples, numbers of samples; and the number of tails left out."""

    rows: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    tails_left_out: int


def cut(rows: Sequence[int], samples: Sequence[int], segment_frames: int = 200, min_tail_frames: int = 30) -> Segments:
    """Cut utterances into segments without overlap; every frame is in exactly one segment or in a tail left out.

    A tail is the remainder after full segments; an utterance shorter than one segment is never left out.

    Args:
        samples: number of samples of each of these rows of the corpus's table.
        segment_frames: frames of a full segment (adjacent ones share 480 samples, the overlap of two windows).
        min_tail_frames: shorter tails are left out.

    Source:
        Wu et al. (2019), section 4.1; no overlap and the treatment of tails are assumed.
    """
    pieces, left_out = [], 0
    for row, available in zip(rows, samples, strict=True):
        for first in range(0, num_frames(available), segment_frames):
            frames = min(segment_frames, num_frames(available) - first)
            if first and frames < min_tail_frames:
                left_out += 1
            else:
                pieces.append((row, num_samples(first + 1) - WINDOW_SAMPLES, num_samples(frames)))
    table = np.array(pieces, dtype=np.int64).reshape(-1, 3)
    return Segments(*table.T, left_out)


class Pieces(Dataset):
    """Pieces of the corpus's audio, read a batch at a time: `pieces[BatchIndices([3, 5, -1], 1.0)]` is a `Batch`.

    Args:
        waveforms: of the whole corpus.
        rows: the table row of each piece.
        starts: first sample of each piece.
        lengths: number of samples of each piece.
        emotions: of the whole corpus, as indices.
        samples: width of every batch; None uses the longest piece of each batch.
    """

    def __init__(
        self,
        waveforms: Waveforms,
        rows: np.ndarray,
        starts: np.ndarray,
        lengths: np.ndarray,
        emotions: np.ndarray,
        samples: int | None = None,
    ) -> None:
        self.waveforms, self.rows, self.starts, self.lengths = waveforms, rows, starts, lengths
        self.emotions, self.samples = emotions, samples
        self.statistics: Tensor | None = None  # (corpus rows, 2, bins)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indices: BatchIndices) -> Batch:
        real = [(place, i) for place, i in enumerate(indices.pieces) if i != FILLER]
        width = self.samples or max([int(self.lengths[i]) for _, i in real], default=WINDOW_SAMPLES)
        waveform = torch.zeros(len(indices.pieces), width)
        lengths = torch.full((len(indices.pieces),), WINDOW_SAMPLES)
        emotion, utterance = torch.full_like(lengths, IGNORED), torch.full_like(lengths, FILLER)
        for place, i in real:
            row, start, length = int(self.rows[i]), int(self.starts[i]), int(self.lengths[i])
            waveform[place, :length] = torch.from_numpy(self.waveforms.read(row, start, start + length))
            lengths[place], emotion[place], utterance[place] = length, int(self.emotions[row]), row
        statistics = None if self.statistics is None else self.statistics[utterance.clamp(min=0)]
        return Batch(waveform, lengths, emotion, utterance, torch.tensor(indices.scale), statistics)


class BatchIndices(NamedTuple):
    """The pieces of one batch (-1: filler) and the scale of its loss."""

    pieces: list[int]
    scale: float


class TrainingBatches(Sampler):
    """Shuffled batches of one shape; the order depends only on (seed, epoch).

    Every piece occurs once per epoch. Each process gets an equal share of every batch, so that the gradient does not
    depend on the number of processes; the last batch is padded with filler rows.

    Args:
        batch_size: over all processes.
        epoch: determines the order of the first pass.
        position: batches that the first pass skips, because they were trained before an interruption.
    """

    def __init__(
        self,
        num_pieces: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        epoch: int = 0,
        position: int = 0,
    ) -> None:
        self.num_pieces, self.batch_size, self.seed = num_pieces, batch_size, seed
        self.rank, self.world_size, self.epoch, self.position = rank, world_size, epoch, position

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next pass (called by Lightning)."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.num_pieces // self.batch_size)

    def __iter__(self) -> Iterator[BatchIndices]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.num_pieces)
        start, self.position = self.position * self.batch_size, 0
        for first in range(start, self.num_pieces, self.batch_size):
            batch = order[first : first + self.batch_size].tolist()
            scale = self.world_size / len(batch)
            batch += [FILLER] * (self.batch_size - len(batch))
            yield BatchIndices(batch[self.rank :: self.world_size], scale)


class EvaluationBatches(Sampler):
    """Batches of whole utterances, sorted by length and filled up to a budget of padded frames.

    Every process gets the same number of batches and every utterance is in exactly one of them.

    Args:
        lengths: samples of each piece.
        max_frames: budget of one batch over all processes; a longer utterance forms a batch alone.
    """

    def __init__(self, lengths: np.ndarray, max_frames: int, rank: int = 0, world_size: int = 1) -> None:
        self.rank, self.world_size = rank, world_size
        self.batches: list[list[int]] = []
        for piece in np.argsort(-lengths, kind="stable").tolist():
            longest = num_frames(int(lengths[self.batches[-1][0]])) if self.batches else 0
            if self.batches and (len(self.batches[-1]) + 1) * longest <= max_frames:
                self.batches[-1].append(piece)
            else:
                self.batches.append([piece])

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[BatchIndices]:
        for batch in self.batches:
            yield BatchIndices(batch[self.rank :: self.world_size] or [FILLER], self.world_size / len(batch))
