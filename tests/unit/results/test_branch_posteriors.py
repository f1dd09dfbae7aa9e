"""Branches of posteriors, and validation rows that are test rows, with given values."""

import numpy as np
import pandas as pd
import pytest

from ser.results.lambda_curve import branch_posteriors, validation_notes
from tests.made_up.two_branches import table


def rows(seed=1, fold=1):
    capsule, gru = np.eye(4)[[0, 1, 2]], np.eye(4)[[3, 3, 0]]
    return table([0, 1, 2], capsule, gru, speakers=[1, 1, 2], folds=fold).assign(seed=seed)


def test_the_capsules_come_first():
    capsule, gru = branch_posteriors(rows())
    assert capsule.argmax(1).tolist() == [0, 1, 2]
    assert gru.argmax(1).tolist() == [3, 3, 0]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (rows(seed=1), "All validation rows are test rows"),
        (rows(seed=2), None),  # another seed means another network
        (pd.concat([rows(seed=2), rows(seed=1)[:2]]), "2 of 3 validation rows are test rows"),
        (rows().assign(gru_p_sad=[0.5, 0.5, 0]), "1 of 3 validation rows"),
        (rows().assign(utterance=["x", "y", "u2"]), "1 of 3 validation rows"),
    ],
)
def test_rows_are_the_same_where_seed_utterance_and_both_posteriors_are(test, said):
    notes = validation_notes(rows(fold=2), test, None)
    assert len(notes) == bool(said)
    assert all(note.startswith(said) for note in notes)


def test_only_a_chosen_epoch_favours_its_lambda():
    assert validation_notes(rows(), rows(seed=2), None) == []
    (note,) = validation_notes(rows(), rows(seed=2), 0.25)
    assert "with lambda 0.25. The validation curve is therefore too high at 0.25" in note
