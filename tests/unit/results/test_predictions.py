"""The predictions table and its scores: given values, computed by hand or by scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, recall_score

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.predictions import confusion, describe, in_short, posterior_columns, predictions_table, scores
from tests.made_up.hits import predictions

PAPERS_ORDER = ["neutral", "angry", "happy", "sad"]  # rows and columns of Tables 2 and 3


def test_emotions_have_the_papers_order_everywhere():
    assert PAPERS_ORDER == PAPER_EMOTIONS
    assert posterior_columns(PAPER_EMOTIONS) == [f"p_{name}" for name in PAPERS_ORDER]
    assert posterior_columns(PAPER_EMOTIONS, "gru") == ["gru_p_neutral", "gru_p_angry", "gru_p_happy", "gru_p_sad"]


def test_the_answer_is_the_systems_and_not_a_branchs():
    utterances = pd.DataFrame(
        {"utterance": ["b", "a"], "speaker": ["2", "1"], "session": ["1", "1"], "emotion": ["sad", "happy"]},
        index=[7, 3],
    )
    system = np.array([[0.1, 0.6, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    branches = {"capsule": system[:, ::-1], "gru": np.roll(system, 1, axis=1)}
    found = predictions_table(utterances, 4, PAPER_EMOTIONS, {"": system, **branches})
    assert found.utterance.tolist() == ["b", "a"]
    assert found.emotion.tolist() == ["sad", "happy"]
    assert found.predicted.tolist() == ["angry", "neutral"]
    assert found.fold.tolist() == [4, 4]
    assert found.p_happy.tolist() == [0.2, 0.2]
    assert found.capsule_p_sad.tolist() == [0.1, 0.4]
    assert found.gru_p_happy.tolist() == [0.6, 0.3]


def test_scores_are_scikit_learns():
    generator = np.random.default_rng(1)
    actual, predicted = (np.array(PAPERS_ORDER)[generator.choice(4, 90, p=[0.5, 0.2, 0.2, 0.1])] for _ in range(2))
    rows = pd.DataFrame({"utterance": np.arange(90).astype(str), "emotion": actual, "predicted": predicted})
    rows[[f"p_{name}" for name in PAPERS_ORDER]] = 0.25
    found = scores(rows)
    assert found["wa"] == pytest.approx(accuracy_score(actual, predicted))
    assert found["ua"] == pytest.approx(balanced_accuracy_score(actual, predicted))
    recalls = recall_score(actual, predicted, labels=PAPERS_ORDER, average=None)
    assert found["recall"] == pytest.approx(dict(zip(PAPERS_ORDER, recalls.tolist(), strict=True)))
    assert found["confusion"] == confusion_matrix(actual, predicted, labels=PAPERS_ORDER).tolist()
    assert found["utterances"] == 90
    assert found["ua_classes"] == 4


def test_an_utterance_occurs_once_whatever_was_answered():
    rows = predictions([True, False], names=["u", "u"])
    with pytest.raises(InputError, match="utterance u occurs twice"):
        confusion(rows)


def test_scores_in_words():
    """Four of five neutral, one of two angry, no happy, neither of two sad: WA 5/9, UA (0.8 + 0.5 + 0) / 3."""
    found = scores(predictions([1, 1, 1, 1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 3, 3]))
    assert in_short(found) == "WA 55.6 %  UA 43.3 % (3 of 4 emotions)"
    title, _, head, *lines = describe(found).splitlines()
    assert title == "WA 55.56 %   UA 43.33 % (3 of 4 emotions)   (9 utterances)"
    assert head == "actual \\ predicted"
    assert [line.split() for line in lines] == [
        ["neutral", "angry", "happy", "sad", "recall", "%"],
        ["neutral", "4", "1", "0", "0", "80.0"],
        ["angry", "0", "1", "1", "0", "50.0"],
        ["happy", "0", "0", "0", "0", "-"],
        ["sad", "2", "0", "0", "0", "0.0"],
    ]
