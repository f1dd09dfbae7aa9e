"""A pooled result made from the folders of its runs; every number is given or counted by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.pooled import describe_pooled, write_pooled
from ser.results.pooled_result import read_pooled
from ser.results.predictions import posterior_columns
from ser.results.test_sets import describe_test_set
from tests.made_up.hits import predictions

# Hits of the four utterances of each run, by seed and fold; then the same for the averaged posteriors.
TEST = {(1, 1): [1, 1, 1, 1], (1, 2): [1, 1, 0, 0], (2, 1): [1, 1, 1, 0], (2, 2): [0, 0, 0, 0]}
VAL = {(1, 1): [1, 0, 0, 0], (1, 2): [0, 0, 0, 0], (2, 1): [1, 0, 0, 0], (2, 2): [1, 1, 0, 0]}
TEST_AVERAGED = {place: [1, 1, 1, 0] for place in TEST}
VAL_AVERAGED = {place: [1, 1, 0, 0] for place in TEST}
TABLES = {"predictions": TEST, "validation": VAL}
TABLES |= {"predictions_averaged": TEST_AVERAGED, "validation_averaged": VAL_AVERAGED}
ALIKE = ("system", "corpus", "protocol", "test_halves", "statistics", "device", "corpus_digest", "code_digest")


def rows_of(hits, fold, name):
    """Four utterances of one speaker, one of each emotion."""
    names = [f"{name}{fold}-{place}" for place in range(4)]
    rows = predictions(hits, range(4), [f"{name}{fold}"] * 4, names=names).drop(columns="seed")
    return rows.assign(session=str(fold), fold=fold, **dict.fromkeys(posterior_columns(PAPER_EMOTIONS), 0.25))


def write_runs(folder, warnings=()):
    """Write the folders of four runs; return their results by name, with unique validation scores."""
    runs = {}
    for seed, fold in TEST:
        name = f"seed{seed}-fold{fold:02d}"
        (folder / name).mkdir()
        for file, hits in TABLES.items():
            rows_of(hits[seed, fold], fold, file[0]).to_csv(folder / name / f"{file}.csv", index=False)
        runs[name] = {
            **dict.fromkeys(ALIKE, "x"),
            **{"emotions": PAPER_EMOTIONS, "left_out": {"bored": 81}},
            **{"seed": seed, "fold": fold, "epochs": 20, "epoch": 10 * seed + fold, "commit": None, "threads": 1},
            **{"wa": 0.99, "ua": 0.98, "validation": {"wa": seed / 10, "ua": fold / 100, "utterances": 4}},
            **{"speakers": {"test": [f"p{fold}"]}, "train_segments": 7, "tails_left_out": 0, "counts": {}},
            **{"versions": {}, "warnings": [text for text, place in warnings if place == (seed, fold)]},
        }
    return runs


def write(folder, warnings=(), grid=([1, 2], [1, 2]), averaged=5, num_folds=2):
    about = {"num_folds": num_folds, "shared": {}, "statistics": "train"}
    write_pooled(folder, write_runs(folder, warnings), grid, averaged, about)
    return read_pooled(folder)


def test_every_score_is_that_of_its_own_rows(tmp_path):
    about = write(tmp_path).about
    assert about["wa"] == pytest.approx(9 / 16)
    assert about["validation"]["wa"] == pytest.approx(4 / 16)
    assert (about["emotions"], about["left_out"]) == (PAPER_EMOTIONS, {"bored": 81})
    assert about["averaged"]["epochs"] == 5
    assert about["averaged"]["wa"] == pytest.approx(3 / 4)
    assert about["averaged"]["validation"]["wa"] == pytest.approx(1 / 2)
    assert [(run["seed"], run["fold"], run["epoch"]) for run in about["runs"]] == [
        *((1, 1, 11), (1, 2, 12), (2, 1, 21), (2, 2, 22))
    ]
    assert [(run["wa"], run["ua"]) for run in about["runs"]] == [(1, 1), (0.5, 0.5), (0.75, 0.75), (0, 0)]
    assert [run["validation"] for run in about["runs"]] == [
        {"wa": seed / 10, "ua": fold / 100} for seed, fold in ((1, 1), (1, 2), (2, 1), (2, 2))
    ]
    assert about["over_seeds"]["wa"]["values"] == pytest.approx([6 / 8, 3 / 8])
    assert about["over_folds"]["ua"] == pytest.approx(
        {"mean": 9 / 16, "sd": np.std([1, 0.5, 0.75, 0], ddof=1), "runs": 4}
    )
    assert about["intervals"]["wa"] == pytest.approx([1 / 4, 7 / 8]), "two speakers: one of them drawn twice, or both"


def test_the_pooled_table_holds_every_row_once_with_its_seed_and_fold(tmp_path):
    found = write(tmp_path).predictions
    assert list(zip(found.seed, found.fold, strict=True)) == [place for place in TEST for _ in range(4)]
    assert (found.emotion == found.predicted).tolist() == [bool(hit) for hits in TEST.values() for hit in hits]
    assert found.utterance.tolist() == [f"p{fold}-{place}" for _, fold in TEST for place in range(4)]


def test_a_warning_names_the_folds_that_it_is_about(tmp_path):
    given = [("few", (1, 1)), ("few", (2, 2)), ("few", (2, 1)), ("loud", (1, 2)), ("loud", (2, 2))]
    assert write(tmp_path, given).about["warnings"] == ["folds 1, 2: few", "fold 2: loud"]


def test_a_part_of_the_folds_is_said_to_be_one(tmp_path):
    assert "protocol x, 4 runs pooled (2 of 10 folds)\n" in describe_pooled(write(tmp_path, num_folds=10).about)
    (tmp_path / "all").mkdir()
    assert "protocol x, 4 runs pooled\n" in describe_pooled(write(tmp_path / "all").about)


def test_missing_runs_and_utterances_that_are_tested_twice_are_refused(tmp_path):
    runs = write_runs(tmp_path)
    with pytest.raises(InputError, match=r"predictions.csv: no predictions of fold 3 \(seed 1\), fold 3 \(seed 2\)"):
        write_pooled(tmp_path, runs, ([1, 2], [1, 2, 3]), 0, {})
    with pytest.raises(InputError, match=r"predictions.csv: unexpected predictions of fold 2 \(seed 1\)"):
        write_pooled(tmp_path, runs, ([1, 2], [1]), 0, {})
    own = tmp_path / "seed2-fold02" / "predictions.csv"
    own.write_text(own.read_text().replace("p2-3", "p1-0"))
    with pytest.raises(InputError, match=r"utterance p1-0 occurs twice for seed 2"):
        write_pooled(tmp_path, runs, ([1, 2], [1, 2]), 0, {})
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize(("name", "written"), [("wa", 0.5), ("wa", 0.6), ("ua", 0.5), ("ua", 0.6)])
def test_a_score_that_is_not_the_tables_is_refused(tmp_path, name, written):
    write(tmp_path)
    about = json.loads((tmp_path / "result.json").read_text())
    (tmp_path / "result.json").write_text(json.dumps(about | {name: written}))
    with pytest.raises(InputError, match=rf"{name} is {written}, but predictions.csv gives 0\.5625"):
        read_pooled(tmp_path)


def test_test_sets_with_other_utterances_speakers_or_labels_have_other_digests():
    rows = predictions([1, 0, 1], [0, 1, 2], ["a", "a", "b"])
    digest = describe_test_set(rows)["digest"]
    for column, value in (("utterance", "x"), ("speaker", "b"), ("emotion", "sad")):
        other = rows.copy()
        other.loc[0, column] = value
        assert describe_test_set(other)["digest"] != digest, column
    again = pd.concat([rows[::-1], rows.assign(seed=2, predicted="sad")])
    assert describe_test_set(again) == {
        **{"digest": digest, "utterances": 3, "speakers": ["a", "b"]},
        "counts": {"neutral": 1, "angry": 1, "happy": 1, "sad": 0},
    }
