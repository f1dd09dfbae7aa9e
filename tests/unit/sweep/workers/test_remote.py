"""Trials whose trainings run elsewhere: what is listed, entered, begun, pruned and given up, without training."""

import json

import optuna
import pytest
import yaml
from optuna.trial import TrialState

from ser.errors import InputError
from ser.files import digest
from ser.processes.lines import Lines
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.storage import open_storage
from ser.sweep.workers.remote import RemoteTrials, check_remote
from tests.made_up.two_branches import table

RIGHT = [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 1, 1]]  # classes of five utterances


@pytest.fixture
def remote(tmp_path):
    """Open or reopen a study of two folds whose trainings run elsewhere."""

    def open_study(parallel=None, **changes):
        study = {"study": "rows", "config": ["none.yaml"], "space": {"model.gru_units": {"int": [1, 4]}}}
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump({**study, "sampler": "exhaustive", "folds": [1, 2], **changes}, sort_keys=False))
        storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}", None)
        return RemoteTrials(SharedStudy.create(read_plan(path), storage, {}), tmp_path, parallel)

    return open_study


def finish(tmp_path, job, wa=0.6):
    """Write the result of a job's training."""
    (name,) = job.runs
    folder = tmp_path / name
    folder.mkdir(parents=True)
    rows = table([0, 0, 0, 0, 1], *[[[1, 0, 0, 0]] * 5] * 2, speakers=[1, 2, 1, 2, 1]).drop(columns="seed")
    rows = rows.assign(fold=int(name[-2:]), utterance=rows.utterance + name[-2:])
    rows.to_csv(folder / "validation.csv", index=False)
    about = {"validation": {"wa": wa, "ua": wa}, "epoch": 1, "threads": 1}
    about["digests"] = {"validation.csv": digest(folder / "validation.csv")}
    (folder / "result.json").write_text(json.dumps(about))


def titles(jobs):
    return [job.title for job in jobs]


def test_a_trial_is_entered_when_its_last_training_is_finished(remote, tmp_path, capsys):
    trials = remote()
    jobs = trials.missing()
    assert titles(jobs) == [f"trial {trial}, fold {fold}" for trial in range(4) for fold in (1, 2)]
    assert titles(trials.jobs()) == titles(jobs)
    points = [json.loads((job.log.parent / "parameters.json").read_text()) for job in jobs]  # a job opens its log
    assert points == [{"model.gru_units": units} for units in (1, 2, 3, 4) for _ in (1, 2)]
    finish(tmp_path, jobs[4])
    assert titles(trials.missing()) == titles(jobs[:4] + jobs[5:])
    assert trials.shared.results() == {}
    finish(tmp_path, jobs[5])
    assert titles(trials.missing()) == titles(jobs[:4] + jobs[6:])
    result = trials.shared.results()[2]
    assert (result.params, result.value) == ({"model.gru_units": 3}, 0.8)
    assert result.intermediate_values == {0: 0.6, 1: 0.6}
    assert "trial   2  gru_units 3: validation WA 80.0 %" in capsys.readouterr().out
    again = remote()
    assert titles(again.missing()) == titles(jobs[:4] + jobs[6:])
    assert [job.runs for job in again.jobs()] == [[] if place in (4, 5) else job.runs for place, job in enumerate(jobs)]
    assert [job.arguments for job in again.jobs()] == [job.arguments for job in jobs], "lines stay the same"


def test_a_sampler_that_learns_gets_a_new_trial_for_every_finished_one(remote, tmp_path):
    settings = {"sampler": "tpe", "trials": 4, "space": {"model.dropout": {"float": [0.1, 0.9]}}}
    trials = remote(parallel=5, **settings)
    first = trials.missing()
    assert titles(first) == [f"trial {trial}, fold {fold}" for trial in (0, 1) for fold in (1, 2)]
    assert [job.arguments for job in trials.missing()] == [job.arguments for job in first]
    again = remote(parallel=5, **settings)
    assert [job.arguments for job in again.missing()] == [job.arguments for job in first], "a new launcher goes on"
    for job in first[2:]:
        finish(tmp_path, job)
    later = again.missing()
    assert titles(later) == [f"trial {trial}, fold {fold}" for trial in (0, 2) for fold in (1, 2)]
    assert again.shared.results().keys() == {1}
    points = {row.params["model.dropout"] for row in again.study.get_trials() if row.params}
    assert len(points) == 3


def test_a_pruner_sees_a_fold_before_the_next_one_is_trained(remote, tmp_path):
    settings = {"pruner": "median", "pruner_options": {"n_startup_trials": 1, "n_warmup_steps": 0}}
    trials = remote(**settings)
    jobs = trials.missing()
    assert titles(jobs) == [f"trial {trial}, fold 1" for trial in range(4)]
    finish(tmp_path, jobs[0], wa=0.6)
    (next_fold,) = [job for job in trials.missing() if job.title == "trial 0, fold 2"]
    finish(tmp_path, next_fold, wa=0.6)
    finish(tmp_path, jobs[1], wa=0.2)
    finish(tmp_path, jobs[2], wa=0.7)
    assert titles(trials.missing()) == ["trial 2, fold 2", "trial 3, fold 1"]
    states = {place: row.state for place, row in trials.shared.results().items()}
    assert states == {0: TrialState.COMPLETE, 1: TrialState.PRUNED}
    assert trials.shared.results()[1].user_attrs["pruned_after_fold"] == 1
    assert titles(remote(**settings).missing()) == ["trial 2, fold 2", "trial 3, fold 1"]


def test_a_trial_is_tried_again_until_its_tries_are_used_up(remote, tmp_path):
    trials = remote(tries=2, space={"model.gru_units": {"int": [1, 2]}})
    for _ in range(2):
        jobs = trials.missing()
        assert titles(jobs)[:2] == ["trial 0, fold 1", "trial 0, fold 2"]
        for job in jobs[:2]:  # both failures are one try
            job.log.parent.mkdir(parents=True, exist_ok=True)
            job.log.write_text("no memory\n")
            trials.failed(job, "no result (job 1 out of memory)")
    assert titles(trials.missing()) == ["trial 1, fold 1", "trial 1, fold 2"]
    (place, error), *_ = trials.shared.given_up().items()
    assert place == 0
    assert error.startswith("trial 0, fold 2: no result (job 1 out of memory)")
    assert error.endswith("    no memory")
    rows = trials.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    assert len(rows) == 2


def test_rows_without_heartbeats_are_not_failed_by_the_launcher(remote):
    """With heartbeats a row that runs for days without a worker would be failed after a minute."""
    trials = remote(parallel=2, sampler="tpe", trials=1)
    trials.missing()
    before = [row.state for row in trials.study.get_trials()]
    trials.shared.reconcile()
    assert optuna.storages.fail_stale_trials(trials.study) is None
    assert [row.state for row in trials.study.get_trials()] == before == [TrialState.RUNNING]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler": "tpe", "trials": 2}, "has sampler tpe: it chooses a trial by the results of earlier ones"),
        ({"pruner": "median"}, "has pruner median: it ends trials by the results of others"),
    ],
)
def test_trainings_that_cannot_be_listed(remote, tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        check_remote(remote(**changes).plan, Lines(tmp_path))
