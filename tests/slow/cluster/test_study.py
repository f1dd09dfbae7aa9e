"""Studies whose trials are jobs of a cluster equal those of a single machine; launchers are killed, jobs disturbed."""

import shlex

import pandas as pd
import pytest
from optuna.trial import TrialState

from tests.made_up.studies import check_complete, stored
from tests.process import Command
from tests.slow.cluster.launches import disturb, launch, look_often, runs_in_queue, submitted

TABLES = ("trials.csv", "best.yaml")
ABOUT_TRIES = ["seconds", "worker", "tries", "error", "row"]


@pytest.fixture
def resources(tmp_path):
    """Write the file of `--submit`; the partition's jobs are ended at once by those of `high`."""

    def write(**changes):
        path = tmp_path / "slurm.yaml"
        keys = {"time": "30m", "partition": "main", **changes}
        path.write_text("".join(f"{name}: {value}\n" for name, value in keys.items()))
        return path

    return write


def test_twelve_trials(cluster, ser, write_study, resources, tmp_path):
    """Three are lines of an array; the others are jobs of a launcher, which repeats the one that is killed.

    Trials 0, 4 and 8 have epochs enough to be disturbed.
    """
    space = {"model.gru_units": {"int": [4, 6]}, "trainer.max_epochs": {"categorical": [30, 1, 2, 3]}}
    words = ["sweep", "--config", write_study(space=space)]
    folder, reference = tmp_path / "study", tmp_path / "reference"
    planned = ser(*words, "--plan", "--out", folder)
    assert planned.code == 0, planned.err
    (array,) = [line.split(maxsplit=1)[1] for line in planned.out.splitlines() if line.startswith("  sbatch ")]
    assert array.startswith("--array=1-12 ")
    cluster.submit(*shlex.split(array.replace("1-12", "10-12", 1)), cwd=tmp_path)
    here = Command([*words, "--workers", 2, "--out", reference], tmp_path / "here", prepare=look_often).wait(600)
    assert here.code == 0, here.err
    cluster.until(lambda: not cluster.queue(), 300)
    again = ser(*words, "--plan", "--out", folder)
    assert again.code == 0, again.err
    assert "--array=1-9 " in again.out

    launcher = launch(cluster, [*words, "--submit", resources(), "--out", folder], tmp_path / "log")
    launcher.until((folder / "slurm" / "jobs.json").exists, 60)
    runs = runs_in_queue(folder)
    disturbed = dict(list(runs.items())[::4])
    disturb(cluster, disturbed, tmp_path)
    ended = launcher.wait(600)
    assert ended.code == 0, ended.err
    titles = [title for title, _ in submitted(ended.out)]
    assert titles == [f"trial {trial}, fold 1" for trial in (*range(9), 0)]
    shared = stored(words[-1], folder)
    assert len(check_complete(shared)) == 12
    (failed,) = [row for row in shared.optuna.get_trials() if row.state == TrialState.FAIL]
    assert failed.user_attrs["planned"] == 0
    (killed, *_) = disturbed
    assert f"trial 0, fold 1: no result (job {killed} failed on n" in failed.user_attrs["error"]
    for run in disturbed.values():
        assert "continues" in run.with_suffix(".log").read_text(), run
    check_equal(folder, reference)
    for name in TABLES:
        (folder / name).unlink()
    assert ser(*words, "--plan", "--out", folder).code == 0
    check_equal(folder, reference)


def check_equal(folder, reference):
    """Bit for bit, but for the columns about tries: the study's tables, and the tables and curves of every trial."""
    tables = [pd.read_csv(place / "trials.csv", dtype=str) for place in (folder, reference)]
    pd.testing.assert_frame_equal(*(table.drop(columns=ABOUT_TRIES) for table in tables))
    runs = sorted(path.parent.relative_to(reference) for path in reference.glob("trials/*/*/result.json"))
    assert len(runs) == len(tables[0])
    for path in ["best.yaml", *(run / name for run in runs for name in ("validation.csv", "metrics.csv"))]:
        assert (folder / path).read_bytes() == (reference / path).read_bytes(), path


def test_a_killed_launcher_of_a_sampler_that_learns(cluster, write_study, resources, tmp_path):
    """The next launcher watches the jobs of the first: no row is failed, and no training is submitted twice."""
    space = {"model.dropout": {"float": [0.1, 0.9]}}
    config, folder = write_study(sampler="tpe", trials=3, space=space), tmp_path / "study"
    words = ["sweep", "--config", config, "--submit", resources(parallel=2), "--out", folder]
    killed = launch(cluster, words, tmp_path / "killed")
    killed.until(lambda: list(folder.glob("trials/*/*/metrics.csv")), 120)
    killed.kill()
    assert cluster.queue()
    states = [row.state for row in stored(config, folder).optuna.get_trials()]
    assert states.count(TrialState.RUNNING) >= 1
    again = launch(cluster, words, tmp_path / "again").wait(300)
    assert again.code == 0, again.err
    shared = stored(config, folder)
    assert [row.state for row in shared.optuna.get_trials()] == [TrialState.COMPLETE] * 3
    assert sorted(shared.results()) == list(range(3))
    titles = [title for title, _ in submitted(killed.log.read_text(), again.out)]
    assert sorted(titles) == [f"trial {trial}, fold 1" for trial in range(3)]
