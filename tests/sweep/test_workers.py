"""Workers as real processes: killed, interrupted, left behind by a launcher that was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState

from ser.forked import Starter
from ser.jobs import only_one
from ser.sweep.launcher import given_up
from ser.sweep.plan import read_plan
from ser.sweep.trial import run_forked, run_options
from tests.conftest import CONF
from tests.sweep.conftest import check_complete, environment, processes_of, stored, sweep_command

PATIENCE_SECONDS = 300  # on a machine that has other work


def wait_for(condition, process: subprocess.Popen | None = None):
    """Wait until something is true; what it is."""
    for _ in range(PATIENCE_SECONDS * 10):
        if found := condition():
            return found
        assert process is None or process.poll() is None, "ended too early"
        time.sleep(0.1)
    raise TimeoutError(condition)


def start(config: Path, folder: Path, mark: str, workers: int = 1) -> subprocess.Popen:
    """Start a study in a group of processes of its own, as a terminal does."""
    return subprocess.Popen(
        sweep_command("--config", config, "--out", folder, "--workers", workers),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(mark),
        start_new_session=True,
    )


def folds_of(folder: Path) -> dict[Path, int]:
    """Files of the finished folds, and when they were written."""
    finished = [path.parent for path in folder.glob("trials/*/*/result.json")]
    return {path: path.stat().st_mtime_ns for fold in finished for path in fold.rglob("*")}


def test_twelve_workers_are_killed_and_nothing_is_lost(tmp_path):
    """The benchmark's short form; what it counted is counted again here, from the two files that it left."""
    words = ["--trials", 24, "--kills", 12, "--workers", 4, "--folder", tmp_path / "kills"]
    command = [sys.executable, "-m", "benchmarks.sweep_kills", *map(str, words)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=CONF.parent, env=environment("kills"))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    study = tmp_path / "kills" / "study.yaml"
    disturbed, undisturbed = (stored(study, tmp_path / "kills" / name) for name in ("disturbed", "undisturbed"))
    assert len(disturbed.plan.points) == 24
    assert check_complete(disturbed) == check_complete(undisturbed)
    assert len(disturbed.optuna.get_trials()) > 24  # the kills have hit trials
    wait_for(lambda: not processes_of("kills"))


def test_a_killed_launcher_an_interrupted_one_and_the_same_command_again(write_study, tmp_path):
    """Two trials of two folds: kill -9 after the first fold, Ctrl-C in the second, then to the end."""
    config, folder, mark = write_study(folds=[1, 2]), tmp_path / "study", f"launcher{os.getpid()}"
    killed = start(config, folder, mark)
    wait_for(lambda: folds_of(folder), killed)
    killed.kill()
    killed.communicate()
    wait_for(lambda: not processes_of(mark))  # workers, their trainings, and what those were forked from
    first = folds_of(folder)
    running = [row for row in stored(config, folder).optuna.get_trials() if row.state == TrialState.RUNNING]
    assert not running

    interrupted = start(config, folder, mark)
    wait_for(lambda: len(folds_of(folder)) > len(first), interrupted)
    os.killpg(interrupted.pid, signal.SIGINT)  # a terminal sends it to all of them at once
    _, errors = interrupted.communicate()
    assert interrupted.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: not processes_of(mark))
    shared = stored(config, folder)
    states = [row.state for row in shared.optuna.get_trials()]
    assert TrialState.RUNNING not in states
    assert all("interrupted" in row.user_attrs for row in shared.optuna.get_trials() if row.state == TrialState.FAIL)

    last = start(config, folder, mark)
    printed, errors = last.communicate()
    assert last.returncode == 0, errors
    assert "best of 2 trials" in printed
    check_complete(stored(config, folder))
    kept = folds_of(folder)
    assert {path: kept[path] for path in first} == first  # a retried trial keeps its finished folds
    assert not processes_of(mark)


def test_a_training_that_always_fails_is_given_up_and_the_others_go_on(write_study, tmp_path):
    config = write_study(space={"trainer.precision": {"categorical": ["32-true", "16-true"]}})
    process = start(config, tmp_path / "study", "failing")
    printed, errors = process.communicate()
    assert process.returncode == 1
    assert "precision 32-true: validation WA" in printed
    assert "given up: trial 1 after 3 tries" in errors
    assert "Half" in errors  # no CPU transforms such numbers: the cause, from the training's own log
    assert "Traceback (most recent call last)" not in errors
    shared = stored(config, tmp_path / "study")
    assert sorted(shared.results()) == [0]
    assert list(given_up(shared)) == [1]
    assert not processes_of("failing")


@pytest.fixture
def one_training(write_study):
    """Options of one fold's training."""
    plan = read_plan(write_study())
    return ["validated", *run_options(plan, plan.points[0]), "--data.fold", "1"]


def test_a_forked_training_is_that_of_a_process_of_its_own(one_training, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Starter() as starter, only_one(tmp_path) as lock:
        forked = [*one_training, "--out", str(tmp_path / "forked")]
        assert run_forked(starter, forked, tmp_path / "forked.log", lock) == 0
        refused = run_forked(starter, [*one_training, "--data.fold", "77"], tmp_path / "refused.log", lock)
    assert refused == 2
    assert "ser: " in (tmp_path / "refused.log").read_text()
    command = [sys.executable, "-m", "ser", *one_training, "--out", str(tmp_path / "fresh")]
    subprocess.run(command, check=True, capture_output=True, env=environment("fresh"))
    for name in ("validation.csv", "metrics.csv"):
        assert (tmp_path / "forked" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    configs = [yaml.safe_load((tmp_path / name / "config.yaml").read_text()) for name in ("forked", "fresh")]
    assert configs[0] == configs[1]
    assert "This run:" in (tmp_path / "forked.log").read_text()


def test_a_study_never_writes_a_test_prediction(write_study, tmp_path):
    config = write_study(space={"model.gru_units": {"categorical": [4]}}, config=[str(CONF / "cnn_gru.yaml")])
    process = start(config, tmp_path / "study", "validation")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    names = {path.name for path in (tmp_path / "study").rglob("*")}
    assert "validation.csv" in names
    assert "predictions.csv" not in names
