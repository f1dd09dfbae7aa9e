"""Studies whose trials are jobs of a cluster equal those of a single machine; launchers are killed, jobs disturbed."""

import shlex

import pandas as pd
import pytest
from optuna.trial import TrialState

from tests.made_up.studies import check_complete, stored
from tests.process import Command
from tests.slow.cluster.launches import disturb, launch, runs_in_queue, submitted

HERE = ["seconds", "worker"]  # columns of trials.csv that say who ran a trial
TRIES = ["tries", "error", "row"]  # those that say how often


@pytest.fixture
def resources(tmp_path):
    """Write the file of `--submit`; the partition's jobs are ended at once by those of `high`."""

    def write(**changes):
        path = tmp_path / "slurm.yaml"
        keys = {"time": "30m", "partition": "main", **changes}
        path.write_text("".join(f"{name}: {value}\n" for name, value in keys.items()))
        return path

    return write


def on_this_machine(config, folder):
    ended = Command(["sweep", "--config", config, "--workers", 2, "--out", folder], folder.with_suffix(".log")).wait(
        600
    )
    assert ended.code == 0, ended.err
    return folder


def check_equal(folder, reference, without):
    tables = [pd.read_csv(place / "trials.csv", dtype=str) for place in (folder, reference)]
    left, right = (table.drop(columns=without) for table in tables)
    pd.testing.assert_frame_equal(left, right)
    assert (folder / "best.yaml").read_bytes() == (reference / "best.yaml").read_bytes()
    runs = sorted(path.relative_to(reference) for path in reference.glob("trials/*/*/metrics.csv"))
    assert len(runs) >= len(left)
    for path in [*runs, *(run.with_name("validation.csv") for run in runs)]:
        assert (folder / path).read_bytes() == (reference / path).read_bytes(), path


def test_twelve_trials_by_a_launcher(cluster, write_study, resources, tmp_path):
    """Trials 0, 4 and 8 have epochs enough to be disturbed; the job that is killed is repeated by the launcher."""
    space = {"model.gru_units": {"int": [4, 6]}, "trainer.max_epochs": {"categorical": [30, 1, 2, 3]}}
    config, folder = write_study(space=space), tmp_path / "study"
    words = ["sweep", "--config", config, "--submit", resources(), "--out", folder]
    launcher = launch(cluster, words, tmp_path / "log")
    launcher.until((folder / "slurm" / "jobs.json").exists, 60)
    runs = runs_in_queue(folder)
    assert len(runs) == 12
    disturbed = dict(list(runs.items())[::4])
    disturb(cluster, disturbed, tmp_path)
    reference = on_this_machine(config, tmp_path / "reference")
    ended = launcher.wait(300)
    assert ended.code == 0, ended.err
    shared = stored(config, folder)
    assert len(check_complete(shared)) == 12
    (failed,) = [row for row in shared.optuna.get_trials() if row.state == TrialState.FAIL]
    assert failed.user_attrs["planned"] == 0
    (killed, *_) = disturbed
    assert f"trial 0, fold 1: no result (job {killed} failed on n" in failed.user_attrs["error"]
    titles = [title for title, _ in submitted(ended.out)]
    assert titles == [f"trial {trial}, fold 1" for trial in (*range(12), 0)]
    for run in disturbed.values():
        assert "continues" in run.with_suffix(".log").read_text(), run
    check_equal(folder, reference, HERE + TRIES)


def test_trials_as_lines_in_an_array(cluster, ser, write_study, tmp_path):
    """Two trials of two folds on three nodes."""
    config, folder = write_study(folds=[1, 2]), tmp_path / "study"
    planned = ser("sweep", "--config", config, "--plan", "--out", folder)
    assert planned.code == 0, planned.err
    (words,) = [line.split(maxsplit=1)[1] for line in planned.out.splitlines() if line.startswith("  sbatch ")]
    assert words.startswith("--array=1-4 ")
    cluster.submit(*shlex.split(words), cwd=tmp_path)
    reference = on_this_machine(config, tmp_path / "reference")
    cluster.until(lambda: not cluster.queue(), 300)
    pooled = ser("sweep", "--config", config, "--plan", "--out", folder)
    assert pooled.code == 0, pooled.err
    assert "best of 2 trials" in pooled.out
    check_complete(stored(config, folder))
    check_equal(folder, reference, HERE)


def test_a_killed_launcher_of_a_sampler_that_learns(cluster, write_study, resources, tmp_path):
    """The next launcher watches the jobs of the first: no row is failed, and no training is submitted twice."""
    space = {"model.dropout": {"float": [0.1, 0.9]}}
    config, folder = write_study(sampler="tpe", trials=4, space=space), tmp_path / "study"
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
    assert [row.state for row in shared.optuna.get_trials()] == [TrialState.COMPLETE] * 4
    assert sorted(shared.results()) == list(range(4))
    titles = [title for title, _ in submitted(killed.log.read_text(), again.out)]
    assert sorted(titles) == [f"trial {trial}, fold 1" for trial in range(4)]
