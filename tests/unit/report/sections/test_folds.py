"""Spread of a result over folds, seeds, speakers and epochs, against numbers computed by hand."""

import pandas as pd
import pytest

from ser.report.sections.comparisons import compare_epochs
from ser.report.sections.folds import epoch_table, fold_table, same_tests, seed_table, speaker_table
from tests.made_up.entries import entry
from tests.made_up.hits import predictions

# Fold 1 tests speaker a (neutral and angry), fold 2 speaker b, with two neutral utterances and an angry one.
ACTUAL, SPEAKERS, FOLDS = [0, 1, 0, 0, 1], list("aabbb"), [1, 1, 2, 2, 2]
HITS = {1: [1, 1, 1, 0, 0], 2: [0, 1, 1, 1, 0]}


def results(hits=HITS, actual=ACTUAL, speakers=SPEAKERS, folds=FOLDS):
    """One row per utterance and seed; the speakers are in different sessions."""
    tables = [predictions(each, actual, speakers, seed=seed).assign(fold=folds) for seed, each in hits.items()]
    table = pd.concat(tables, ignore_index=True)
    return table.assign(session=table.speaker.map({"a": "2", "b": "1", "c": "3"}))


def test_a_folds_row_pools_its_seeds_and_counts_each_utterance_once():
    """The four runs have WA 1, 1/3, 1/2, 2/3 and UA 1, 1/4, 1/2, 1/2."""
    rows = {row[0]: row[1:] for row in fold_table([entry(results())], "").rows}
    assert rows["1"] == ["a", 2, 3 / 4, (1 / 2 + 1) / 2]
    assert rows["2"] == ["b", 3, 3 / 6, pytest.approx((3 / 4 + 0) / 2)]
    assert rows["mean over folds"][2:] == [pytest.approx(0.625), pytest.approx(0.5625)]
    deviations = [(sum((x - mean) ** 2 for x in xs) / 3) ** 0.5 for mean, xs in MEANS.items()]
    assert rows["standard deviation over folds"][2:] == pytest.approx(deviations)
    assert rows["pooled: the result"][1:] == [5, 6 / 10, (4 / 6 + 2 / 4) / 2]


MEANS = {0.625: (1, 1 / 3, 1 / 2, 2 / 3), 0.5625: (1, 1 / 4, 1 / 2, 1 / 2)}


def test_a_seeds_row_pools_its_folds():
    rows = [row[1:] for row in seed_table([entry(results())]).rows]
    assert rows[0] == ["1", 3 / 5, pytest.approx((2 / 3 + 1 / 2) / 2)]
    assert rows[1] == ["2", 3 / 5, pytest.approx((2 / 3 + 1 / 2) / 2)]
    uneven = entry(results({3: [1, 0, 1, 1, 0], 7: [1, 1, 0, 0, 1]}))
    rows = [row[1:] for row in seed_table([uneven]).rows]
    assert rows[0] == ["3", 3 / 5, 1 / 2]
    assert rows[1] == ["7", 3 / 5, pytest.approx((1 / 3 + 1) / 2)]
    assert rows[2] == ["mean over seeds", pytest.approx(0.6), pytest.approx((1 / 2 + 2 / 3) / 2)]
    assert rows[3] == ["standard deviation over seeds", pytest.approx(0), pytest.approx((1 / 6) / 2**0.5)]
    assert seed_table([entry(results({1: HITS[1]}))]) is None


def test_a_speakers_row_has_its_own_accuracy_over_all_seeds():
    rows = speaker_table([entry(results())], "").rows
    assert rows == [["b", "1", 3, 1 / 2], ["a", "2", 2, 3 / 4]], "sorted by session"


def test_only_results_on_the_same_utterances_share_a_table():
    """Two protocols; in one of them different utterances, but equally many."""
    here, other = results(), results(speakers=list("aaccc"))
    entries = [entry(here, "first"), entry(other, "second"), entry(here, "third"), entry(here, "4", protocol="session")]
    groups = {suffix: [each.title for each in members] for suffix, members in same_tests(entries)}
    assert groups == {"-1": ["first", "third"], "-2": ["second"], "-3": ["4"]}
    assert [suffix for suffix, _ in same_tests([entries[0], entries[2]])] == [""]


def test_the_averaged_epochs_are_compared_with_the_best_one():
    """The best epoch gets three of five right, the average of the last ones four."""
    averaged = {"test": results({1: [1, 1, 1, 1, 0]})}
    made = entry(results({1: HITS[1]}), averaged=averaged, last_epochs=4)
    without = entry(results({1: HITS[1]}), "without")
    rows = [[*row[:4], row[5]] for row in epoch_table([without, made]).rows]
    assert rows == [
        ["ours", "best epoch", "validation WA", 3 / 5, pytest.approx((2 / 3 + 1 / 2) / 2)],
        ["ours", "mean posterior of the last 4", "no score", 4 / 5, (1 + 1 / 2) / 2],
    ]
    (pair,) = compare_epochs([without, made])
    assert pair.label == "ours: mean of the last 4 epochs - best epoch"
    assert pair.comparison.wa_difference == pytest.approx(1 / 5)
    assert epoch_table([without]) is None
