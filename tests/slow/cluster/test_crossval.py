"""A cross-validation on a cluster whose jobs are killed, pre-empted and moved equals the one of a single machine."""

import json
import shlex

import pytest

from tests.conftest import CONF, SMALL_CAPSULES
from tests.process import Command

TABLES = ("predictions.csv", "validation.csv")
EPOCHS = 12  # so that a training can be disturbed after its first epoch


@pytest.fixture(scope="session")
def options(least):
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", *least, "--data.test_halves", "MMFFM", *SMALL_CAPSULES]
    return [*words, "--trainer.max_epochs", EPOCHS]


@pytest.fixture(scope="session")
def reference(options, tmp_path_factory):
    """The folder of the same cross-validation, two trainings at once on this machine."""
    place = tmp_path_factory.mktemp("reference")
    ended = Command([*options, "--jobs", 2, "--out", place / "run"], place / "log").wait()
    assert ended.code == 0, ended.err
    return place / "run"


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
    (array,) = [line.split(maxsplit=1)[1] for line in planned.out.splitlines() if line.startswith("  sbatch ")]
    cluster.submit(*shlex.split(array), cwd=tmp_path)
    disturb(cluster, folder, tmp_path)
    cluster.until(lambda: not cluster.queue(), 300)
    again = ser(*options, "--plan", "--out", folder)
    assert "1 (4 finished before)" in again.out
    (array,) = [line.split(maxsplit=1)[1] for line in again.out.splitlines() if line.startswith("  sbatch ")]
    assert array.startswith("--array=1 ")
    cluster.submit(*shlex.split(array), cwd=tmp_path)
    cluster.until(lambda: not cluster.queue(), 300)
    assert ser(*options, "--plan", "--out", folder).code == 0
    check_equal(folder, reference)
    for fold in (1, 2, 3):
        assert any("continues" in path.read_text() for path in tmp_path.glob(f"slurm-*_{fold}.out")), fold


def disturb(cluster, folder, place):
    """After the first epoch of folds 1, 2 and 3: kill the first, pre-empt the second, set down the third's node."""

    def job_of(fold):
        (job,) = [job for job in cluster.queue() if job.name.endswith(f"_{fold}")]
        return job

    def kill(job):
        cluster.kill(job.id)

    def preempt(job):
        cluster.preempt(job.node, cwd=place)

    def set_down(job):
        cluster.set_down(job.node)

    left = {1: kill, 2: preempt, 3: set_down}
    while left:
        ready = cluster.until(
            lambda: [fold for fold in left if (folder / f"seed1-fold0{fold}" / "checkpoints" / "last.ckpt").exists()],
            120,
        )
        for fold in ready:
            job = job_of(fold)
            assert job.state == "RUNNING"
            left.pop(fold)(job)
            assert not (folder / f"seed1-fold0{fold}" / "result.json").exists()
