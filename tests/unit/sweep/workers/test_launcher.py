"""A launcher: its workers, their devices and its exit code, without forking."""

from argparse import Namespace
from types import SimpleNamespace

import optuna
import pytest
import torch
from optuna.pruners import BasePruner

from ser.commands.sweep import conclude, launch, plan_of, worker_slots
from ser.errors import InputError
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import PLANNED, PRUNED_AFTER, describe
from ser.sweep.workers.worker import STORAGE, Worker, run_workers
from tests.conftest import CONF
from tests.made_up.rows import TRIES, CountedTrial, add_row, empty_study

SWEEPS = CONF.parent / "sweeps"


@pytest.fixture
def forked(monkeypatch):
    """The started worker processes; each exits at once with the next of `codes`, or with 0."""
    started, codes = [], []

    class Forked:
        connection = None

        def __init__(self, *given):
            started.append(given)
            self.progress = []

        def wait(self, seconds):
            return codes.pop(0) if codes else 0

        def close(self):
            pass

    monkeypatch.setattr("ser.processes.jobs.Forked", Forked)
    monkeypatch.setattr("ser.processes.jobs.wait", lambda connections, seconds: None)
    return SimpleNamespace(started=started, codes=codes)


def study(results=dict, left=()):
    """A shared study of two trials; `left` are the unsettled ones."""
    plan = SimpleNamespace(points=[1, 2], study="two")
    return SimpleNamespace(plan=plan, results=results, reconcile=lambda: list(left))


def test_a_crew_that_joins_counts_its_workers_from_another_number(forked, tmp_path):
    """Workers with equal numbers would sample the same points."""
    slots = [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    for first in (0, 77):
        assert run_workers("starter", study(), ["--out", "x"], "address", slots, tmp_path, first)
    numbers = [0, 1, 77, 78]
    for number, (starter, words, log, lock, environment) in zip(numbers, forked.started, strict=True):
        assert (starter, words) == ("starter", ["sweep-worker", "--out", "x", "--worker", str(number)])
        assert log == tmp_path / f"worker{number}.log"
        assert lock is None
        assert environment == {"CUDA_VISIBLE_DEVICES": str(number % 77), STORAGE: "address"}


def test_a_worker_that_dies_is_replaced_three_times_in_a_row_and_keeps_its_log(forked, tmp_path, capsys):
    forked.codes[:] = [9] * 4
    (tmp_path / "worker5.log").write_text("of an earlier launcher\n")
    assert not run_workers("starter", study(left=[1]), [], "address", [{}], tmp_path, 5)
    assert [words[-1] for _, words, *_ in forked.started] == ["5"] * 4
    assert capsys.readouterr().err == "worker 5 ended with code 9; starting another\n" * 3
    assert (tmp_path / "worker5.log").read_text() == "of an earlier launcher\n"


def test_a_settled_trial_is_told_once_and_ends_the_row_of_deaths(forked, tmp_path, capsys):
    forked.codes[:] = [9] * 6
    row = optuna.trial.create_trial(value=0.5, user_attrs={"wa": 0.5, "ua": 0.25})

    def results():
        return {0: row} if len(forked.started) > 2 else {}

    run_workers("starter", study(results), [], "address", [{}], tmp_path, 0)
    assert len(forked.started) == 1 + 2 + 3
    assert capsys.readouterr().out == "trial   0  : validation WA 50.0 %  UA 25.0 %\n"


@pytest.fixture
def launched(monkeypatch):
    """The workers that launchers start, without checks and trainings."""
    crews, corner = [], SimpleNamespace(data=None, settings={"wandb": SimpleNamespace(loggers=lambda *_: [])})

    def run_workers(starter, shared, words, url, slots, folder, first):
        crews.append((first, slots, words))
        return len(crews) < 3

    nothing = {"check_trainers": None, "check_runs": {}, "warnings_of": [], "conclude": 0}
    for name, answer in nothing.items():
        monkeypatch.setattr(f"ser.commands.sweep.{name}", lambda *_, answer=answer: answer)
    monkeypatch.setattr("ser.commands.sweep.corners_of", lambda plan: [corner])
    monkeypatch.setattr("ser.commands.sweep.run_workers", run_workers)
    monkeypatch.setattr("ser.commands.sweep.os", SimpleNamespace(getpid=lambda: 4711))
    return crews


def test_only_the_launcher_that_made_the_study_counts_from_nought(launched, tmp_path):
    """The third launcher's workers end too early, which gives its exit code."""
    path = SWEEPS / "joint.yaml"
    options = Namespace(
        plan=False,
        submit=None,
        **{"workers": 2, "devices": None, "per_device": None, "out": str(tmp_path / "study"), "storage": None},
        **{"config": str(path), "trials": 5},
    )
    plan = read_plan(path).with_trials(5)
    assert [launch(None, plan, options, {}) for _ in range(3)] == [0, 0, 1]
    assert [first for first, *_ in launched] == [0, 4711, 4711]
    words = ["--config", str(tmp_path / "study" / "study.yaml"), "--out", str(tmp_path / "study"), "--trials", "5"]
    assert [(len(slots), words) for _, slots, words in launched] == [(2, words)] * 3


@pytest.mark.parametrize("failed", range(TRIES + 1))
def test_a_trial_is_given_up_after_all_its_tries(patient, failed):
    shared = empty_study(patient, "tries")
    for _ in range(failed):
        add_row(shared, 2, "failed")
    add_row(shared, 2, "interrupted")
    assert list(shared.given_up()) == ([2] if failed == TRIES else [])
    add_row(shared, 2, "complete")
    assert list(shared.given_up()) == [], "it has a result"


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (TRIES, 1)])
def test_a_study_that_has_given_up_a_trial_is_no_success(patient, monkeypatch, capsys, tmp_path, failed, code):
    shared = empty_study(patient, "end")
    attributes = {PLANNED: 0, "wa": 0.5, "ua": 0.25}
    made = {"params": {"model.gru_units": 1}, "distributions": shared.plan.space.dimensions}
    shared.optuna.add_trial(optuna.trial.create_trial(value=0.5, user_attrs=attributes, **made))
    for _ in range(failed):
        add_row(shared, 1, "failed")
    found = SimpleNamespace(best=0, write=lambda _: ["a.csv"])
    monkeypatch.setattr("ser.sweep.outcome.findings.Findings", lambda *_: found)
    monkeypatch.setattr("ser.commands.sweep.track", lambda found: [])
    assert conclude(shared, tmp_path) == code
    told = capsys.readouterr()
    assert "best of 1 trials by val/wa:\ntrial   0  gru_units 1: validation WA 50.0 %  UA 25.0 %\n" in told.out
    assert ("given up: trial 1 after 3 tries" in told.err) is bool(code)


