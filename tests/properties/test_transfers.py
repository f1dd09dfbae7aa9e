"""Posteriors over some of a system's emotions, against literal loops, for two to eight emotions and two branches."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.results.predictions import emotions_of
from ser.results.transferred import LEFT_OUT, restrict

NAMES = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "very sad"]


@st.composite
def tables(draw):
    """A table of posteriors, and some of its emotions in any order."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(2, len(NAMES)))]
    shared = draw(st.permutations(names))[: draw(st.integers(2, len(names)))]
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(1, 12))
    table = pd.DataFrame({"utterance": [f"u{i}" for i in range(rows)], "speaker": "a", "session": "", "fold": 0})
    table["emotion"] = generator.choice(shared, rows)
    table["predicted"] = names[0]
    for branch in ("", "capsule_", "gru_"):
        for name, values in zip(names, generator.dirichlet(np.ones(len(names)), rows).T, strict=True):
            table[f"{branch}p_{name}"] = values
    return table, list(shared)


@given(tables())
@settings(deadline=None, max_examples=60)
def test_every_posterior_is_divided_by_its_sum_over_the_shared_emotions(given_table):
    table, shared = given_table
    found = restrict(table, shared)
    assert list(emotions_of(found)) == shared
    assert found[["utterance", "emotion"]].equals(table[["utterance", "emotion"]])
    others = [name for name in emotions_of(table) if name not in shared]
    assert not [name for name in found for other in others if name.endswith(f"p_{other}") and name in table]
    for row in range(len(table)):
        for branch in ("", "capsule_", "gru_"):
            kept = sum(table.at[row, f"{branch}p_{name}"] for name in shared)
            for name in shared:
                expected = table.at[row, f"{branch}p_{name}"] / kept
                assert found.at[row, f"{branch}p_{name}"] == pytest.approx(expected, rel=1e-12)
        assert found.at[row, LEFT_OUT] == pytest.approx(sum(table.at[row, f"p_{name}"] for name in others), abs=1e-12)
        assert found.at[row, "predicted"] == max(shared, key=lambda name: table.at[row, f"p_{name}"])


@given(tables())
@settings(deadline=None, max_examples=40)
def test_all_emotions_change_nothing_and_fewer_can_be_left_in_steps(given_table):
    table, shared = given_table
    whole = restrict(table, emotions_of(table))
    posteriors = [name for name in table if "p_" in name]
    assert np.allclose(whole[posteriors], table[posteriors], rtol=1e-12, atol=0)
    assert (whole[LEFT_OUT] == 0).all()
    columns = ["predicted", *(f"{branch}p_{name}" for branch in ("", "capsule_", "gru_") for name in shared)]
    once, twice = restrict(table, shared)[columns], restrict(whole, shared)[columns]
    pd.testing.assert_frame_equal(once, twice, rtol=1e-12)
