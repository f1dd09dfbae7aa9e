"""Lambda in a report: chosen on validation, scored on test, with given posteriors."""

import numpy as np
import pandas as pd
import pytest

from ser.report.page.blocks import Table
from ser.report.sections.lambdas import lambda_blocks
from tests.made_up.entries import entry
from tests.made_up.two_branches import table

RIGHT, WRONG = np.eye(4), np.roll(np.eye(4), 1, axis=1)


def answers(capsule, gru, lambda_=0.6):
    """Four utterances of two speakers, with the hits of each branch."""
    posteriors = [np.where(np.array(right, bool)[:, None], RIGHT, WRONG) for right in (capsule, gru)]
    return table(range(4), *posteriors, speakers=[1, 2, 1, 2], lambda_=lambda_)


# On validation only the GRU is right; on test the capsules get three of four, the GRU the fourth.
VALIDATION, TEST = answers([0, 0, 0, 0], [1, 1, 1, 1]), answers([1, 1, 1, 0], [0, 0, 0, 1])


@pytest.fixture(scope="module")
def blocks():
    """Tables by name; in those of averaged epochs ("averaged" in the name), the capsules get all test rows right."""
    averaged = {"val": VALIDATION, "test": answers([1, 1, 1, 1], [0, 0, 0, 0])}
    made = entry(TEST, validated=VALIDATION, averaged=averaged, last_epochs=3, **{"lambda": 0.6})
    return tables_of(made)


def tables_of(made):
    return {block.name: block for block in lambda_blocks(made) if isinstance(block, Table)}


def test_lambda_is_chosen_on_validation_and_scored_on_test(blocks):
    """The GRU decides below 0.5, and 0.49 is nearest to the paper's 0.6; on the test rows 0.6 would be chosen."""
    ((fold, seed, lambda_, wa, ua),) = blocks["lambda-choices-ours"].rows
    assert (fold, seed, lambda_, wa, ua) == ("1", "1", 0.49, 1, 1)
    assert {name: (wa, ua) for name, wa, _, ua, _ in blocks["lambda-ours"].rows} == {
        "0.6 (the paper's)": (0.75, 0.75),
        "chosen per fold on validation": (0.25, 0.25),
    }


def test_what_choosing_changes_is_the_chosen_minus_the_papers(blocks):
    (row,) = blocks["lambda-difference-ours"].rows
    assert row[0] == "chosen per fold - 0.6"
    assert row[2] == pytest.approx(0.25 - 0.75)


def test_the_averaged_epochs_have_a_choice_and_a_curve_of_their_own(blocks):
    assert [row[1] for row in blocks["lambda-ours-averaged"].rows] == [1, 0]
    assert blocks["lambda-curve-ours-averaged"].csv_rows[100][5] == 1


def test_the_curve_is_that_of_each_set(blocks):
    """Columns: lambda; WA, interval, UA, interval of validation; the same of test."""
    rows = {row[0]: row[1:] for row in blocks["lambda-curve-ours"].csv_rows}
    assert len(rows) == 101
    assert [rows["0.00"][place] for place in (0, 2, 4, 6)] == [1, 1, 0.25, 0.25]
    assert [rows["1.00"][place] for place in (0, 2, 4, 6)] == [0, 0, 0.75, 0.75]
    low, high = rows["1.00"][5]
    assert (low, high) == (0.5, 1), "speaker 1 has two of two right, speaker 2 one"
    assert [row[0] for row in blocks["lambda-curve-ours"].rows] == [f"{tenth / 10:.2f}" for tenth in range(11)]


def test_another_lambda_than_the_papers_has_a_row_of_its_own():
    made = entry(answers([1, 1, 1, 0], [0, 0, 0, 1], lambda_=0.3), validated=VALIDATION, **{"lambda": 0.3})
    assert [(row[0], row[1]) for row in tables_of(made)["lambda-ours"].rows] == [
        ("0.3 (used in the result)", 0.25),
        ("0.6 (the paper's)", 0.75),
        ("chosen per fold on validation", 0.25),
    ]


def test_every_fold_has_its_own_lambda():
    """In the second fold the capsules are right on validation."""
    folds = [
        pd.concat([first, second.assign(fold=2, utterance=second.utterance + "b")], ignore_index=True)
        for first, second in ((VALIDATION, TEST), (TEST, TEST))
    ]
    made = entry(folds[1], validated=folds[0], **{"lambda": 0.6})
    found = tables_of(made)
    assert [row[:4] for row in found["lambda-choices-ours"].rows] == [["1", "1", 0.49, 1], ["2", "1", 0.6, 0.75]]
    assert [row[1] for row in found["lambda-ours"].rows] == [0.75, 0.5]
