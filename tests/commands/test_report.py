"""Refusals of `ser report`: one clear message, nothing overwritten."""

import io
import json
import shutil

import pandas as pd
import pytest

from ser.commands.report import main
from ser.files import digest
from ser.report.reported_results import read_entries
from tests.made_up.results import make_result

NAN = float("nan")
NOT_OURS = "not written by this program"
OUT = ["--out", "out"]


def change(path, **values):
    """Change values in a `result.json`; "absent" deletes one."""
    about = json.loads(path.read_text(encoding="utf-8")) | values
    path.write_text(json.dumps({name: value for name, value in about.items() if value != "absent"}), encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["empty"], ["no result"]),
        (["nowhere"], ["nowhere", "ser crossval"]),
        (["seqcap", "seqcap"], ["the same folder twice"]),
        (["seqcap", "ravdess"], ["different corpora", "emodb", "ravdess", "add results of `ser transfer`"]),
        (["seqcap", "other/seqcap"], ["two results of the same name", "'seqcap'"]),
        (["seqcap/seed1-fold03"], ["is one run, fold 3 only", "`ser crossval`", "Did you mean ", "/seqcap?"]),
        (["older", "digest"], ["different corpora", "manifest", "mine"]),
        (
            ["seqcap", "--unpard"],
            ["ser: --unpard: no such option", "--unpaired?", "(all options", ": ser report --help"],
        ),
    ],
)
def test_what_is_no_result_and_what_does_not_belong_together(refused, tmp_path, words, parts):
    made = {
        "seqcap": {"system": "CNNSeqCap"},
        "ravdess": {"system": "CNNGRU", "corpus": "ravdess"},
        "other/seqcap": {"system": "CNNSeqCap", "random": 3},
        "older": {"system": "CNNGRU", "corpus": "manifest"},
        "digest": {"system": "CNNSeqCap", "corpus": "mine", "corpus_digest": "0"},
    }
    for name in {word.partition("/seed")[0] for word in words} & made.keys():
        make_result(tmp_path / name, folds=[1, 2, 3], **made[name])
    (tmp_path / "empty").mkdir()
    refused(["report", *words, *OUT], parts)


def test_a_csv_file_has_had_two_names(tmp_path):
    """Older versions name every manifest corpus "manifest"; its digest decides whether it is the same corpus."""
    older = make_result(tmp_path / "older", "CNNGRU", corpus="manifest")
    newer = make_result(tmp_path / "newer", "CNNSeqCap", corpus="mine")
    assert len(read_entries([str(older), str(newer)])) == 2


@pytest.fixture
def changed(tmp_path):
    """A result with three folds, to be changed."""
    return make_result(tmp_path / "changed", "CNNSeqCap", folds=[1, 2, 3])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("shared", None, "shared is None"),
        ("versions", None, "versions is None"),
        ("model", [], "model is []"),
        ("options", [], "options is []"),
        ("runs", [], "runs is []"),
        ("runs", [{"seed": 1}], "runs[0].fold is missing"),
        ("folds", None, "folds is None"),
        ("averaged", "absent", "averaged is missing"),
        ("folds", "absent", "folds is missing"),
        ("seeds", "absent", "seeds is missing"),
        ("shared", "absent", "shared is missing"),
        ("averaged", True, "averaged is True"),
        ("validation", {}, "validation.wa is missing"),
        ("command", None, "command is None"),
        ("system", ["CNNGRU"], "system is ['CNNGRU']"),
        ("shared", {"speakers": 3}, "shared.speakers is 3"),
        ("seeds", [1, "two"], "seeds[1] is 'two'"),
        ("seeds", [True], "seeds[0] is True"),
        ("num_folds", "ten", "num_folds is 'ten'"),
        ("wa", NAN, "wa is nan"),
        ("wa", 0.999, "wa is 0.999, but predictions.csv gives 0."),
    ],
)
def test_a_result_that_lacks_something(refused, changed, name, value, words):
    change(changed / "result.json", **{name: value})
    refused(["report", "changed", *OUT], ["changed/result.json", words])


@pytest.mark.parametrize("place", ["result.json", "seed1-fold02/result.json"])
@pytest.mark.parametrize("content", [b"[]", b"\xff\xfe{", b"[" * 100_000, b'{"kind": "crossval"'])
def test_what_is_no_record(refused, changed, place, content):
    refused(["report", "changed", *OUT], [f"changed/{place}", NOT_OURS], {f"changed/{place}": content})


