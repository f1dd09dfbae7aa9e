"""Properties of comparisons between any two systems, independent of the order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ser.report.sections.comparisons import holm
from ser.results.lambda_curve import choose
from ser.results.statistics import compare, compare_unpaired
from tests.made_up.hits import predictions, rehit, sample
from tests.made_up.two_branches import sample as two_branches
from tests.unit.report.test_numbers import holm_by_definition

row_pairs = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 5)), min_size=1)


@given(row_pairs)
@settings(deadline=None, max_examples=25)
def test_identical_systems_and_exchanged_ones(found):
    hits, others, actual, speakers = map(list, zip(*found, strict=True))
    first, second = predictions(hits, actual, speakers), predictions(others, actual, speakers)
    for comparing in (compare, compare_unpaired):
        alike = comparing(first, first, draws=100)
        assert alike.wa_difference == alike.ua_difference == 0
        assert all(p == 1 or np.isnan(p) for p in alike.p_values.values())
        one, other = comparing(first, second, draws=100), comparing(second, first, draws=100)
        assert (one.wa_difference, one.ua_difference) == pytest.approx((-other.wa_difference, -other.ua_difference))
        assert one.p_values == pytest.approx(other.p_values, nan_ok=True)
        assert all(0 <= p <= 1 or np.isnan(p) for p in one.p_values.values())
    assert compare(first, first).p_values["McNemar"] == 1
    one, other = compare(first, second, draws=100), compare(second, first, draws=100)
    assert one.wa_interval == pytest.approx(tuple(-limit for limit in other.wa_interval[::-1]), nan_ok=True)


def test_the_order_of_rows_does_not_matter():
    first, second = sample(1), rehit(sample(1), 2)
    assert compare(first, second) == compare(first, second.sample(frac=1, random_state=0))


@given(st.lists(st.integers(0, 20), min_size=2, max_size=12), st.lists(st.integers(0, 20), min_size=2, max_size=12))
@settings(deadline=None, max_examples=50)
def test_unpaired_is_welchs_test_on_accuracies_where_speakers_are_equally_many(first, second):
    if len(set(first)) == 1 or len(set(second)) == 1:
        return
    tables = [
        predictions(
            np.concatenate([np.arange(20) < k for k in correct]), speakers=np.repeat(np.arange(len(correct)), 20)
        )
        for correct in (first, second)
    ]
    welch = stats.ttest_ind(np.array(second) / 20, np.array(first) / 20, equal_var=False)
    found = compare_unpaired(*tables, draws=100)
    assert not found.paired
    assert "Unpaired" in found.caution
    assert found.wa_difference == pytest.approx(np.mean(second) / 20 - np.mean(first) / 20)
    assert found.p_values["Welch's t over speakers, unpaired (WA)"] == pytest.approx(welch.pvalue)
    assert found.p_values["Welch's t over speakers, unpaired (UA)"] == pytest.approx(welch.pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_holm(p_values):
    assert holm(p_values) == pytest.approx([holm_by_definition(p_values, place) for place in range(len(p_values))])


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=5)
def test_the_order_of_rows_chooses_no_lambda(seed):
    rows = two_branches(8)
    pd.testing.assert_frame_equal(choose(rows.sample(frac=1, random_state=seed)), choose(rows))
