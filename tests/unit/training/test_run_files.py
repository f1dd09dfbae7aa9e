"""The files of a run, and the folders that a run accepts."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score

from ser.data.folds import set_warnings
from ser.data.protocols import make_protocol
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.systems import CNNGRU
from ser.training.folder import FOLDER_VARIABLE, name_folder
from ser.training.run_files import write_result, write_tables
from tests.made_up.hits import predictions


def table(name: str, hits: list[int]) -> pd.DataFrame:
    rows = predictions(hits, [0, 0, 0, 1, 2], names=[f"{name}{number}" for number in range(5)])
    return rows.assign(session="1", fold=1)


def test_every_score_of_a_result_is_that_of_its_own_table(tmp_path):
    """Four tables: validation and test, of the best epoch and of the average."""
    tables = {"test": table("t", [1, 1, 1, 0, 0]), "val": table("v", [1, 0, 0, 1, 0])}
    averaged = {"test": table("t", [1, 1, 1, 1, 1]), "val": table("v", [0, 0, 0, 0, 1])}
    sets = pd.concat([table(name, [1] * 5).assign(set=name) for name in ("train", "val", "test")])
    data = SimpleNamespace(
        corpus=SimpleNamespace(name="made up"),
        **{"protocol": "speaker", "fold": 1, "fold_name": None, "statistics": "train", "corpus_digest": "0"},
        **{"emotions": tuple(PAPER_EMOTIONS), "left_out": {"bored": 3}, "trim": None},
        **{"pieces": {"train": range(7)}, "tails_left_out": 1, "utterances": sets.reset_index()},
        rules=make_protocol("speaker"),
        speaker_identities={name: [f"made up:{name}"] for name in ("train", "val", "test")},
    )
    about = {"epochs": 3, "warnings": set_warnings(data.utterances)}
    write_tables(tmp_path, tables, averaged)
    write_result(tmp_path, CNNGRU(gru_units=2), data, tables, averaged, about)
    found = json.loads((tmp_path / "result.json").read_text())
    places = {
        "predictions.csv": found,
        "validation.csv": found["validation"],
        "predictions_averaged.csv": found["averaged"],
        "validation_averaged.csv": found["averaged"]["validation"],
    }
    for name, scores in places.items():
        rows = pd.read_csv(tmp_path / name)
        recalls = recall_score(rows.emotion, rows.predicted, labels=PAPER_EMOTIONS[:3], average=None)
        assert scores["wa"] == pytest.approx(accuracy_score(rows.emotion, rows.predicted)), name
        assert scores["ua"] == pytest.approx(recalls.mean()), name
        assert [scores["recall"][emotion] for emotion in PAPER_EMOTIONS[:3]] == pytest.approx(recalls.tolist()), name
        assert scores["recall"][PAPER_EMOTIONS[3]] is None, "it does not occur"
    assert len({scores["wa"] for scores in places.values()}) == 4
    assert found["emotions"] == PAPER_EMOTIONS
    assert found["left_out"] == {"bored": 3}
    assert found["test_halves"] is None, "the protocol has no halves"
    assert set(found["digests"]) == set(places)
    assert found["tested_on"]["counts"]["test"] == {"neutral": 3, "angry": 1, "happy": 1, "sad": 0}


def test_a_folder_is_taken_that_is_new_empty_or_of_a_run_that_was_interrupted(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    for name in ("empty", "interrupted"):
        (tmp_path / name).mkdir()
    (tmp_path / "interrupted" / "identity.json").write_text("{}")
    for name in ("new", "empty", "interrupted"):
        assert name_folder(str(tmp_path / name), []) == tmp_path / name


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["identity.json", "result.json"], "already holds a finished run"),
        (["notes.txt"], "already holds other files"),
    ],
)
def test_a_folder_that_holds_a_result_or_anything_else_is_refused(files, words, tmp_path):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=words):
        name_folder(str(tmp_path), [])


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_an_export_overwrites_nothing(kind, ser, tmp_path):
    out = tmp_path / "x.safetensors"
    if kind == "file":
        out.write_text("mine")
    elif kind == "folder":
        out.mkdir()
    else:
        out.symlink_to(tmp_path / "nowhere")
    finished = ser("export-weights", tmp_path / "none.ckpt", "--out", out)
    assert (finished.code, f"--out {out} exists already" in finished.err) == (2, True)
    assert kind != "file" or out.read_text() == "mine"


def test_a_link_to_a_disk_that_is_not_there_is_no_name_that_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to(tmp_path / "missing" / "disk")
    with pytest.raises(InputError, match="--out runs/"):
        name_folder(None, ["CNNGRU"])
