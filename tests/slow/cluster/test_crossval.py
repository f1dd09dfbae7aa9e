"""A cross-validation on a cluster whose jobs are killed, pre-empted and moved equals the one of a single machine."""

import json
import os
import shlex
import signal

import pytest

from tests.conftest import CONF, SMALL_CAPSULES
from tests.process import Command
from tests.slow.cluster.launches import disturb, launch, runs_in_queue, runs_of, submitted

TABLES = ("predictions.csv", "validation.csv")
EPOCHS = 12  # so that a training can be disturbed after its first epoch


@pytest.fixture(scope="session")
def options(least):
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", *least, "--data.test_halves", "MMFFM", *SMALL_CAPSULES]
    return [*words, "--trainer.max_epochs", EPOCHS]


@pytest.fixture(scope="session")
def reference(options, made_once):
    """The folder of the same cross-validation, two trainings at once on this machine."""

    def make(place):
        ended = Command([*options, "--jobs", 2, "--out", place / "run"], place / "log").wait()
        assert ended.code == 0, ended.err

    return made_once("undisturbed by a cluster", make) / "run"


def check_equal(folder, reference):
    """Bit for bit: pooled tables, the tables and curves of every run, and the result but for the command."""
    runs = sorted(path.parent.relative_to(reference) for path in reference.glob("*/result.json"))
    assert len(runs) == 5
    names = [run / name for run in runs for name in (*TABLES, "metrics.csv")]
    for name in [*TABLES, *names]:
        assert (folder / name).read_bytes() == (reference / name).read_bytes(), name
    found, expected = (json.loads((place / "result.json").read_text()) for place in (folder, reference))
    assert found.pop("command") != expected.pop("command")
    assert found == expected


def test_lines_in_an_array(cluster, ser, options, reference, tmp_path):
    """Of five lines on three nodes, one is killed, one pre-empted, and the node of one set down."""
    folder = tmp_path / "run"
    planned = ser(*options, "--plan", "--out", folder)
    assert planned.code == 0, planned.err
    (words,) = [line.split(maxsplit=1)[1] for line in planned.out.splitlines() if line.startswith("  sbatch ")]
    array = cluster.submit(*shlex.split(words), cwd=tmp_path)
    runs = runs_of((folder / "jobs.txt").read_text().splitlines())
    disturb(cluster, {f"{array}_{fold}": runs[fold - 1] for fold in (1, 2, 3)}, tmp_path)
    cluster.until(lambda: not cluster.queue(), 300)
    again = ser(*options, "--plan", "--out", folder)
    assert "1 (4 finished before)" in again.out
    (words,) = [line.split(maxsplit=1)[1] for line in again.out.splitlines() if line.startswith("  sbatch ")]
    assert words.startswith("--array=1 ")
    cluster.submit(*shlex.split(words), cwd=tmp_path)
    cluster.until(lambda: not cluster.queue(), 300)
    assert ser(*options, "--plan", "--out", folder).code == 0
    check_equal(folder, reference)
    for fold in (1, 2, 3):
        assert any("continues" in path.read_text() for path in tmp_path.glob(f"slurm-*_{fold}.out")), fold


def test_jobs_of_launchers(cluster, options, reference, tmp_path):
    """Five jobs on three nodes. The first launcher is interrupted while they run; the second watches the same jobs, of
    which one is killed, one pre-empted after SIGUSR1, and the node of one set down; the third repeats the killed one.
    """
    folder, resources = tmp_path / "run", tmp_path / "slurm.yaml"
    resources.write_text("time: 1h\npartition: grace\nparallel: 5\n")
    words = [*options, "--submit", resources, "--out", folder]

    interrupted = launch(cluster, words, tmp_path / "interrupted")
    interrupted.until(lambda: interrupted.log.read_text().count(": running on ") == 3, 60)
    os.kill(interrupted.pid, signal.SIGINT)
    first = interrupted.wait(20)
    assert first.code == 130
    numbers = dict(submitted(first.out))
    assert list(numbers) == [f"fold {fold}" for fold in range(1, 6)]
    (array,) = {number.partition("_")[0] for number in numbers.values()}
    assert f"to end them: scancel {array}\n" in first.err
    assert shlex.join(["ser", *map(str, words)]) in first.err
    assert len(cluster.queue()) > 2

    watching = launch(cluster, words, tmp_path / "watching")
    watching.until(lambda: watching.log.read_text().count(": running on ") == 3, 60)
    runs = runs_in_queue(folder)
    disturb(cluster, {numbers[f"fold {fold}"]: runs[numbers[f"fold {fold}"]] for fold in (1, 2, 3)}, tmp_path)
    second = watching.wait(300)
    assert second.code == 1
    assert submitted(second.out) == []
    assert f"failed: fold 1\n  no result (job {array}_0 failed on n" in second.err
    assert second.err.count("failed: ") == 1
    assert "Caught signal SIGUSR1" in (folder / "slurm" / f"{array}_1_0_log.err").read_text()

    third = launch(cluster, words, tmp_path / "last").wait(120)
    assert third.code == 0, third.err
    assert [title for title, _ in submitted(third.out)] == ["fold 1"]
    check_equal(folder, reference)
    for fold in (1, 2, 3):
        assert "continues" in (folder / f"seed1-fold0{fold}.log").read_text(), fold
