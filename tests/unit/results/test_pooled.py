"""Printed notes on UA if runs, folds or draws lack emotions."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from ser.results.pooled import describe_pooled, summarise
from ser.results.predictions import describe, in_short, scores
from tests.made_up.hits import predictions


def folds(*emotions, seed=1):
    """A pooled table in which each fold tests one speaker with some of the emotions, six utterances of each."""
    actual = [np.tile(each, 6) for each in emotions]
    fold = np.repeat(np.arange(len(emotions)), [len(each) for each in actual]) + 1
    hits = np.random.default_rng(seed).random(len(fold)) < 0.6
    return predictions(hits, np.concatenate(actual), fold).assign(fold=fold)


def about(table, **more):
    """The entries of a pooled `result.json` that are printed."""
    numbers = sorted(set(table.fold))
    return {
        **{
            "system": "CNNGRU",
            "corpus": "made",
            "protocol": "speaker",
            "statistics": "train",
            "folds": numbers,
            "num_folds": len(numbers),
        },
        **summarise(table, table),
        **{"intervals": {"wa": [0.5, 0.7], "ua": [0.4, 0.8]}, "bootstrap": {"draws": 10_000, "redrawn": 0}},
        **{"runs": [{"fold": each} for each in numbers], "averaged": None, "shared": {}},
        **more,
    }


EVERY = [0, 1, 2, 3]
SOME = folds(EVERY, [0, 1, 2], EVERY, [3])
NONE = folds([0, 1], [2, 3], [0, 1, 2])
THREE = folds([0, 1, 2], [0, 1, 2])  # the fourth is missing in the whole test set


@pytest.mark.parametrize(
    ("table", "whole", "said"),
    [
        (SOME, [1, 3], " over 2 of 4 runs that have all emotions of the test set"),
        (NONE, [], "UA not available: no run has all emotions of the test set"),
        (THREE, [1, 2], ")"),
    ],
)
def test_a_mean_ua_is_over_the_runs_that_have_all_emotions(table, whole, said):
    found = summarise(table, table)["over_folds"]
    parts = {fold: (part.emotion, part.predicted) for fold, part in table.groupby("fold")}
    was = [accuracy_score(*part) for part in parts.values()]
    uas = [recall_score(*parts[fold], average="macro", labels=sorted(set(parts[fold][0]))) for fold in whole]
    assert found["wa"] == pytest.approx({"mean": np.mean(was), "sd": np.std(was, ddof=1), "runs": len(parts)})
    if uas:
        assert found["ua"] == pytest.approx({"mean": np.mean(uas), "sd": np.std(uas, ddof=1), "runs": len(uas)})
    else:
        assert found["ua"] == {"mean": None, "sd": None, "runs": 0}
    (line,) = [line for line in describe_pooled(about(table)).splitlines() if line.startswith("mean over runs")]
    assert line.endswith(said)


def test_a_single_run_says_over_how_many_emotions_its_ua_is():
    found = scores(SOME[SOME.fold == 2])
    assert found["ua_classes"] == 3
    assert f"UA {100 * found['ua']:.2f} % (3 of 4 emotions)   (18 utterances)" in describe(found)
    older = {name: value for name, value in found.items() if name != "ua_classes"}
    assert describe(older) == describe(found)
    assert in_short(found) == f"WA {100 * found['wa']:.1f} %  UA {100 * found['ua']:.1f} % (3 of 4 emotions)"
    assert "emotions)" not in describe(scores(SOME[SOME.fold == 1]))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "WA 50.0 to 70.0, UA 40.0 to 80.0\nmean"),
        (
            {"bootstrap": {"draws": 10_000, "redrawn": 1250}},
            "UA 40.0 to 80.0\nUA: 1,250 draws of speakers lacked an emotion of the test set and were drawn again.\n",
        ),
        (
            {"bootstrap": {"draws": 10_000, "redrawn": 9000}, "intervals": {"wa": [0.5, 0.7], "ua": None}},
            "UA not available\nUA: no interval, because too many draws of speakers lack an emotion of the test set",
        ),
        ({"bootstrap": None}, "UA 40.0 to 80.0 (older method: UA over the emotions present in each draw)\n"),
    ],
)
def test_how_an_interval_of_ua_came_about_is_said(more, said):
    assert said in describe_pooled(about(SOME, **more))


def test_means_of_older_results_are_called_so():
    older = about(SOME)
    for found in older["over_folds"].values():
        del found["runs"]
    text = describe_pooled(json.loads(json.dumps(older)))
    assert "(older method: UA of each run over the emotions present in it)" in text