@pytest.mark.parametrize(
    ("runs", "parts"),
    [
        (lambda runs: runs[:2], ["changed/result.json: runs lacks fold 3 (seed 1)"]),
        (lambda runs: [*runs, runs[2]], ["changed/result.json: runs has too many of fold 3 (seed 1)"]),
        (
            lambda runs: [*runs[:2], {**runs[2], "folder": "seed1-fold01"}],
            ["seed1-fold01 holds fold 1", "fold 3 of seed 1"],
        ),
        (lambda runs: [{**runs[0], "folder": 3}, *runs[1:]], ["runs[0].folder is 3"]),
    ],
)
def test_a_run_is_the_one_it_is_taken_for(refused, changed, runs, parts):
    known = json.loads((changed / "result.json").read_text(encoding="utf-8"))["runs"]
    change(changed / "result.json", runs=runs(known))
    refused(["report", "changed", *OUT], parts)


def test_a_run_that_is_not_complete(refused, changed):
    change(changed / "seed1-fold02" / "result.json", counts={"train": None, "val": {}, "test": {}})
    refused(["report", "changed", *OUT], ["fold 2 of seed 1 is not complete", "counts.train is None"])
    (changed / "seed1-fold01" / "metrics.csv").unlink()
    refused(["report", "changed", *OUT], ["seed1-fold01", "fold 1", "not complete"])


def without(column):
    return lambda table: pd.read_csv(io.BytesIO(table), dtype=str).drop(columns=column).to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda table: b"", "predictions.csv: not a predictions table"),
        (lambda table: table.replace(b"sad", b"s\xe4d"), "predictions.csv: not a predictions table"),
        (lambda table: table + b"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", "predictions.csv: not a predictions"),
        (without("fold"), "predictions.csv: not a predictions table, it has no column fold"),
        (without("predicted"), "it has no column predicted"),
        (without("p_sad"), "unknown emotion 'sad' in the predictions"),
        (without(["p_neutral", "p_angry", "p_happy", "p_sad"]), "needs the posterior, columns p_<emotion>"),
        (without("seed"), "no column seed"),
        (lambda table: table.replace(b",sad,", b",bored,"), "changed: unknown emotion 'bored'"),
        (None, "predictions.csv: changed"),
    ],
)
def test_tables_that_are_none_are_refused_by_name(refused, changed, damage, words):
    """Damaged tables with matching digests, as another program would write them, and one edited without."""
    path = changed / "predictions.csv"
    if damage:
        path.write_bytes(damage(path.read_bytes()))
        digests = json.loads((changed / "result.json").read_text(encoding="utf-8"))["digests"]
        change(changed / "result.json", digests=digests | {path.name: digest(path)})
    else:
        path.write_bytes(path.read_bytes().replace(b"sad", b"happy", 1))
    refused(["report", "changed", *OUT], ["changed", words])


@pytest.fixture(scope="session")
def earlier(made_once):
    """A report on one result."""

    def make(place):
        make_result(place / "result", "CNNSeqCap", folds=[1, 2, 3])
        assert main([str(place / "result"), "--out", str(place / "report")]) == 0

    return made_once("earlier-report", make) / "report"


@pytest.mark.parametrize("what", ["file", "stranger", "run", "stranger in a report", "parent is a file"])
def test_a_place_that_is_taken_is_left_alone(what, refused, changed, earlier, tmp_path):
    files = {"out/notes.txt": "mine"}
    if what in ("file", "parent is a file"):
        files = {"out": "mine"}
    elif what == "run":
        files = {}
        shutil.copytree(changed, tmp_path / "out")
    elif what == "stranger in a report":
        shutil.copytree(earlier, tmp_path / "out")
    out = "out/deep" if what == "parent is a file" else "out"
    refused(["report", "changed", "--out", out], ["--out", "choose"], files)


def test_an_earlier_report_survives_a_failure(refused, changed, earlier, tmp_path, monkeypatch):
    shutil.copytree(earlier, tmp_path / "out")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ser.report.writing.html_page", fail)
    refused(["report", "changed", *OUT], ["No space left on device"])
