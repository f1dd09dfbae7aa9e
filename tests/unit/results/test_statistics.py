"""Intervals and tests against closed forms, other implementations and general properties."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser.errors import InputError
from ser.results.matrices import multinomial_ua_interval, wilson_interval
from ser.results.paper import RECCAP_CONFUSION, SEQCAP_CONFUSION
from ser.results.speaker_counts import tally
from ser.results.statistics import bootstrap_speakers
from tests.made_up.hits import predictions, rehit, sample

# --- counts


def test_a_seed_adds_no_speaker_and_no_utterance():
    one, other = sample(1), rehit(sample(1), 2)
    both = tally(pd.concat([one, other.assign(seed=2)]))
    assert (both.total == tally(one).total).all()
    assert both.correct == pytest.approx((tally(one).correct + tally(other).correct) / 2)
    assert both.pooled()[0] == pytest.approx((one.emotion == one.predicted).mean() / 2 + tally(other).pooled()[0] / 2)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda table: table.iloc[:0], "the predictions table is empty"),
        (lambda table: table.assign(emotion="bored"), "unknown emotion 'bored'"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "utterance u0 occurs twice for seed 1"),
        (lambda table: pd.concat([table, table.iloc[1:].assign(seed=2)]), "the seeds have different .*first u0"),
        (lambda table: pd.concat([table, table.assign(seed=2, speaker="x")]), "the seeds have different"),
    ],
)
def test_tables_that_cannot_be_counted_are_refused(spoil, words):
    table = spoil(sample(1))
    with pytest.raises(InputError, match=words):
        bootstrap_speakers(table)


# --- intervals


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (5, 4), (-1, 4)])
def test_no_share_no_interval(correct, total):
    with pytest.raises(InputError, match="is not a share between 0 and 1"):
        wilson_interval(correct, total)
    with pytest.raises(InputError, match="empty"):
        multinomial_ua_interval(np.zeros((4, 4), int))


@pytest.mark.parametrize("confusion", [SEQCAP_CONFUSION, RECCAP_CONFUSION])
def test_the_ua_interval_tends_to_the_closed_form(confusion):
    matrix = 1000 * np.array(confusion)
    total = matrix.sum(1)
    recalls = matrix.diagonal() / total
    deviation = np.sqrt((recalls * (1 - recalls) / total).sum() / 16)
    low, high = multinomial_ua_interval(matrix)
    assert low == pytest.approx(recalls.mean() - 1.96 * deviation, abs=0.01 * deviation)
    assert high == pytest.approx(recalls.mean() + 1.96 * deviation, abs=0.01 * deviation)


@pytest.mark.parametrize("confusion", [SEQCAP_CONFUSION, RECCAP_CONFUSION])
def test_the_ua_interval_holds_the_truth_as_often_as_it_says(confusion, monkeypatch):
    monkeypatch.setattr("ser.results.matrices.wilson_interval", cache(wilson_interval))  # few distinct values
    generator, matrix = np.random.default_rng(1), np.array(confusion)
    truth = (matrix.diagonal() / matrix.sum(1)).mean()
    held, tries = 0, 5000
    for _ in range(tries):
        drawn = np.array([generator.multinomial(row.sum(), row / row.sum()) for row in matrix])
        low, high = multinomial_ua_interval(drawn)
        held += low <= truth <= high
    assert held / tries == pytest.approx(0.95, abs=0.01)  # three standard errors


def test_speakers_who_are_all_alike_leave_no_width():
    hits, actual = [1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 2, 3]
    table = predictions(hits * 8, actual * 8, np.repeat(np.arange(8), 6))
    expected = {"wa": pytest.approx((4 / 6,) * 2), "ua": pytest.approx(((2 / 3 + 2) / 4,) * 2), "redrawn": 0}
    assert bootstrap_speakers(table) == expected


def test_one_utterance_per_speaker_is_scipys_bootstrap():
    table = predictions(np.random.default_rng(3).random(200) < 0.7)
    hits = (table.emotion == table.predicted).to_numpy(float)
    scipys = stats.bootstrap((hits,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(1))
    found = bootstrap_speakers(table)
    assert found["wa"] == pytest.approx(tuple(scipys.confidence_interval), abs=0.0101)  # two steps of 1/200
    assert found["ua"] == found["wa"], "one emotion: its recall is the accuracy"


def test_few_speakers_by_enumeration():
    table = sample(5, utterances=60, speakers=3)
    everyone = [table[table.speaker == name] for name in sorted(set(table.speaker))]
    scores = []
    for drawn in np.ndindex(3, 3, 3):
        rows = pd.concat([everyone[i] for i in drawn])
        recalls = [(part.emotion == part.predicted).mean() for _, part in rows.groupby("emotion")]
        scores.append(((rows.emotion == rows.predicted).mean(), np.mean(recalls)))
    expected = np.quantile(scores, [0.1, 0.9], axis=0, method="inverted_cdf")
    found = bootstrap_speakers(table, draws=50_000, confidence=0.8)
    assert found["wa"] == pytest.approx(tuple(expected[:, 0]))
    assert found["ua"] == pytest.approx(tuple(expected[:, 1]))


def test_speakers_who_differ_widen_the_interval():
    hits = np.repeat([1, 1, 1, 0, 1, 1, 0, 1, 1, 0], 30)  # each speaker is recognised either always or never
    by_speaker = bootstrap_speakers(predictions(hits, speakers=np.repeat(np.arange(10), 30)))["wa"]
    assert np.ptp(by_speaker) > 3 * np.ptp(wilson_interval(int(hits.sum()), 300))
