"""A study of lambda on saved posteriors: its best is that of the curve, and the runs are not changed."""

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


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A cross-validation of both directions, with its configuration."""
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
    """The study remembers them; a study that lacks folds is refused without writing anything."""
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


def test_what_such_a_study_cannot_use_is_refused(ser, runs, tmp_path):
    out = tmp_path / "study"
    text = SWEEP.read_text()
    both, missing, pruned, guessed = (tmp_path / f"{name}.yaml" for name in ("both", "missing", "pruned", "guessed"))
    guessed.write_text(text.replace("sampler: exhaustive", "sampler: tpe\ntrials: 5"))
    pruned.write_text(text + "pruner: median\n")
    both.write_text(text.replace("folds: 1-5", "folds: 1-10"))
    missing.write_text(text.replace("folds: 1-5", "folds: 11"))
    single = make_result(tmp_path / "seqcap", "CNNSeqCap")
    (single / "config.yaml").write_text(yaml.safe_dump(run_config("ser.systems.CNNSeqCap", {})))
    config = ["sweep", "--out", out, "--config"]
    for words, cause in [
        ([*config, both, "--runs", runs], "of one direction: --folds 1,2,3,4,5 or 6,7,8,9,10"),
        ([*config, SWEEP, "--runs", runs, "--folds", "two"], "--folds is 'two', but must be numbers like"),
        ([*config, SWEEP.with_name("joint.yaml"), "--folds", "1-2"], "trains its own runs; set folds in "),
        ([*config, missing, "--runs", runs], "has no fold 11"),
        ([*config, pruned, "--runs", runs], "pruner has no effect"),
        ([*config, guessed, "--runs", runs], "use exhaustive or random"),
        ([*config, SWEEP, "--runs", single], "CNNSeqCap has no lambda"),
        ([*config, SWEEP, "--runs", tmp_path], "not a result"),
        ([*config, SWEEP], "--runs FOLDER"),
        ([*config, SWEEP, "--runs", runs, "--workers", 2], "trains nothing"),
        ([*config, SWEEP, "--runs", runs, "--trainer.max_epochs", 2], "trains nothing"),
        ([*config, SWEEP.with_name("routing.yaml"), "--runs", runs], "trains its own runs"),
    ]:
        done = ser(*words)
        assert done.code == 2, done.out
        assert cause in done.err
        assert not out.exists()


def test_a_study_of_other_posteriors_is_another_study(ser, runs, tmp_path):
    out, other = tmp_path / "study", make_result(tmp_path / "gru_seqcap", "CNNGRUSeqCap", skill=1.4)
    (other / "config.yaml").write_text((runs / "config.yaml").read_text())
    assert ser("sweep", "--config", SWEEP, "--runs", runs, "--out", out).code == 0
    done = ser("sweep", "--config", SWEEP, "--runs", other, "--out", out)
    assert done.code == 2
    assert "validation.csv" in done.err
