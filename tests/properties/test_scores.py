"""WA, UA and their intervals against closed forms and other implementations, for any predictions.

Also the reconstruction of counts from printed percentages.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, recall_score

from ser.emotions import PAPER_EMOTIONS
from ser.results.matrices import multinomial_ua_interval, wilson_interval
from ser.results.paper import TEST_HALVES, fitting_halves
from ser.results.speaker_counts import tally
from ser.results.statistics import bootstrap_speakers
from ser.systems.metrics import EmotionScores, unweighted_accuracy, weighted_accuracy
from tests.made_up.hits import predictions
from tests.unit.results.paper_print import fitting_counts
from tests.unit.results.test_draws import constant, share_of_complete_draws

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40)
labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(labels, st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_scores_equal_scikit_learn_in_any_number_of_updates(pairs, updates):
    actual, predicted = np.array(pairs).T
    scores = EmotionScores(PAPER_EMOTIONS)
    for part in np.array_split(np.arange(len(actual)), updates):
        if len(part):
            scores.update(torch.eye(4)[predicted[part]], torch.from_numpy(actual[part]))
    found = scores.compute()
    assert found["wa"].item() == pytest.approx(accuracy_score(actual, predicted))
    present = sorted(set(actual.tolist()))
    recalls = recall_score(actual, predicted, labels=present, average=None, zero_division=0)
    assert found["ua"].item() == pytest.approx(recalls.mean())  # balanced accuracy over the classes present
    names = ("neutral", "angry", "happy", "sad")
    assert {name for name in found if name.startswith("recall/")} == {f"recall/{names[i]}" for i in present}


@given(rows)
@settings(deadline=None)
def test_pooled_scores_of_a_tally_are_those_of_the_confusion_matrix(found):
    hits, actual, speakers = map(list, zip(*found, strict=True))
    table = predictions(hits, actual, speakers)
    wa, ua = tally(table).pooled()
    matrix = pd.crosstab(table.emotion, table.predicted).reindex(
        index=PAPER_EMOTIONS, columns=PAPER_EMOTIONS, fill_value=0
    )
    assert wa == pytest.approx(weighted_accuracy(matrix.to_numpy(copy=True)).item())
    assert ua == pytest.approx(unweighted_accuracy(matrix.to_numpy(copy=True)).item())


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_by_its_formula(correct, total, confidence):
    correct = min(correct, total)
    z, share = stats.norm.ppf((1 + confidence) / 2), correct / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    assert wilson_interval(correct, total, confidence) == pytest.approx((middle - reach, middle + reach), abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=4, max_size=4))
@settings(deadline=None, max_examples=50)
def test_the_ua_interval_stays_among_shares_and_around_ua(matrix):
    if not np.any(matrix):
        return
    low, high = multinomial_ua_interval(matrix)
    assert -1e-9 <= low <= unweighted_accuracy(matrix).item() + 1e-9
    assert unweighted_accuracy(matrix).item() <= high + 1e-9 <= 1 + 2e-9
    assert low < high
    assert multinomial_ua_interval([[5, 3, 0, 0], *[[0] * 4] * 3]) == pytest.approx(wilson_interval(5, 8))


@given(rows, st.integers(0, 100))
@settings(deadline=None, max_examples=50)
def test_intervals_are_shares_repeatable_and_blind_to_the_order_of_rows(found, seed):
    hits, actual, speakers = map(list, zip(*found, strict=True))
    table = predictions(hits, actual, speakers)
    intervals = bootstrap_speakers(table, draws=200, seed=seed)
    shuffled = bootstrap_speakers(table.sample(frac=1, random_state=seed), draws=200, seed=seed)
    assert np.isnan(intervals["wa"][0]) == (len(set(speakers)) == 1)
    for name in ("wa", "ua"):
        low, high = intervals[name]
        assert np.isnan(low) == np.isnan(high)
        assert np.isnan(low) or 0 <= low <= high <= 1 + 1e-12
        assert shuffled[name] == pytest.approx(intervals[name], nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40), st.data())
@settings(deadline=None, max_examples=60)
def test_a_constant_answer_has_a_ua_of_1_in_k_and_an_interval_without_width(spoken, data):
    emotions = sorted({emotion for _, emotion in spoken})
    found = bootstrap_speakers(constant(spoken, data.draw(st.sampled_from(emotions))), draws=400)
    share, speakers = share_of_complete_draws(spoken), len({who for who, _ in spoken})
    if speakers == 1 or share < 0.45:  # too many draws lack an emotion
        assert np.isnan(found["ua"]).all()
    elif share > 0.7 or not np.isnan(found["ua"]).all():
        assert found["ua"] == (pytest.approx(1 / len(emotions)),) * 2
    assert np.isnan(found["wa"]).all() == (speakers == 1), "WA needs no emotion"


@given(st.integers(1, 99), st.integers(2, 2000))
def test_a_true_ratio_always_fits(percent, total):
    correct = total * percent // 100
    halves = dict.fromkeys("FM", ((total, 0, 0, 0),) * 5)
    fits = fitting_halves(round(correct / total, 4), counts=halves)
    assert set(fits) == set(TEST_HALVES)  # every choice of halves tests 5 * total utterances


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(any))
def test_counts_fit_their_own_rounded_percentages(counts):
    total = sum(counts)
    fits = fitting_counts(tuple(round(100 * count / total, 2) for count in counts), 0.005, total)
    assert tuple(counts) in fits[total]
