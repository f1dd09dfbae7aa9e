"""Saved results are read unchanged, or refused."""

import json

import pandas as pd
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.files import digest
from ser.results.predictions import posterior_columns
from ser.results.reading import read_about, read_finished, read_table

NOW = {"config": {"model.dropout": 0.5}, "corpus": "c", "code": "d", "versions": {"torch": "2"}}


@pytest.fixture
def run(tmp_path):
    """The folder of a finished run with seed 1 and fold 2."""
    for name in ("predictions.csv", "validation.csv"):
        (tmp_path / name).write_text(f"{name}\n")
    own = {**NOW, "config": {**NOW["config"], "seed_everything": 1, "data.fold": 2}}
    (tmp_path / "identity.json").write_text(json.dumps(own))
    write(tmp_path, seed=1, fold=2)
    return tmp_path


def write(folder, **more):
    digests = {name: digest(folder / name) for name in ("predictions.csv", "validation.csv")}
    about = {"wa": 0.5, "validation": {"wa": 0.4}, "digests": digests, **more}
    (folder / "result.json").write_text(json.dumps(about))
    return digests


def test_names_that_look_like_numbers_or_nothing_stay_text(tmp_path):
    text = {"utterance": "007", "speaker": "NA", "session": "01", "emotion": "sad", "predicted": "happy"}
    pd.DataFrame([{**text, "fold": 3, **dict.fromkeys(posterior_columns(PAPER_EMOTIONS), 0.25)}]).to_csv(
        tmp_path / "t.csv"
    )
    (row,) = read_table(tmp_path / "t.csv").to_dict("records")
    assert {name: row[name] for name in text} == text
    assert (row["fold"], row["p_sad"]) == (3, 0.25)


def test_a_finished_run_is_known_by_its_seed_its_fold_and_its_identity(run):
    assert read_finished(run, NOW, seed=1, fold=2) == read_about(run)
    for other, words in (((2, 2), "seed: 1 there, 2 here"), ((1, 3), "fold: 2 there, 3 here")):
        with pytest.raises(InputError, match=words):
            read_finished(run, NOW, *other)
    with pytest.raises(InputError, match=r"model\.dropout: 0\.5 there, 0\.2 here"):
        read_finished(run, {**NOW, "config": {"model.dropout": 0.2}}, 1, 2)
    (run / "result.json").unlink()
    assert read_finished(run, NOW, 1, 2) is None


@pytest.mark.parametrize("name", ["predictions.csv", "validation.csv"])
def test_a_table_that_is_not_the_one_that_was_scored_is_refused(run, name):
    assert read_about(run)["fold"] == 2
    kept = (run / name).read_text()
    (run / name).write_text(kept.upper())
    with pytest.raises(InputError, match=f"{name}: changed since"):
        read_about(run)
    (run / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing"):
        read_about(run)
    digests = write_without(run, name, kept)
    with pytest.raises(InputError, match=f"no digest of {name}"):
        read_about(run)
    write(run, digests=digests, **({"validation": None} if name == "validation.csv" else {}))
    if name == "validation.csv":
        assert read_about(run)["wa"] == 0.5, "a set without scores needs no table"


def write_without(run, name, text):
    (run / name).write_text(text)
    digests = write(run)
    del digests[name]
    write(run, digests=digests)
    return digests
