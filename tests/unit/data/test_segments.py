"""Segments, tails around the minimum length, and a batch of segments."""

import numpy as np
import pytest
import torch

from ser.audio.frames import num_frames, num_samples
from ser.data.segments import FILLER, Pieces, TrainingBatches, cut
from ser.networks.spectrogram import Spectrogram


@pytest.mark.parametrize(
    ("seconds", "frames", "left_out"), [(0.1, [7], 0), (2.03, [200], 0), (2.3, [200], 1), (2.35, [200, 32], 0)]
)
def test_tails_under_three_tenths_are_left_out(seconds, frames, left_out):
    segments = cut([0], [round(seconds * 16_000)])
    assert num_frames(segments.lengths).tolist() == frames
    assert segments.tails_left_out == left_out


def test_a_tail_of_exactly_the_least_length_is_kept():
    """30 frames of 10 ms by default; lengths are counted in frames, so that 229 and 230 differ."""
    frames = {frames: num_frames(cut([0], [num_samples(frames)]).lengths).tolist() for frames in (229, 230, 231)}
    assert frames == {229: [200], 230: [200, 30], 231: [200, 31]}
    assert num_frames(cut([0], [num_samples(13)], segment_frames=10, min_tail_frames=3).lengths).tolist() == [10, 3]


def test_neighbours_share_480_samples():
    segments = cut([0], [num_samples(600)])
    assert segments.starts.tolist() == [0, 32_000, 64_000]
    assert set(segments.lengths) == {32_480}


class Memory:
    """Waveforms in memory."""

    def __init__(self, waveforms):
        self.waveforms = waveforms

    def read(self, row, start=0, stop=None):
        return self.waveforms[row][start:stop]


def test_a_batch_of_segments_is_the_spectrogram_cut_in_pieces():
    waveforms = [np.random.default_rng(i).normal(size=n).astype(np.float32) for i, n in enumerate((70_000, 20_000))]
    segments = cut([0, 1], [len(w) for w in waveforms])
    pieces = Pieces(Memory(waveforms), *segments[:3], np.array([2, 0]), num_samples(200))
    (batch,) = [pieces[indices] for indices in TrainingBatches(len(pieces), 16, seed=0)]
    assert batch.waveform.shape == (16, 32_480)
    assert sorted(batch.emotion.tolist()) == [-100] * 12 + [0, 2, 2, 2]
    assert sorted(batch.utterance.tolist()) == [FILLER] * 12 + [0, 0, 0, 1]
    spectrogram = Spectrogram()
    whole = [spectrogram(torch.from_numpy(w)[None])[0] for w in waveforms]
    first_frame = {0: [], 1: []}
    for waveform, length, row in zip(batch.waveform, batch.lengths, batch.utterance.tolist(), strict=True):
        if row == FILLER:
            continue
        frames = num_frames(int(length))
        mine = spectrogram(waveform[None])[0, :, :frames]
        starts = [t for t in range(0, whole[row].shape[1], 200) if torch.equal(whole[row][:, t : t + frames], mine)]
        first_frame[row] += starts
    assert {row: sorted(starts) for row, starts in first_frame.items()} == {0: [0, 200, 400], 1: [0]}
