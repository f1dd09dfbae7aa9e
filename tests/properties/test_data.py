"""Segments and batches lose and repeat nothing; overlaps of sets equal plain set intersections."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.audio.frames import num_frames
from ser.data.leaks import PAIRS, SETS, shared
from ser.data.segments import FILLER, EvaluationBatches, TrainingBatches, cut
from tests.unit.data.test_leaks import table

lengths = st.lists(st.integers(640, 200_000), min_size=1, max_size=20)
names = st.sampled_from(["u_1", "u_2", "v_1", "v_2", "w"])
rows = st.tuples(names, st.sampled_from("xyz"), st.sampled_from(["F", ""]), st.sampled_from([*SETS, ""]))


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
        assert counts[: len(counts) - missing].min() == 1, "only the tail can be missing"
        assert missing < max(min_tail, 1)
        left_out += missing > 0
    assert left_out == segments.tails_left_out
    assert set(segments.rows) == set(range(len(samples))), "no utterance is lost"


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
            assert {len(share.pieces) for share in shares} == {16 // world}, "all batches have one shape"
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
    assert len({len(batches) for batches in passes}) == 1, "the same number of batches on every process"
    for shares in zip(*passes, strict=True):
        real = [i for share in shares for i in share.pieces if i != FILLER]
        assert len(real) == 1 or len(real) * num_frames(samples[real].max()) <= budget
    everything = [i for batches in passes for batch in batches for i in batch.pieces if i != FILLER]
    assert sorted(everything) == list(range(len(samples)))


@settings(deadline=None)
@given(st.lists(st.tuples(rows, st.sampled_from("abc")), max_size=12))
def test_overlaps_are_intersections(drawn):
    utterances, digests = table(*[row for row, _ in drawn]), [digest for _, digest in drawn]
    found = shared(utterances, digests)
    assert tuple(found) == PAIRS
    for (first, second), overlap in found.items():

        def both(values, first=first, second=second):
            of = {name: {v for v, (row, _) in zip(values, drawn, strict=True) if row[3] == name} for name in SETS}
            return (of[first] & of[second]) - {""}

        assert set(overlap["speakers"]) == both([row[1] for row, _ in drawn])
        assert set(overlap["utterances"]) == both([row[0] for row, _ in drawn])
        assert set(overlap["dialogs"]) == both([row[0][0] if row[2] and "_" in row[0] else "" for row, _ in drawn])
        assert len(overlap["recordings"]) == len(both(digests))
        assert all(values == sorted(values) for values in overlap.values())
