"""Workers as real processes: killed, interrupted, orphaned by a killed launcher, racing for a row."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState

import ser.sweep.workers.worker
from ser.commands import main
from ser.processes.forked import Starter
from ser.processes.jobs import Job, only_one
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import PLANNED, SharedStudy
from ser.sweep.study.storage import open_storage
from ser.sweep.workers.trial import run_options, run_training
from ser.sweep.workers.worker import Worker
from tests.conftest import CONF
from tests.made_up.rows import CountedTrial
from tests.made_up.studies import check_complete, processes_of, stored
from tests.process import Command

PATIENCE_SECONDS = 300  # on a busy machine


def wait_until_ended(session: int) -> None:
    """Wait until workers, their trainings and the processes that forked them have ended."""
    for _ in range(PATIENCE_SECONDS * 10):
        if not (left := processes_of(session)):
            return
        time.sleep(0.1)
    raise TimeoutError(left)


def start(config: Path, folder: Path) -> Command:
    """Start a study in its own process group, as a terminal does."""
    words = ["sweep", "--config", config, "--out", folder, "--workers", 1]
    return Command(words, folder.with_suffix(".out"), folder.with_suffix(".err"), own_group=True)


def folds_of(folder: Path) -> dict[Path, int]:
    """Files of the finished folds with their modification times."""
    finished = [path.parent for path in folder.glob("trials/*/*/result.json")]
    return {path: path.stat().st_mtime_ns for fold in finished for path in fold.rglob("*")}


def test_twelve_workers_are_killed_and_nothing_is_lost(tmp_path):
    """A short run of the benchmark; the results are counted again in the files of the two studies."""
    words = ["--trials", 24, "--kills", 12, "--workers", 4, "--folder", tmp_path / "kills"]
    command = [sys.executable, "-m", "benchmarks.sweep_kills", *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, **pipes, cwd=CONF.parent, start_new_session=True)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    study = tmp_path / "kills" / "study.yaml"
    disturbed, undisturbed = (stored(study, tmp_path / "kills" / name) for name in ("disturbed", "undisturbed"))
    assert len(disturbed.plan.points) == 24
    assert check_complete(disturbed) == check_complete(undisturbed)
    assert len(disturbed.optuna.get_trials()) > 24  # trials were killed and repeated
    wait_until_ended(process.pid)


def test_a_killed_launcher_an_interrupted_one_and_the_same_command_again(write_study, tmp_path):
    """Two trials of two folds: SIGKILL after the first fold, Ctrl-C in the second, then a run to the end."""
    config, folder = write_study(folds=[1, 2]), tmp_path / "study"
    killed = start(config, folder)
    killed.until(lambda: folds_of(folder))
    killed.kill()
    wait_until_ended(killed.pid)
    first = folds_of(folder)
    running = [row for row in stored(config, folder).optuna.get_trials() if row.state == TrialState.RUNNING]
    assert not running

    interrupted = start(config, folder)
    interrupted.until(lambda: len(folds_of(folder)) > len(first))
    os.killpg(interrupted.pid, signal.SIGINT)  # a terminal signals all processes at once
    ended = interrupted.wait(PATIENCE_SECONDS)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    wait_until_ended(interrupted.pid)
    shared = stored(config, folder)
    states = [row.state for row in shared.optuna.get_trials()]
    assert TrialState.RUNNING not in states
    assert all("interrupted" in row.user_attrs for row in shared.optuna.get_trials() if row.state == TrialState.FAIL)

    last = start(config, folder)
    ended = last.wait(PATIENCE_SECONDS)
    assert ended.code == 0, ended.err
    assert "best of 2 trials" in ended.out
    assert "  warning         fold" in ended.out
    check_complete(stored(config, folder))
    kept = folds_of(folder)
    assert {path: kept[path] for path in first} == first  # a retried trial keeps its finished folds
    assert not processes_of(last.pid)


def test_a_training_that_always_fails_is_given_up_and_the_others_go_on(write_study, tmp_path):
    fails = "[{class_path: lightning.pytorch.callbacks.BackboneFinetuning}]"  # the system has no `backbone`
    config = write_study(space={"trainer.callbacks": {"categorical": ["null", fails]}})
    process = start(config, tmp_path / "study")
    ended = process.wait(PATIENCE_SECONDS)
    assert ended.code == 1
    assert "callbacks null: validation WA" in ended.out
    assert "given up: trial 1 after 3 tries" in ended.err
    assert "has no attribute 'backbone'" in ended.err  # the cause, from the training's log
    assert "Traceback (most recent call last)" not in ended.err
    shared = stored(config, tmp_path / "study")
    assert sorted(shared.results()) == [0]
    assert list(shared.given_up()) == [1]
    assert not processes_of(process.pid)


@pytest.fixture
def one_training(write_study):
    """Options of a training of one fold."""
    plan = read_plan(write_study())
    return ["validated", *run_options(plan, plan.points[0]), "--data.fold", "1"]


def test_a_forked_training_is_that_of_a_process_of_its_own(one_training, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Starter(main, ()) as starter, only_one(tmp_path) as lock:
        options = {"forked": ["--out", str(tmp_path / "forked")], "refused": ["--data.fold", "77"]}
        options["refused"] += ["--out", str(tmp_path / "refused")]
        jobs = [Job(name, [], [*one_training, *words], tmp_path / f"{name}.log") for name, words in options.items()]
        assert [run_training(starter, job, lock) for job in jobs] == [0, 2]
    assert "ser: " in (tmp_path / "refused.log").read_text()
    command = [sys.executable, "-m", "ser", *one_training, "--out", str(tmp_path / "fresh")]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("validation.csv", "metrics.csv"):
        assert (tmp_path / "forked" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    configs = [yaml.safe_load((tmp_path / name / "config.yaml").read_text()) for name in ("forked", "fresh")]
    assert configs[0] == configs[1]
    assert "This run:" in (tmp_path / "forked.log").read_text()


def test_a_study_never_writes_a_test_prediction(write_study, tmp_path):
    config = write_study(space={"model.gru_units": {"categorical": [4]}}, config=[str(CONF / "cnn_gru.yaml")])
    ended = start(config, tmp_path / "study").wait(PATIENCE_SECONDS)
    assert ended.code == 0, ended.err
    names = {path.name for path in (tmp_path / "study").rglob("*")}
    assert "validation.csv" in names
    assert "predictions.csv" not in names


def take_trials(path: Path, worker: int, start: float) -> None:
    """A worker in its own process; the value of each trial is the dropout that was drawn for it."""
    ser.sweep.workers.worker.Trial = CountedTrial
    CountedTrial.values = staticmethod(lambda point: [point["model.dropout"]])
    plan = read_plan(path)
    shared = SharedStudy.load(plan, open_storage(f"sqlite:///{path.parent / 'study.db'}", 20), worker)
    while time.time() < start:
        pass  # so that all begin at the same moment
    Worker(shared, path.parent, starter=None).work()


def test_workers_that_ask_at_once_never_take_the_same_row(make_shared, tmp_path):
    """Under TPE, two workers in one row would draw different points, and one's value would get the other's point."""
    shared = make_shared(sampler="tpe", trials=20, space={"model.dropout": {"float": [0, 1]}})
    processes, start = multiprocessing.get_context("fork"), time.time() + 3
    workers = [processes.Process(target=take_trials, args=(tmp_path / "study.yaml", k, start)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert sorted(shared.results()) == list(range(20))
    complete = [row.user_attrs[PLANNED] for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert sorted(complete) == list(range(20))
    for row in shared.results().values():
        assert row.value == row.params["model.dropout"]
