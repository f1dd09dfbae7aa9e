"""One trial: its trainings and its score, with given posteriors."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from optuna.distributions import FloatDistribution

from ser.errors import InputError
from ser.files import digest
from ser.processes.forked import CannotFork, StarterDied
from ser.sweep.outcome.findings import trial_validation
from ser.sweep.study.plan import Plan
from ser.sweep.study.space import Space
from ser.sweep.workers.trial import Trial, TrialError, run_options
from tests.made_up.two_branches import table

SPACE = Space({"model.dropout": FloatDistribution(0, 1)})
POINT = {"model.dropout": 0.5}


def make_plan(**changes):
    return Plan(**{"study": "s", "space": SPACE, "config": ["a.yaml"], "options": {}, "folds": (1,), **changes})


def validated():
    """The capsules get three of four neutral utterances right and no others, the GRU one of four and the angry one."""
    neutral, angry = np.eye(4)[0], np.eye(4)[1]
    capsule, gru = [neutral, neutral, neutral, angry, neutral], [neutral, angry, angry, angry, angry]
    return table([0, 0, 0, 0, 1], capsule, gru, speakers=[1, 2, 1, 2, 1])


def write_fold(folder, fold=1, **about):
    """Write a finished fold of `ser validated`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = validated().assign(fold=fold).drop(columns="seed")
    rows.assign(utterance=rows.utterance + f"-{folder.name}").to_csv(folder / "validation.csv", index=False)
    about = {"validation": {"wa": 0.6, "ua": 0.375}, "epoch": 10 + fold, "threads": fold, **about}
    about["digests"] = {"validation.csv": digest(folder / "validation.csv")}
    (folder / "result.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("objective", "choose", "scores", "lambda_"),
    [
        ("val/wa", False, {"wa": 0.6, "ua": 0.375}, None),
        ("val/ua", False, {"wa": 0.6, "ua": 0.375}, None),
        ("val/wa", True, {"wa": 0.6, "ua": 0.375}, 0.6),
        ("val/ua", True, {"wa": 0.4, "ua": 0.625}, 0.49),  # the GRU decides below 0.5; nearest to 0.6
    ],
)
def test_a_trial_is_judged_by_its_objective_with_a_lambda_chosen_by_the_same(
    tmp_path, objective, choose, scores, lambda_
):
    trial = Trial(make_plan(objective=objective, choose_lambda=choose), tmp_path, POINT, 0, "identity")
    write_fold(trial.folder / "seed1-fold01")
    wanted = scores[objective.removeprefix("val/")]
    assert list(trial.run(starter=None)) == [pytest.approx(wanted)], "nothing to train"
    found = trial.outcome()
    assert (found["wa"], found["ua"]) == pytest.approx((scores["wa"], scores["ua"]))
    assert found.get("lambda_") == lambda_
    assert (found["epochs"], found["threads"]) == ([11], [1])


def test_equal_points_of_one_study_share_a_folder_and_no_others(tmp_path):
    def folder(parameters, identity):
        return Trial(make_plan(), tmp_path, parameters, 0, identity).folder

    two = {"a": 1, "b": 2}
    assert folder(two, "this") == folder(dict(reversed(two.items())), "this")
    assert len({folder(two, "this"), folder(two, "that"), folder({"a": 2, "b": 1}, "this")}) == 3


@pytest.fixture
def trained(monkeypatch):
    """The command lines of the trainings, each of which writes a finished fold at once."""
    words = []

    def train(starter, job, lock):
        given = dict(zip(job.arguments[1::2], job.arguments[2::2], strict=True))
        words.append(given)
        write_fold(Path(given["--out"]), int(given["--data.fold"]))
        return 0

    monkeypatch.setattr("ser.sweep.workers.trial.run_training", train)
    return words


def test_every_seed_trains_every_fold_once_with_its_own_seed_fold_and_folder(trained, tmp_path):
    trial = Trial(make_plan(folds=(2, 3), seeds=(5, 7)), tmp_path, POINT, 4)
    assert list(trial.run(starter=None)) == [0.6] * 4
    grid = [(seed, fold) for seed in (5, 7) for fold in (2, 3)]
    assert [(int(each["--seed_everything"]), int(each["--data.fold"])) for each in trained] == grid
    assert [each["--out"] for each in trained] == [str(trial.folder / f"seed{s}-fold{f:02d}") for s, f in grid]
    assert {(each["--model.dropout"], each["--config"], each["--trainer.devices"]) for each in trained} == {
        ("0.5", "a.yaml", "1")
    }
    (trial.folder / "seed7-fold02" / "result.json").unlink()
    assert list(trial.run(starter=None)) == [0.6] * 4
    assert [(each["--seed_everything"], each["--data.fold"]) for each in trained[4:]] == [("7", "2")], "the lost run"
    rows = trial.validation()
    assert sorted(set(zip(rows.seed, rows.fold, strict=True))) == grid
    assert trial.outcome()["epochs"] == [12, 13, 12, 13]


@pytest.mark.parametrize(
    ("error", "expected"), [(StarterDied, RuntimeError), (CannotFork, InputError), (PermissionError, TrialError)]
)
def test_a_training_that_cannot_be_started_fails_its_trial_or_ends_the_worker(tmp_path, monkeypatch, error, expected):
    """After the starter has died no training can start, which is not a failure of this trial."""

    def refuse(*_):
        raise error("no more")

    monkeypatch.setattr("ser.sweep.workers.trial.run_training", refuse)
    with pytest.raises(expected, match="no more") as raised:
        list(Trial(make_plan(), tmp_path, POINT, 0).run(starter=None))
    assert isinstance(raised.value, TrialError | InputError) is (error is not StarterDied)


def test_the_point_wins_over_the_studys_own_options_and_a_class_comes_before_its_options():
    plan = make_plan(options={"data.batch_size": 8, "model.dropout": 0.1}, config=["a.yaml", "b.yaml"])
    words = run_options(plan, {"model.dropout": 0.5, "model": "ser.systems.CNNGRU", "trainer.precision": None})
    assert words[:6] == ["--config", "a.yaml", "--config", "b.yaml", "--model", "ser.systems.CNNGRU"]
    rest = dict(zip(words[6::2], words[7::2], strict=True))
    assert rest == {"--data.batch_size": "8", "--model.dropout": "0.5", "--trainer.precision": "null"}


@pytest.mark.parametrize(("attributes", "wa"), [({}, 0.6), ({"lambda_": 0.2}, 0.4)])
def test_a_trials_validation_is_that_of_its_own_lambda(tmp_path, attributes, wa):
    shared = SimpleNamespace(plan=make_plan(), identity="this")
    row = SimpleNamespace(params=POINT, number=9, user_attrs=attributes)
    assert trial_validation(shared, tmp_path, row) is None, "trained on another machine"
    write_fold(Trial(shared.plan, tmp_path, POINT, 0, "this").folder / "seed1-fold01")
    rows = trial_validation(shared, tmp_path, row)
    assert (rows.predicted == rows.emotion).mean() == pytest.approx(wa)
