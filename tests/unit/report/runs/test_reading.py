"""What is read of one run."""

import json

import pytest

from ser.report.runs.finding import find_runs
from ser.report.runs.options import options_of
from ser.report.runs.reading import read_run
from tests.made_up.runs import make_run


def read(folder):
    """The only run in a folder."""
    (place,) = find_runs([folder])[0]
    return read_run(place)


def test_a_run_before_its_first_epoch(tmp_path):
    folder = make_run(tmp_path / "a", state="unfinished")
    (folder / "metrics.csv").unlink()
    run = read(folder)
    assert (run.state, run.kind, run.curves, run.epochs, run.best_epoch, run.validation) == (
        *("unfinished", "fit", None, None, None, {}),
    )
    assert run.origin["digest of the corpus"] == "c0ffee"
    assert run.origin["version of torch"] == "2.11.0"


@pytest.mark.parametrize(
    ("corpus", "named"),
    [
        ({"class_path": "ser.data.IEMOCAP"}, "iemocap"),
        ({"class_path": "ser.data.Manifest", "init_args": {"csv": "/data/mine.csv"}}, "mine"),
        ({"class_path": "ser.data.Manifest", "init_args": {"csv": "/data/mine.csv", "name": "ours"}}, "ours"),
    ],
)
def test_the_corpus_of_an_unfinished_run_is_that_of_its_configuration(tmp_path, corpus, named):
    folder = make_run(tmp_path / "a", state="unfinished")
    (folder / "config.yaml").write_text(
        json.dumps({"data": {"corpus": corpus, "protocol": "wu2019", "test_halves": "MF"}})
    )
    run = read(folder)
    assert (run.corpus, run.protocol) == (named, "wu2019 MF")


def test_a_result_without_a_training_is_a_test(tmp_path):
    folder = make_run(tmp_path / "a", epochs=3)
    (folder / "metrics.csv").unlink()
    assert read(folder).kind == "fit"
    about = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**about, "epochs": None}))
    assert read(folder).kind == "test"


def test_a_trials_point_is_used_where_a_fold_has_no_configuration(tmp_path):
    fold = make_run(tmp_path / "trials" / "0a" / "seed1-fold01", state="unfinished")
    (fold.parent / "parameters.json").write_text('{"model.dropout": 0.25, "model.class_path": "ser.systems.CNNLSTM"}')
    assert options_of(read(fold))["model.dropout"] == "0.5"
    (fold / "config.yaml").unlink()
    run = read(fold)
    assert (run.system, options_of(run)["model.dropout"]) == ("CNNLSTM", "0.25")


@pytest.mark.parametrize("content", ["[", "- 1\n", "\x00", "a: &a {b: *a}", ""])
def test_damaged_configurations(tmp_path, content):
    folder = make_run(tmp_path / "a")
    (folder / "config.yaml").write_text(content)
    (problem,) = read(folder).problems
    assert problem.startswith("config.yaml: not a configuration")


@pytest.mark.parametrize(
    "content",
    ["", "epoch\n1\n", "epoch,train/loss,val/wa\n1,2,x\n", "epoch,train/loss,val/wa\ninf,1,1\n", "\ufeff\x00,"],
)
def test_damaged_curves(tmp_path, content):
    folder = make_run(tmp_path / "a")
    (folder / "metrics.csv").write_text(content)
    run = read(folder)
    (problem,) = run.problems
    assert problem.startswith("metrics.csv: not the scores of epochs")
    assert run.test["wa"] > 0, "the rest is read"


def test_an_identity_of_another_program(tmp_path):
    folder = make_run(tmp_path / "a", state="unfinished")
    (folder / "identity.json").write_text("{}")
    assert read(folder).problems == ["identity.json: not written by this program"]


def test_a_matrix_that_does_not_fit_its_emotions_is_not_shown(tmp_path):
    validation = {"wa": 0.5, "ua": 0.5, "recall": {"a": 0.5, "b": 0.5}, "confusion": [[1, 1], [1]]}
    assert read(make_run(tmp_path / "a", tested=False, validation=validation)).matrix is None
    validation["confusion"] = [[1, 1], [1, 1]]
    run = read(make_run(tmp_path / "b", tested=False, validation=validation))
    assert run.matrix == ("validation", ["a", "b"], [[1, 1], [1, 1]])


def test_values_that_are_no_json_and_scores_that_are_no_numbers(tmp_path):
    folder = make_run(tmp_path / "a", state="unfinished")
    (folder / "config.yaml").write_text("a: &a [*a]\nb: {1: 2020-01-01}\nmodel: {class_path: null}\n")
    (folder / "metrics.csv").write_text("epoch,train/loss,val/wa\n1,inf,inf\n2,nan,0.5\n")
    run = read(folder)
    assert not run.problems
    assert (run.system, options_of(run)["a"], options_of(run)["b.1"]) == ("", "[[[[[[[...]]]]]]]", '"2020-01-01"')
    assert (run.validation, run.best_epoch, run.epochs) == ({"wa": 0.5}, 2, 2)
