"""What `ser report` refuses: one clear message, nothing overwritten."""

import io
import json
import shutil

import pandas as pd
import pytest

from ser.commands.report import main
from ser.errors import InputError
from ser.files import digest
from ser.report.reported_results import read_entries
from tests.made_up.results import make_result

NAN = float("nan")


def files_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refuse(arguments, *words):
    with pytest.raises(InputError) as caught:
        main([*map(str, arguments)])
    for word in words:
        assert word in str(caught.value)


def test_folders_that_are_no_results(results, tmp_path):
    out = tmp_path / "report"
    (tmp_path / "empty").mkdir()
    refuse([tmp_path / "empty", "--out", out], "no result")
    refuse([tmp_path / "nowhere", "--out", out], "nowhere", "ser crossval")
    run = results[0] / "seed1-fold03"
    refuse([run, "--out", out], "is one run, fold 3 only", "`ser crossval`", f"Did you mean {results[0]}?")
    refuse([results[0], results[0], "--out", out], "the same folder twice")
    assert not out.exists()


def test_results_that_do_not_belong_together(results, tmp_path):
    other = make_result(tmp_path / "other", "CNNGRU", corpus="ravdess")
    refuse([results[0], other, "--out", tmp_path / "out"], "different corpora", "emodb", "ravdess")
    twin = make_result(tmp_path / "seqcap", "CNNSeqCap", random=3)
    refuse([results[0], twin, "--out", tmp_path / "out"], "two results of the same name", "'seqcap'")
    assert not (tmp_path / "out").exists()


def test_a_csv_file_has_had_two_names(tmp_path):
    """Older versions call every manifest "manifest"; its digest says whether it is the same corpus."""
    older = make_result(tmp_path / "older", "CNNGRU", corpus="manifest")
    newer = make_result(tmp_path / "newer", "CNNSeqCap", corpus="mine")
    assert len(read_entries([str(older), str(newer)])) == 2
    other = make_result(tmp_path / "other", "CNNSeqCap", corpus="mine", corpus_digest="0")
    refuse([older, other, "--out", tmp_path / "out"], "different corpora", "manifest", "mine")


def test_edited_predictions_and_missing_folds(tmp_path):
    folder = make_result(tmp_path / "edited", "CNNSeqCap")
    text = (folder / "predictions.csv").read_text(encoding="utf-8")
    (folder / "predictions.csv").write_text(text.replace("sad", "happy", 1), encoding="utf-8")
    refuse([folder, "--out", tmp_path / "out"], "predictions.csv", "changed")
    folder = make_result(tmp_path / "partial", "CNNSeqCap")
    (folder / "seed1-fold04" / "metrics.csv").unlink()
    refuse([folder, "--out", tmp_path / "out"], "seed1-fold04", "fold 4", "not complete")
    folder = make_result(tmp_path / "older", "CNNSeqCap")
    about = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    del about["shared"]
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")
    refuse([folder, "--out", tmp_path / "out"], "older/result.json: shared is missing", "another version")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("shared", None, "shared is None, but must be names with values"),
        ("versions", None, "versions is None"),
        ("model", [], "model is [], but must be names with values"),
        ("options", [], "options is [], but must be names with values"),
        ("runs", [], "runs is []: List should have at least 1 item"),
        ("runs", [{"seed": 1}], "runs[0].fold is missing"),
        ("folds", None, "folds is None"),
        ("averaged", "absent", "averaged is missing; another version"),
        ("folds", "absent", "folds is missing; another version"),
        ("seeds", "absent", "seeds is missing; another version"),
        ("averaged", True, "averaged is True, but must be names with values"),
        ("validation", {}, "validation.wa is missing"),
        ("command", None, "command is None, but must be text"),
        ("system", ["CNNGRU"], "system is ['CNNGRU'], but must be text"),
        ("shared", {"speakers": 3}, "shared.speakers is 3, but must be a list"),
        ("seeds", [1, "two"], "seeds[1] is 'two', but must be a whole number"),
        ("seeds", [True], "seeds[0] is True, but must be a whole number"),
        ("num_folds", "ten", "num_folds is 'ten', but must be a whole number"),
        ("wa", NAN, "wa is nan, but must be a finite number"),
        ("wa", 0.999, "wa is 0.999, but predictions.csv gives 0."),
    ],
)
def test_a_result_that_lacks_something_is_refused_in_one_message(name, value, words, tmp_path):
    folder = make_result(tmp_path / "changed", "CNNSeqCap", folds=[1])
    about = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    about[name] = value
    if value == "absent":
        del about[name]
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")
    refuse([folder, "--out", tmp_path / "out"], "changed/result.json", words)
    assert not (tmp_path / "out").exists()


