"""Trials in a worker: run once, given up, pruned, retried."""

import threading

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState

from ser.errors import InputError
from ser.sweep.study.shared_study import ERROR, PLANNED, PRUNED_AFTER, failures
from ser.sweep.study.storage import open_storage
from ser.sweep.workers.trial import TrialError
from ser.sweep.workers.worker import Worker
from tests.made_up.rows import add_row, empty_study


def test_of_two_live_rows_the_first_counts_even_if_the_second_is_taken_first(patient):
    shared = empty_study(patient, "two")
    first, second = add_row(shared, 0, "waiting"), add_row(shared, 0, "unheard")
    ids = {row.number: row._trial_id for row in shared.optuna.get_trials()}
    assert not shared.is_to_run(optuna.Trial(shared.optuna, ids[second]))
    assert shared.is_to_run(optuna.Trial(shared.optuna, ids[first]))


def test_a_trial_that_always_fails_is_given_up_with_its_error(make_shared, counted, tmp_path, monkeypatch):
    def fail_at_two(point):
        if point["model.gru_units"] == 2:
            raise TrialError("fold 1, exit code 1: out of ideas")
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(fail_at_two))
    shared = make_shared(tries=3)
    Worker(shared, tmp_path, starter=None).work()
    assert sorted(shared.results()) == [0, 2, 3]
    failed = failures(shared.attempts()[1])
    assert [row.user_attrs[ERROR] for row in failed] == ["fold 1, exit code 1: out of ideas"] * 3
    assert shared.reconcile() == []


def test_a_result_that_cannot_be_used_is_the_trials_failure_and_not_its_workers(
    make_shared, counted, tmp_path, monkeypatch
):
    def damaged(point):
        raise InputError("validation.csv: changed since")

    monkeypatch.setattr(counted, "values", staticmethod(damaged))
    shared = make_shared(tries=2)
    Worker(shared, tmp_path, starter=None).work()
    assert len(failures(shared.attempts()[3])) == 2
    assert shared.reconcile() == []


def test_what_a_user_interrupts_is_no_try(make_shared, counted, tmp_path, monkeypatch):
    def interrupt(point):
        raise KeyboardInterrupt

    shared = make_shared(tries=1)
    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(counted, "values", staticmethod(interrupt))
            with pytest.raises(KeyboardInterrupt):
                Worker(shared, tmp_path, starter=None).work()
    assert {row.state for row in shared.optuna.get_trials()} == {TrialState.FAIL, TrialState.WAITING}
    Worker(shared, tmp_path, starter=None).work()
    assert sorted(shared.results()) == [0, 1, 2, 3]


def test_a_worker_that_was_taken_for_dead_goes_on(make_shared, counted, tmp_path, monkeypatch):
    """Its machine was suspended; another process has failed its row and re-enqueued the trial."""
    shared, slept = make_shared(), []

    def sleep_once(point):
        if not slept:
            running = shared.optuna.get_trials(states=(TrialState.RUNNING,))
            slept.append(running[0].number)
            shared.storage.set_trial_state_values(running[0]._trial_id, TrialState.FAIL)
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(sleep_once))
    Worker(shared, tmp_path, starter=None).work()
    assert slept == [0]
    assert sorted(shared.results()) == [0, 1, 2, 3]
    complete = [row.user_attrs[PLANNED] for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert sorted(complete) == [0, 1, 2, 3]


def test_a_row_that_another_is_taking_cannot_be_taken(make_shared):
    """No other process can read the row between the check for "waiting" and the change to "running"."""
    shared = make_shared()
    row = shared.optuna.get_trials()[0]._trial_id
    other = open_storage(str(shared.storage.engine.url), 20)
    taken: dict[str, bool] = {}
    rival = threading.Thread(
        target=lambda: taken.update(rival=other.set_trial_state_values(row, TrialState.RUNNING)), daemon=True
    )

    @sqlalchemy.event.listens_for(shared.storage.engine, "before_cursor_execute")
    def let_the_rival_try(connection, cursor, statement, *_) -> None:
        if statement.startswith("UPDATE trials SET") and rival.ident is None:
            rival.start()
            rival.join(2)

    taken["first"] = shared.storage.set_trial_state_values(row, TrialState.RUNNING)
    rival.join()
    assert taken == {"first": True, "rival": False}


def test_an_unforeseen_error_is_kept_in_the_trial(make_shared, counted, tmp_path, monkeypatch):
    def break_down(point):
        raise OSError("no space left on device")

    monkeypatch.setattr(counted, "values", staticmethod(break_down))
    shared = make_shared()
    with pytest.raises(OSError, match="no space"):
        Worker(shared, tmp_path, starter=None).work()
    (failed,) = shared.optuna.get_trials(states=(TrialState.FAIL,))
    assert failed.user_attrs[ERROR] == "no space left on device"


@pytest.mark.parametrize(
    ("pruner", "options", "after"),
    [("median", {"n_startup_trials": 2}, 1), ("wilcoxon", {"p_threshold": 0.1}, 4)],
)
def test_a_pruned_trial_says_after_which_fold(make_shared, counted, tmp_path, monkeypatch, pruner, options, after):
    """A trial is worse than all before: the median prunes it at once, Wilcoxon as soon as 1/2^n < 0.1, at n = 4."""
    level = {1: 0.6, 2: 0.61, 3: 0.2, 4: 0.7}
    monkeypatch.setattr(
        counted,
        "values",
        staticmethod(lambda point: [level[point["model.gru_units"]] + 0.01 * fold for fold in range(4)]),
    )
    shared = make_shared(study=pruner, folds=[6, 7, 8, 9, 10], pruner=pruner, pruner_options=options)
    Worker(shared, tmp_path, starter=None).work()
    states = {place: row.state for place, row in shared.results().items()}
    assert states == {place: TrialState.PRUNED if place == 2 else TrialState.COMPLETE for place in range(4)}
    assert shared.results()[2].user_attrs[PRUNED_AFTER] == 5 + after
    assert len(shared.results()[2].intermediate_values) == after


def test_a_planned_trial_keeps_its_point_when_it_is_planned_again(make_shared, counted, tmp_path, monkeypatch):
    """Under TPE a point is sampled when a trial begins; a retry has the same point."""
    drawn = []

    def fail_first(point):
        drawn.append(point)
        if len(drawn) == 1:
            raise TrialError("once")
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(fail_first))
    shared = make_shared(sampler="tpe", trials=3, space={"model.gru_units": {"int": [1, 10**6]}})
    Worker(shared, tmp_path, starter=None).work()
    rows = shared.attempts()[0]
    assert [row.state for row in rows] == [TrialState.FAIL, TrialState.COMPLETE]
    assert rows[0].params == rows[1].params == drawn[0]


def test_fewer_or_more_trials_are_the_same_study(make_shared, counted, tmp_path):
    shared = make_shared(sampler="random", trials=2, space={"model.gru_units": {"int": [1, 100]}})
    Worker(shared, tmp_path, starter=None).work()
    more = make_shared(sampler="random", trials=5, space={"model.gru_units": {"int": [1, 100]}})
    Worker(more, tmp_path, starter=None).work()
    assert len(counted.begun) == 5
    assert {place: row.params for place, row in more.results().items()} == dict(enumerate(more.plan.points))
