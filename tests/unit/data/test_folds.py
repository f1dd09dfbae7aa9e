"""The warnings about the sets of folds."""

import pandas as pd
import pytest

from ser.data.folds import fold_warnings, set_warnings
from ser.emotions import PAPER_EMOTIONS


def sets(**emotions):
    """A table of sets with these emotions, given by their first letters."""
    of = {emotion[0]: emotion for emotion in PAPER_EMOTIONS}
    rows = [(name, of[letter]) for name, letters in emotions.items() for letter in letters]
    return pd.DataFrame(rows, columns=["set", "emotion"])


SMALL = "validation, which chooses the epoch, has only"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"train": "nahs", "val": "nahs" * 3, "test": "nahs"}, []),
        ({"train": "nahs", "val": "nahs" * 2 + "na", "test": "nahs"}, []),
        ({"train": "nahs", "val": "nahs" * 2 + "n", "test": "nahs"}, [f"{SMALL} 9 utterances"]),
        ({"train": "n", "val": "n", "test": "n"}, [f"{SMALL} 1 utterance"]),
        ({"train": "nahs", "val": "ns" * 5, "test": "n"}, ["validation has no utterance of angry, happy"]),
        ({"train": "nah", "val": "nah" * 4, "test": "nah"}, []),  # an emotion that the corpus lacks
        ({"train": "na", "val": "nahs" * 3, "test": "nh"}, ["training has no utterance of happy, which is tested"]),
        ({"train": "na", "val": "na" * 5, "test": "na", "": "hs"}, []),
        ({"train": "nahs", "test": "nahs"}, []),
        (
            {"train": "n", "val": "n" * 9, "test": "s"},
            [
                f"{SMALL} 9 utterances",
                "validation has no utterance of sad",
                "training has no utterance of sad, which is tested",
            ],
        ),
    ],
)
def test_what_weakens_a_fold_is_said(given, expected):
    assert set_warnings(sets(**given)) == expected


def test_folds_of_one_warning_are_named_together():
    assert fold_warnings([(1, [SMALL]), (2, []), ("mine", [SMALL])]) == [f"folds 1, mine: {SMALL}"]
    assert fold_warnings([(3, [SMALL, "other"])]) == [f"fold 3: {SMALL}", "fold 3: other"]
