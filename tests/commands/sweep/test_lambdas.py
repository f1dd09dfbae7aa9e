"""A study of lambda on saved posteriors: its best lambda is that of the curve, and the runs are not changed."""

import time

import pandas as pd
import pytest
import yaml

from ser.files import digest
from ser.results.lambda_curve import LAMBDAS, apply, best_of, curve
from ser.results.pooled import pooled_scores
from tests.conftest import CONF
from tests.made_up.joint_study import run_config
from tests.made_up.results import make_result

SWEEP = CONF.parent / "sweeps" / "lambda.yaml"
PASSWORD = "Planted-7f3a"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a cross-validation in both directions, with its configuration."""
    folder = make_result(tmp_path_factory.mktemp("saved") / "gru_seqcap", "CNNGRUSeqCap", skill=1.2)
    config = run_config("ser.systems.CNNGRUSeqCap", {"lambda_": 0.6}, tracked=False)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def digests(folder):
    return {path: digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_best_is_the_best_of_the_curve_and_nothing_of_the_runs_is_touched(ser, runs, tmp_path):
    before, out = digests(runs), tmp_path / "study"
    begun = time.process_time()
    done = ser("sweep", "--config", SWEEP, "--runs", runs, "--out", out)
    seconds = time.process_time() - begun  # CPU time of this process: the machine can be busy
    assert done.code == 0, done.err
    assert seconds < 10
    assert digests(runs) == before
    trials = pd.read_csv(out / "trials.csv")
    validation = pd.read_csv(runs / "validation.csv", dtype={"session": str, "speaker": str})
    validation = validation[validation.fold <= 5]
    expected = curve(validation, draws=0)
    assert trials["model.lambda_"].tolist() == LAMBDAS.tolist()
    assert set(trials.state) == {"complete"}
    assert trials[["wa", "ua"]].to_numpy() == pytest.approx(expected[["wa", "ua"]].to_numpy(), abs=1e-12)
    best = yaml.safe_load((out / "best.yaml").read_text())
    assert best["model"]["init_args"]["lambda_"] == best_of(validation)["lambda_"]
    assert best["folds"] == [1, 2, 3, 4, 5]
    assert "fold" not in best["data"]
    again = ser("sweep", "--config", SWEEP, "--runs", runs, "--out", out)
    assert again.code == 0
    assert pd.read_csv(out / "trials.csv").equals(trials)


def test_the_report_shows_validation_and_test_of_the_same_folds(ser, runs, tmp_path):
    out = tmp_path / "study"
    assert ser("sweep", "--config", SWEEP, "--runs", runs, "--out", out).code == 0
    before = digests(runs)
    words = ["sweep", "report", SWEEP, "--runs", runs, "--study", out, "--out", tmp_path / "report"]
    done = ser(*words)
    assert done.code == 0, done.err
    assert digests(runs) == before
    claim = pd.read_csv(tmp_path / "report" / "claim.csv").set_index("set")
    tested = pd.read_csv(runs / "predictions.csv", dtype={"session": str, "speaker": str})
    lambda_ = yaml.safe_load((out / "best.yaml").read_text())["model"]["init_args"]["lambda_"]
    scores = pooled_scores(apply(tested[tested.fold <= 5], lambda_))
    assert claim.loc["test", "WA %"] == pytest.approx(100 * scores["wa"], abs=1e-3)
    assert claim.loc["test", "UA %"] == pytest.approx(100 * scores["ua"], abs=1e-3)
    assert "101 trials" in done.out
    assert "101 trials" in (tmp_path / "report" / "report.md").read_text()
    left_out = ser(*words, "--no-test")
    assert left_out.code == 0
    assert not (tmp_path / "report" / "claim.csv").exists()
    assert "test set was not used (--no-test)" in (tmp_path / "report" / "report.md").read_text()


def test_the_folds_of_a_partial_cross_validation_are_named(ser, runs, tmp_path):
    """The study stores them; a study whose folds are missing is refused without writing anything."""
    out, part = tmp_path / "study", make_result(tmp_path / "part", "CNNGRUSeqCap", skill=1.2, folds=[2, 3])
    (part / "config.yaml").write_text((runs / "config.yaml").read_text())
    words = ["--config", SWEEP, "--runs", part, "--out", out]
    refused = ser("sweep", *words)
    assert refused.code == 2
    assert "has no fold 1, only 2,3; name its folds: --folds 2,3" in refused.err
    assert not out.exists()
    done = ser("sweep", *words, "--folds", "2,3")
    assert done.code == 0, done.err
    assert f"101 lambdas, validation utterances of folds 2, 3 of {part}" in done.out
    best = yaml.safe_load((out / "best.yaml").read_text())
    validation = pd.read_csv(part / "validation.csv", dtype={"session": str, "speaker": str})
    assert best["folds"] == sorted(set(validation.fold)) == [2, 3]
    assert best["model"]["init_args"]["lambda_"] == best_of(validation)["lambda_"]
    begun = [SWEEP, "--runs", part, "--study", out]
    assert "101 of 101 trials settled" in ser("sweep", "status", *begun).out
    report = ser("sweep", "report", *begun, "--out", tmp_path / "report")
    assert report.code == 0, report.err
    assert "Both are of folds 2, 3 only." in report.out
    assert "folds: [2, 3] there, [2] here" in ser("sweep", "report", *begun, "--folds", "2").err
    three = make_result(tmp_path / "three", "CNNGRUSeqCap", folds=[2, 3, 7])
    refused = ser("sweep", "--config", SWEEP, "--runs", three, "--folds", "2,3,7", "--out", tmp_path / "other")
    assert "take folds of one direction: --folds 2,3 or 7" in refused.err


JOINT, ROUTING = SWEEP.with_name("joint.yaml"), SWEEP.with_name("routing.yaml")
REFUSALS = [
    (["both.yaml", "--runs", "RUNS"], ["of one direction: --folds 1,2,3,4,5 or 6,7,8,9,10"]),
    (["missing.yaml", "--runs", "RUNS"], ["has no fold 11"]),
    (["pruned.yaml", "--runs", "RUNS"], ["pruner has no effect"]),
    (["guessed.yaml", "--runs", "RUNS"], ["use exhaustive or random"]),
    ([SWEEP, "--runs", "RUNS", "--folds", "two"], ["--folds is 'two'"]),
    ([SWEEP, "--runs", "seqcap"], ["CNNSeqCap has no lambda"]),
    ([SWEEP, "--runs", "."], ["not a result"]),
    ([SWEEP], ["--runs FOLDER"]),
    ([SWEEP, "--runs", "RUNS", "--workers", 2], ["trains nothing"]),
    ([SWEEP, "--runs", "RUNS", "--trainer.max_epochs", 2], ["trains nothing"]),
    ([JOINT, "--folds", "1-2"], ["trains its own runs; set folds in "]),
    ([ROUTING, "--runs", "RUNS"], ["trains its own runs"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_what_such_a_study_cannot_use_is_refused(refused, runs, tmp_path, words, parts):
    text = SWEEP.read_text()
    files = {
        "guessed.yaml": text.replace("sampler: exhaustive", "sampler: tpe\ntrials: 5"),
        "pruned.yaml": text + "pruner: median\n",
        "both.yaml": text.replace("folds: 1-5", "folds: 1-10"),
        "missing.yaml": text.replace("folds: 1-5", "folds: 11"),
    }
    if "seqcap" in words:
        single = make_result(tmp_path / "seqcap", "CNNSeqCap")
        (single / "config.yaml").write_text(yaml.safe_dump(run_config("ser.systems.CNNSeqCap", {})))
    words = [runs if word == "RUNS" else word for word in words]
    refused(["sweep", "--out", "study", "--config", *words], parts, files)


def test_a_study_of_other_posteriors_is_another_study(ser, runs, tmp_path):
    out, other = tmp_path / "study", make_result(tmp_path / "gru_seqcap", "CNNGRUSeqCap", skill=1.4)
    (other / "config.yaml").write_text((runs / "config.yaml").read_text())
    assert ser("sweep", "--config", SWEEP, "--runs", runs, "--out", out).code == 0
    done = ser("sweep", "--config", SWEEP, "--runs", other, "--out", out)
    assert done.code == 2
    assert "validation.csv" in done.err


@pytest.mark.filterwarnings("ignore:Query string argument")  # SQLite has no passwords, but the address can contain one
def test_a_password_stands_in_no_file_of_a_study(ser, tmp_path, monkeypatch):
    """Neither in its output nor in the record of W&B, which contains command lines."""
    runs = make_result(tmp_path / "runs", "CNNGRUSeqCap", skill=1.2)
    config = run_config("ser.systems.CNNGRUSeqCap", {"lambda_": 0.6}, tracked=True)
    (runs / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    out, report = tmp_path / "study", tmp_path / "report"
    given = ["--runs", runs, "--storage", f"sqlite:///{tmp_path / 'study.db'}?password={PASSWORD}"]
    done = ser("sweep", "--config", SWEEP, *given, "--out", out)
    assert done.code == 0, done.err
    reported = ser("sweep", "report", SWEEP, *given, "--study", out, "--out", report)
    assert reported.code == 0, reported.err
    assert PASSWORD not in done.out + done.err + reported.out + reported.err
    files = [path for folder in (out, report) for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    assert "password=***" in (report / "report.md").read_text()
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
