"""Segments and batches: nothing is lost, nothing comes twice, the order is a function of (seed, epoch)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.audio.frames import num_frames, num_samples
from ser.data.segments import FILLER, EvaluationBatches, Pieces, TrainingBatches, cut
from ser.networks.spectrogram import Spectrogram

lengths = st.lists(st.integers(640, 200_000), min_size=1, max_size=20)


@given(lengths, st.integers(1, 300), st.integers(0, 40))
@settings(deadline=None, max_examples=100)
def test_every_frame_is_in_exactly_one_segment_or_a_tail_left_out(samples, segment_frames, min_tail):
    min_tail = min(min_tail, segment_frames)
    segments = cut(range(len(samples)), samples, segment_frames, min_tail)
    seen = [np.zeros(num_frames(n), int) for n in samples]
    for row, start, length in zip(segments.rows, segments.starts, segments.lengths, strict=True):
        assert start % 160 == 0
        assert start + length <= samples[row]
        seen[row][start // 160 : start // 160 + num_frames(length)] += 1
        assert num_frames(length) <= segment_frames
    left_out = 0
    for counts in seen:
        missing = int((counts == 0).sum())
        assert counts.max() == 1
        assert counts[: len(counts) - missing].min() == 1, "only a tail may be missing"
        assert missing < max(min_tail, 1)
        left_out += missing > 0
    assert left_out == segments.tails_left_out
    assert set(segments.rows) == set(range(len(samples))), "no utterance vanishes"


@pytest.mark.parametrize(
    ("seconds", "frames", "left_out"), [(0.1, [7], 0), (2.03, [200], 0), (2.3, [200], 1), (2.35, [200, 32], 0)]
)
def test_tails_under_three_tenths_are_left_out(seconds, frames, left_out):
    segments = cut([0], [round(seconds * 16_000)])
    assert num_frames(segments.lengths).tolist() == frames
    assert segments.tails_left_out == left_out


def test_a_tail_of_exactly_the_least_length_is_kept():
    """30 frames of 10 ms by default; every count is one of frames, so that 229 and 230 differ."""
    frames = {frames: num_frames(cut([0], [num_samples(frames)]).lengths).tolist() for frames in (229, 230, 231)}
    assert frames == {229: [200], 230: [200, 30], 231: [200, 31]}
    assert num_frames(cut([0], [num_samples(13)], segment_frames=10, min_tail_frames=3).lengths).tolist() == [10, 3]


def test_neighbours_share_480_samples():
    segments = cut([0], [num_samples(600)])
    assert segments.starts.tolist() == [0, 32_000, 64_000]
    assert set(segments.lengths) == {32_480}


@given(st.integers(1, 200), st.integers(0, 5), st.integers(0, 5))
@settings(deadline=None, max_examples=50)
def test_every_piece_comes_once_per_epoch_on_any_number_of_processes(num_pieces, seed, epoch):
    orders = {}
    for world in (1, 2, 4):
        samplers = [TrainingBatches(num_pieces, 16, seed, rank, world) for rank in range(world)]
        for sampler in samplers:
            sampler.set_epoch(epoch)
        passes = [list(sampler) for sampler in samplers]
        assert {len(batches) for batches in passes} == {len(samplers[0])}
        whole = []
        for shares in zip(*passes, strict=True):
            assert {len(share.pieces) for share in shares} == {16 // world}, "one shape"
            real = [i for share in shares for i in share.pieces if i != FILLER]
            assert {share.scale for share in shares} == {world / len(real)}
            whole.append(set(real))
        assert sorted(i for batch in whole for i in batch) == list(range(num_pieces))
        orders[world] = whole
    assert orders[1] == orders[2] == orders[4], "the batches do not depend on the number of processes"


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = TrainingBatches(100, 16, seed)
        sampler.set_epoch(epoch)
        return [batch.pieces for batch in sampler]

    assert order(1, 3) == order(1, 3)
    assert order(1, 3) != order(1, 4)
    assert order(1, 3) != order(2, 3)


@given(lengths, st.integers(1, 4000), st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=100)
def test_evaluation_takes_every_utterance_once_within_the_budget(samples, budget, world):
    samples = np.array(samples)
    passes = [list(EvaluationBatches(samples, budget, rank, world)) for rank in range(world)]
    assert len({len(batches) for batches in passes}) == 1, "as many batches on every process"
    for shares in zip(*passes, strict=True):
        real = [i for share in shares for i in share.pieces if i != FILLER]
        assert len(real) == 1 or len(real) * num_frames(samples[real].max()) <= budget
    everything = [i for batches in passes for batch in batches for i in batch.pieces if i != FILLER]
    assert sorted(everything) == list(range(len(samples)))


class Memory:
    """Waveforms that lie in memory."""

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
