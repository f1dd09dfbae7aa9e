"""The recovered numbers of the paper, each found by a search from the printed numbers."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from ser.results.paper import (
    HALF_COUNTS,
    RECCAP_CONFUSION,
    RECCAP_TEST_HALVES,
    SEQCAP_CONFUSION,
    SEQCAP_TEST_HALVES,
    TABLE_1,
    TEST_HALVES,
    fitting_halves,
    row_sums,
)
from ser.systems.metrics import recalls, unweighted_accuracy, weighted_accuracy
from tests.unit.results.paper_print import (
    CORPUS_COUNTS,
    DURATIONS,
    SEGMENTS,
    SPEAKER_COUNTS,
    TABLE_2,
    TABLE_3,
    TOLERANCE_2,
    TOLERANCE_3,
    distance,
    fitting_counts,
    fitting_matrices,
)

SEQCAP = (TABLE_2, TOLERANCE_2, SEQCAP_CONFUSION, SEQCAP_TEST_HALVES)
RECCAP = (TABLE_3, TOLERANCE_3, RECCAP_CONFUSION, RECCAP_TEST_HALVES)
both = pytest.mark.parametrize(("table", "tolerance", "confusion", "halves"), [SEQCAP, RECCAP])


def percentages(confusion):
    counts = np.array(confusion)
    return 100 * counts / counts.sum(axis=1, keepdims=True)


def test_halves_and_speakers_count_the_same_sessions():
    for session in range(5):
        totals = [sum(sum(counts[letter][session]) for letter in "FM") for counts in (HALF_COUNTS, SPEAKER_COUNTS)]
        assert totals[0] == totals[1]
        both_letters = [np.add(counts["F"][session], counts["M"][session]) for counts in (HALF_COUNTS, SPEAKER_COUNTS)]
        assert (both_letters[0] == both_letters[1]).all()
    everything = np.sum([*HALF_COUNTS["F"], *HALF_COUNTS["M"]], axis=0)
    assert tuple(everything.tolist()) == CORPUS_COUNTS
    assert sum(CORPUS_COUNTS) == 2280


def test_durations_agree_with_one_another():
    assert DURATIONS["hours"] * 3600 / 2280 == pytest.approx(DURATIONS["mean_seconds"], abs=0.01)
    # The last segment of an utterance is half full on average, the others are full.
    filled_up_hours = SEGMENTS * 2 / 3600
    assert filled_up_hours == pytest.approx(DURATIONS["hours"] + 2280 / 3600, rel=0.05)


@both
def test_exactly_one_of_the_32_choices_and_one_matrix_fits_the_print(table, tolerance, confusion, halves):
    assert len(set(TEST_HALVES)) == 32
    assert fitting_matrices(table, tolerance) == {halves: [confusion]}
    assert row_sums(halves) == tuple(map(sum, confusion))


@both
def test_no_choice_of_true_speakers_fits_the_print(table, tolerance, confusion, halves):
    assert fitting_matrices(table, tolerance, SPEAKER_COUNTS) == {}


@pytest.mark.parametrize(
    ("confusion", "halves", "closest"), [(SEQCAP_CONFUSION, "MMFFF", 55), (RECCAP_CONFUSION, "MMFFM", 38)]
)
def test_true_speakers_miss_the_row_sums_by_far(confusion, halves, closest):
    totals = tuple(map(sum, confusion))
    assert min(distance(each, totals, SPEAKER_COUNTS) for each in TEST_HALVES) == closest
    assert [each for each in TEST_HALVES if distance(each, totals) == 0] == [halves]


@both
def test_every_cell_is_within_the_tolerance_and_adjusted_cells_are_four(table, tolerance, confusion, halves):
    apart = np.abs(percentages(confusion) - table)
    assert apart.max() <= tolerance
    assert int((apart > 0.005 + 1e-9).sum()) == (4 if table is TABLE_2 else 0)


@both
def test_the_search_finds_every_row_among_all_totals_up_to_the_whole_corpus(table, tolerance, confusion, halves):
    for row, counts, of_emotion in zip(table, confusion, CORPUS_COUNTS, strict=True):
        fits = fitting_counts(row, tolerance, of_emotion)
        assert fits[sum(counts)] == [counts]


def test_table_3_alone_leaves_eight_matrices_and_its_wa_one():
    # Without the halves, only the number of utterances of each emotion in the corpus is known.
    fits = [fitting_counts(row, TOLERANCE_3, most) for row, most in zip(TABLE_3, CORPUS_COUNTS, strict=True)]
    assert [list(of_row) for of_row in fits] == [[514, 1028], [138, 276], [126, 252], [311]]
    matrices = product(*([row for rows in of_row.values() for row in rows] for of_row in fits))
    assert [each for each in matrices if abs(weighted_accuracy(each) - 0.7062) <= 0.00005] == [RECCAP_CONFUSION]


@pytest.mark.parametrize(
    ("confusion", "wa", "ua"), [(SEQCAP_CONFUSION, 69.86, 56.70), (RECCAP_CONFUSION, 70.62, 58.17)]
)
def test_the_matrices_give_the_printed_accuracies(confusion, wa, ua):
    assert 100 * weighted_accuracy(confusion).item() == pytest.approx(wa, abs=0.005)
    assert 100 * unweighted_accuracy(confusion).item() == pytest.approx(ua, abs=0.005)


def test_56_71_is_the_mean_of_the_printed_recalls():
    printed = [row[i] for i, row in enumerate(TABLE_2)]
    assert np.mean(printed) == pytest.approx(56.705)
    assert 100 * recalls(SEQCAP_CONFUSION).mean().item() == pytest.approx(56.702, abs=0.0005)


def test_which_halves_make_the_printed_wa_a_ratio():
    assert fitting_halves(0.6702) == {"MMFFF": (756, 1128)}
    gru_seqcap = fitting_halves(0.7273)
    assert gru_seqcap["MMFFM"] == (792, 1089)
    assert len(gru_seqcap) == 4
    assert "MMFFF" not in gru_seqcap
    assert fitting_halves(0.6986)["MMFFF"] == (788, 1128)
    assert fitting_halves(0.7062)["MMFFM"] == (769, 1089)


def test_the_search_equals_trying_every_row_of_counts():
    row, tolerance, at_most = (26.9, 0.0, 73.1, 0.0), 0.5, 30
    found = {}
    for total in range(1, at_most + 1):
        for bars in combinations(range(total + 3), 3):  # stars and bars: every row of four counts with this total
            edges = (-1, *bars, total + 3)
            counts = tuple(after - before - 1 for before, after in pairwise(edges))
            if all(abs(100 * count / total - share) <= tolerance for count, share in zip(counts, row, strict=True)):
                found.setdefault(total, []).append(counts)
    assert fitting_counts(row, tolerance, at_most) == found


def test_table_1_is_complete_and_in_order():
    assert [(row.name, round(100 * row.wa, 2), round(100 * row.ua, 2)) for row in TABLE_1] == [
        ("CNN_LSTM", 68.80, 59.40),
        ("CNN_GRU", 67.02, 51.84),
        ("CNN_SeqCap", 69.86, 56.71),
        ("CNN_RecCap", 70.62, 58.17),
        ("CNN_GRU-SeqCap", 72.73, 59.71),
    ]
    assert [row.utterances for row in TABLE_1] == [None, 1128, 1128, 1089, None]
    assert [bool(row.source) for row in TABLE_1] == [True, False, False, False, False]
    for row in TABLE_1:
        if row.test_halves:
            assert row.test_halves in fitting_halves(row.wa)
        if row.confusion:
            assert row_sums(row.test_halves) == tuple(map(sum, row.confusion))


def test_the_systems_of_table_1_exist():
    import ser.systems

    assert all(hasattr(ser.systems, row.system) for row in TABLE_1)


def test_the_majority_class_and_the_standard_error():
    for halves, majority in (("MMFFF", 45.48), ("MMFFM", 47.20)):
        counts = row_sums(halves)
        assert 100 * max(counts) / sum(counts) == pytest.approx(majority, abs=0.005)
    for row in TABLE_1[2:4]:
        error = (row.wa * (1 - row.wa) / row.utterances) ** 0.5
        assert 100 * error == pytest.approx(1.4, abs=0.05)