def change(path, **values):
    """Write other values into a `result.json`."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


@pytest.mark.parametrize("place", ["result.json", "seed1-fold02/result.json"])
@pytest.mark.parametrize("content", [b"[]", b"\xff\xfe{", b"[" * 100_000, b'{"kind": "crossval"'])
def test_what_is_no_record_is_refused_in_one_message(place, content, tmp_path):
    folder = make_result(tmp_path / "changed", "CNNSeqCap", folds=[1, 2])
    (folder / place).write_bytes(content)
    refuse([folder, "--out", tmp_path / "out"], f"changed/{place}", "not written by this program")


def test_a_run_is_the_one_it_is_taken_for(tmp_path):
    folder = make_result(tmp_path / "changed", "CNNSeqCap", folds=[1, 2, 3])
    runs = json.loads((folder / "result.json").read_text(encoding="utf-8"))["runs"]
    out = ["--out", tmp_path / "out"]
    change(folder / "result.json", runs=runs[:2])
    refuse([folder, *out], "changed/result.json: runs lacks fold 3 (seed 1)")
    change(folder / "result.json", runs=[*runs, runs[2]])
    refuse([folder, *out], "changed/result.json: runs has too many of fold 3 (seed 1)")
    change(folder / "result.json", runs=[runs[0], runs[1], {**runs[2], "folder": "seed1-fold01"}])
    refuse([folder, *out], "seed1-fold01 holds fold 1, but", "lists it as fold 3 of seed 1")
    change(folder / "result.json", runs=[{**runs[0], "folder": 3}, *runs[1:]])
    refuse([folder, *out], "runs[0].folder is 3, but must be text")
    change(folder / "result.json", runs=runs)
    change(folder / "seed1-fold02" / "result.json", counts={"train": None, "val": {}, "test": {}})
    refuse([folder, *out], "fold 2 of seed 1 is not complete", "counts.train is None, but must be names with values")


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
        (without("p_sad"), "it has no column p_sad"),
        (without("seed"), "no column seed"),
        (lambda table: table.replace(b",sad,", b",bored,"), "changed: unknown emotion 'bored'"),
    ],
)
def test_tables_that_are_none_are_refused_by_name(damage, words, tmp_path):
    """Digests and all, as somebody leaves it who writes a result with a program of his own."""
    folder = make_result(tmp_path / "changed", "CNNSeqCap", folds=[1, 2])
    path = folder / "predictions.csv"
    path.write_bytes(damage(path.read_bytes()))
    digests = json.loads((folder / "result.json").read_text(encoding="utf-8"))["digests"]
    change(folder / "result.json", digests=digests | {path.name: digest(path)})
    refuse([folder, "--out", tmp_path / "out"], "changed", words)


@pytest.mark.parametrize("what", ["file", "stranger", "run", "stranger in a report", "parent is a file"])
def test_a_place_that_is_taken_is_left_alone(what, results, report, tmp_path):
    out = tmp_path / "out"
    if what in ("file", "parent is a file"):
        out.write_text("mine", encoding="utf-8")
    elif what == "stranger":
        out.mkdir()
        (out / "notes.txt").write_text("mine", encoding="utf-8")
    elif what == "run":
        shutil.copytree(results[0], out)
    else:
        shutil.copytree(report, out)
        (out / "notes.txt").write_text("mine", encoding="utf-8")
    before = files_of(tmp_path)
    refuse([results[0], "--out", out / "deep" if what == "parent is a file" else out], "--out", "choose")
    assert files_of(tmp_path) == before


def test_an_earlier_report_survives_a_failure(results, report, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(report, out)
    before = files_of(tmp_path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ser.report.writing.html_page", fail)
    refuse([results[0], "--out", out], "No space left on device")
    assert files_of(tmp_path) == before