def options_of(**changes):
    return Namespace(**{"config": SWEEPS / "lambda.yaml", "trials": None, "runs": "runs/one", "folds": None, **changes})


def test_studies_of_two_cross_validations_are_two():
    assert [plan_of(options_of(runs=f"runs/{name}/")).study for name in ("one", "two")] == ["lambda-one", "lambda-two"]
    assert plan_of(options_of(folds="2-3,7")).folds == (2, 3, 7)
    for changes in ({"runs": None}, {"config": SWEEPS / "joint.yaml"}):
        with pytest.raises(InputError, match="--runs"):
            plan_of(options_of(**changes))


@pytest.mark.parametrize(
    ("gpus", "workers", "devices", "per_device", "expected"),
    [
        (0, None, None, 1, [None]),
        (0, 3, None, 1, [None] * 3),
        (0, None, None, 2, [None] * 2),
        (2, None, None, 1, ["0", "1"]),
        (2, None, None, 2, ["0", "1", "0", "1"]),
        (2, 3, None, 1, ["0", "1", "0"]),
        (4, None, "1,3", 2, ["1", "3", "1", "3"]),
    ],
)
def test_every_gpu_gets_its_workers(monkeypatch, gpus, workers, devices, per_device, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [slot.get("CUDA_VISIBLE_DEVICES") for slot in worker_slots(workers, devices, per_device)] == expected


class Impatient(BasePruner):
    """A pruner that prunes every trial."""

    def prune(self, study, trial):
        return True


@pytest.mark.parametrize("folds", [1, 3])
def test_a_trial_is_pruned_between_its_folds_and_not_after_the_last(make_shared, counted, monkeypatch, tmp_path, folds):
    monkeypatch.setattr(counted, "values", staticmethod(lambda point: [0.5] * folds))
    shared = make_shared(folds=list(range(6, 6 + folds)))
    shared.optuna.pruner = Impatient()
    Worker(shared, tmp_path, starter=None).work()
    rows = shared.results().values()
    assert {row.state.name for row in rows} == {"COMPLETE" if folds == 1 else "PRUNED"}
    assert [row.user_attrs.get(PRUNED_AFTER) for row in rows] == [None if folds == 1 else 6] * 4


def test_each_number_of_a_trial_is_kept_under_its_own_name(make_shared, counted, monkeypatch, tmp_path):
    outcome = {"wa": 0.5, "ua": 0.3, "epochs": [4, 9], "threads": [1, 2], "lambda_": 0.4}
    monkeypatch.setattr(CountedTrial, "outcome", lambda self: outcome)
    shared = make_shared(objective="val/ua")
    Worker(shared, tmp_path, starter=None).work()
    row = shared.results()[2]
    found = {name: row.user_attrs[name] for name in ("wa", "ua", "epochs", "threads", "lambda_")}
    assert row.value == 0.3
    assert found == outcome
    assert describe(2, row) == "trial   2  gru_units 3: validation WA 50.0 %  UA 30.0 %, lambda 0.40"


def test_a_row_of_a_trial_that_has_its_result_is_not_run(patient):
    shared = empty_study(patient, "late")
    add_row(shared, 0, "complete")
    late = add_row(shared, 0, "waiting")
    ids = {row.number: row._trial_id for row in shared.optuna.get_trials()}
    assert not shared.is_to_run(optuna.Trial(shared.optuna, ids[late]))
