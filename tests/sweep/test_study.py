"""The rows of a study against its plan: whatever workers left behind, nothing is lost and nothing counted twice."""

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import optuna
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState

from ser.sweep.study import ERROR, INTERRUPTED, PLANNED, SURPLUS, SharedStudy, accepted, failures
from ser.sweep.trial import Outcome, TrialError
from ser.sweep.worker import PRUNED_AFTER, Worker

TRIES, PLACES = 3, 4
HEARTBEAT_SECONDS = 20
LONG_AGO = timedelta(seconds=4 * HEARTBEAT_SECONDS)  # more than three heartbeats
STATES = {
    "waiting": TrialState.WAITING,
    **dict.fromkeys(("alive", "unheard", "stale", "dead unheard"), TrialState.RUNNING),
    **dict.fromkeys(("failed", "interrupted", "surplus"), TrialState.FAIL),
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
}
DEAD = ("stale", "dead unheard")


def add_row(shared: SharedStudy, place: int | None, kind: str) -> int:
    """A row as some worker left it; its number."""
    state = STATES[kind]
    marks = {"interrupted": {INTERRUPTED: True}, "surplus": {SURPLUS: True}}.get(kind, {})
    started = datetime.now() - (LONG_AGO if kind in DEAD else timedelta())
    template = FrozenTrial(
        number=-1,
        trial_id=-1,
        state=state,
        value=0.5 if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        datetime_start=None if state == TrialState.WAITING else started,
        datetime_complete=datetime.now() if state.is_finished() else None,
        params={},
        distributions={},
        user_attrs={**({} if place is None else {PLANNED: place}), **marks},
        system_attrs={"fixed_params": shared.plan.points[place]} if kind == "waiting" and place is not None else {},
        intermediate_values={},
    )
    trial_id = shared.storage.create_new_trial(shared.optuna._study_id, template)
    if kind in ("alive", "stale"):
        shared.storage.record_heartbeat(trial_id)
    if kind == "stale":
        with shared.storage.engine.begin() as connection:
            ago = f"-{LONG_AGO.seconds} seconds"
            command = "UPDATE trial_heartbeats SET heartbeat = datetime('now', :ago) WHERE trial_id = :trial"
            connection.execute(sqlalchemy.text(command), {"ago": ago, "trial": trial_id})
    return shared.storage.get_trial(trial_id).number


def empty_study(shared: SharedStudy, name: str) -> SharedStudy:
    """A study with the same plan and not one row: only what a test adds."""
    plan = replace(shared.plan, study=name)
    optuna.create_study(study_name=name, storage=shared.storage, direction="maximize")
    return SharedStudy.load(plan, shared.storage)


@pytest.fixture
def patient(make_shared):
    """A study for which workers are dead after a minute, in a file that no power cut will hit."""
    shared = make_shared(tries=TRIES, heartbeat_seconds=HEARTBEAT_SECONDS)

    @sqlalchemy.event.listens_for(shared.storage.engine, "connect")
    def do_not_wait_for_the_disk(connection, _):
        connection.execute("PRAGMA synchronous = OFF")

    shared.storage.engine.dispose()
    return shared


def look(shared: SharedStudy) -> dict[int, tuple]:
    """What is stored, row by row."""
    rows = shared.optuna.get_trials(deepcopy=False)
    return {row.number: (row.state, row.user_attrs.get(PLANNED), row.value) for row in rows}


rows_left = st.lists(
    st.tuples(st.sampled_from([*range(PLACES), None]), st.sampled_from(sorted(STATES))), min_size=0, max_size=12
)
PATIENT = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
counter = iter(range(10**6))


@PATIENT
@given(left=rows_left)
def test_reconcile(patient, left):
    """Against the rules written down again here: who is accepted, given up, planned again, left alone."""
    shared = empty_study(patient, f"study{next(counter)}")
    numbers = [add_row(shared, place, kind) for place, kind in left]
    before = look(shared)
    unsettled = shared.reconcile()
    after = look(shared)
    added = {number: after[number] for number in after if number not in before}

    for number, (_, kind) in zip(numbers, left, strict=True):
        expected = TrialState.FAIL if kind in DEAD else STATES[kind]
        assert after[number] == (expected, *before[number][1:])
    for place in range(PLACES):
        kinds = [kind for where, kind in left if where == place]
        first = next((n for n, (p, k) in zip(numbers, left, strict=True) if p == place and k in RESULTS), None)
        tries = sum(kind in ("failed", *DEAD) for kind in kinds)
        under_way = any(kind in ("waiting", "alive", "unheard") for kind in kinds)
        if first is not None:
            assert shared.results()[place].number == first
        open_still = first is None and tries < TRIES
        assert (place in unsettled) == open_still
        new = [state for state, where, _ in added.values() if where == place]
        assert new == ([TrialState.WAITING] if open_still and not under_way else [])
    assert len(added) == sum(where in range(PLACES) for _, where, _ in added.values())
    assert set(shared.results()) <= set(range(PLACES))

    assert shared.reconcile() == unsettled
    assert look(shared) == after


RESULTS = ("complete", "pruned")


class CountedTrial:
    """Stands for a training: yields the values a test has chosen for each point, and counts how often it was run."""

    values = staticmethod(lambda point: [0.5])
    begun: ClassVar[list[dict]] = []

    def __init__(self, plan, folder, parameters, number, identity=""):
        self.parameters, self.folder = parameters, folder

    def run(self):
        CountedTrial.begun.append(self.parameters)
        yield from CountedTrial.values(self.parameters)

    def outcome(self):
        value = list(CountedTrial.values(self.parameters))[-1]
        return Outcome(value, value, value, [1])


@pytest.fixture
def counted(monkeypatch):
    """Trials that train nothing."""
    monkeypatch.setattr("ser.sweep.worker.Trial", CountedTrial)
    monkeypatch.setattr(CountedTrial, "begun", [])
    monkeypatch.setattr(CountedTrial, "values", staticmethod(lambda point: [0.1 * point["model.gru_units"]]))
    return CountedTrial


@settings(PATIENT, max_examples=15)
@given(left=rows_left.map(lambda rows: [row for row in rows if row[1] not in ("alive", "unheard")]))
def test_whatever_was_left_a_worker_brings_it_to_its_end(patient, counted, tmp_path, left):
    shared = empty_study(patient, f"study{next(counter)}")
    for place, kind in left:
        add_row(shared, place, kind)
    had = shared.results()
    Worker(shared, tmp_path).work()
    for place in range(PLACES):
        rows = shared.attempts()[place]
        results = [row for row in rows if row.state == TrialState.COMPLETE]
        tries = sum(where == place and kind in ("failed", *DEAD) for where, kind in left)
        if place in had:
            assert accepted(rows).number == had[place].number
        elif tries >= TRIES and not any(where == place and kind == "waiting" for where, kind in left):
            assert not results  # given up
        else:
            assert len(results) == 1
            assert results[0].params == shared.plan.points[place]
    assert not [row for row in shared.optuna.get_trials(deepcopy=False) if not row.state.is_finished()]


def test_hole_a_worker_killed_before_its_first_heartbeat(patient):
    """Optuna alone would leave its row running for ever."""
    shared = empty_study(patient, "hole")
    number = add_row(shared, 1, "dead unheard")
    optuna.storages.fail_stale_trials(shared.optuna)
    assert look(shared)[number][0] == TrialState.RUNNING  # the hole
    assert 1 in shared.reconcile()
    assert [row.state for row in shared.attempts()[1]] == [TrialState.FAIL, TrialState.WAITING]


def test_the_same_hole_where_the_clocks_of_two_machines_differ(patient, monkeypatch):
    """The dead worker's clock was an hour ahead; what this process has seen for long enough counts."""
    shared = empty_study(patient, "clocks")
    number = add_row(shared, 1, "dead unheard")
    with shared.storage.engine.begin() as connection:
        ahead = {"start": datetime.now() + timedelta(hours=1)}
        connection.execute(sqlalchemy.text("UPDATE trials SET datetime_start = :start WHERE number = 0"), ahead)
    shared = SharedStudy.load(shared.plan, shared.storage)
    shared.reconcile()
    assert look(shared)[number][0] == TrialState.RUNNING
    later = time.monotonic() + 3 * HEARTBEAT_SECONDS + 1
    monkeypatch.setattr("ser.sweep.study.time", SimpleNamespace(monotonic=lambda: later))
    shared.reconcile()
    assert look(shared)[number][0] == TrialState.FAIL


def test_hole_a_worker_killed_while_it_puts_a_trial_back(patient, monkeypatch):
    """It has failed the stale row and dies before the new one is stored; whoever comes next does the rest."""
    shared = empty_study(patient, "back")
    add_row(shared, 2, "stale")

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(optuna.Study, "enqueue_trial", die)
        with pytest.raises(Killed):
            shared.reconcile()
    assert [row.state for row in shared.attempts()[2]] == [TrialState.FAIL]
    assert 2 in shared.reconcile()
    assert [row.state for row in shared.attempts()[2]] == [TrialState.FAIL, TrialState.WAITING]


def test_reconciling_at_once_accepts_one(patient, counted, tmp_path):
    """Six reconcile at the same moment and may each plan a lost trial again; it is run once."""
    shared = empty_study(patient, "race")
    others = [SharedStudy.load(shared.plan, shared.storage) for _ in range(6)]
    barrier = threading.Barrier(len(others))

    def reconcile(other: SharedStudy) -> None:
        barrier.wait()
        other.reconcile()

    threads = [threading.Thread(target=reconcile, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Worker(shared, tmp_path).work()
    assert sorted(point["model.gru_units"] for point in counted.begun) == [1, 2, 3, 4]
    complete = [row for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert len(complete) == PLACES


def test_of_two_live_rows_the_first_counts_whoever_takes_it_first(patient, counted, tmp_path):
    shared = empty_study(patient, "two")
    first, second = add_row(shared, 0, "waiting"), add_row(shared, 0, "unheard")
    worker = Worker(shared, tmp_path)
    ids = {row.number: row._trial_id for row in shared.optuna.get_trials()}
    assert not worker._is_mine(optuna.Trial(shared.optuna, ids[second]))
    assert worker._is_mine(optuna.Trial(shared.optuna, ids[first]))


def test_a_trial_that_always_fails_is_given_up_with_its_error(make_shared, counted, tmp_path, monkeypatch):
    def fail_at_two(point):
        if point["model.gru_units"] == 2:
            raise TrialError("fold 1, exit code 1: out of ideas")
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(fail_at_two))
    shared = make_shared(tries=3)
    Worker(shared, tmp_path).work()
    assert sorted(shared.results()) == [0, 2, 3]
    failed = failures(shared.attempts()[1])
    assert [row.user_attrs[ERROR] for row in failed] == ["fold 1, exit code 1: out of ideas"] * 3
    assert shared.reconcile() == []


def test_what_a_user_interrupts_is_no_try(make_shared, counted, tmp_path, monkeypatch):
    def interrupt(point):
        raise KeyboardInterrupt

    shared = make_shared(tries=1)
    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(counted, "values", staticmethod(interrupt))
            with pytest.raises(KeyboardInterrupt):
                Worker(shared, tmp_path).work()
    assert {row.state for row in shared.optuna.get_trials()} == {TrialState.FAIL, TrialState.WAITING}
    Worker(shared, tmp_path).work()
    assert sorted(shared.results()) == [0, 1, 2, 3]


def test_a_worker_that_was_taken_for_dead_goes_on(make_shared, counted, tmp_path, monkeypatch):
    """Its machine slept: another process has failed its row and planned the trial again."""
    shared, slept = make_shared(), []

    def sleep_once(point):
        if not slept:
            running = shared.optuna.get_trials(states=(TrialState.RUNNING,))
            slept.append(running[0].number)
            shared.storage.set_trial_state_values(running[0]._trial_id, TrialState.FAIL)
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(sleep_once))
    Worker(shared, tmp_path).work()
    assert slept == [0]
    assert sorted(shared.results()) == [0, 1, 2, 3]
    complete = [row.user_attrs[PLANNED] for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert sorted(complete) == [0, 1, 2, 3]


def test_a_worker_whose_row_another_has_completed_goes_on(make_shared, counted, tmp_path, monkeypatch):
    """SQLite has no lock for a row: two workers may take the same one."""
    shared, shared_row = make_shared(), []

    def complete_first(point):
        if not shared_row:
            running = shared.optuna.get_trials(states=(TrialState.RUNNING,))
            shared_row.append(running[0].number)
            shared.storage.set_trial_state_values(running[0]._trial_id, TrialState.COMPLETE, [0.5])
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(complete_first))
    Worker(shared, tmp_path).work()
    assert sorted(shared.results()) == [0, 1, 2, 3]
    complete = [row.user_attrs[PLANNED] for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert sorted(complete) == [0, 1, 2, 3]


def test_an_unforeseen_error_is_kept_in_the_trial(make_shared, counted, tmp_path, monkeypatch):
    def break_down(point):
        raise OSError("no space left on device")

    monkeypatch.setattr(counted, "values", staticmethod(break_down))
    shared = make_shared()
    with pytest.raises(OSError, match="no space"):
        Worker(shared, tmp_path).work()
    (failed,) = shared.optuna.get_trials(states=(TrialState.FAIL,))
    assert failed.user_attrs[ERROR] == "no space left on device"


@pytest.mark.parametrize(
    ("pruner", "options", "after"),
    [("median", {"n_startup_trials": 2}, 1), ("wilcoxon", {"p_threshold": 0.1}, 4)],
)
def test_a_pruned_trial_says_after_which_fold(make_shared, counted, tmp_path, monkeypatch, pruner, options, after):
    """One is worse than those before: the median sees it at once, Wilcoxon when 1/2^n falls below 0.1, at n = 4."""
    level = {1: 0.6, 2: 0.61, 3: 0.2, 4: 0.7}
    monkeypatch.setattr(
        counted,
        "values",
        staticmethod(lambda point: [level[point["model.gru_units"]] + 0.01 * fold for fold in range(5)]),
    )
    shared = make_shared(study=pruner, folds=[6, 7, 8, 9, 10], pruner=pruner, pruner_options=options)
    Worker(shared, tmp_path).work()
    states = {place: row.state for place, row in shared.results().items()}
    assert states == {place: TrialState.PRUNED if place == 2 else TrialState.COMPLETE for place in range(4)}
    assert shared.results()[2].user_attrs[PRUNED_AFTER] == 5 + after
    assert len(shared.results()[2].intermediate_values) == after


def test_a_planned_trial_keeps_its_point_when_it_is_planned_again(make_shared, counted, tmp_path, monkeypatch):
    """Under TPE a point is drawn when a trial begins; its second try is the same trial."""
    drawn = []

    def fail_first(point):
        drawn.append(point)
        if len(drawn) == 1:
            raise TrialError("once")
        return [0.5]

    monkeypatch.setattr(counted, "values", staticmethod(fail_first))
    shared = make_shared(sampler="tpe", trials=3, space={"model.gru_units": {"int": [1, 10**6]}})
    Worker(shared, tmp_path).work()
    rows = shared.attempts()[0]
    assert [row.state for row in rows] == [TrialState.FAIL, TrialState.COMPLETE]
    assert rows[0].params == rows[1].params == drawn[0]


def test_fewer_or_more_trials_are_the_same_study(make_shared, counted, tmp_path):
    shared = make_shared(sampler="random", trials=2, space={"model.gru_units": {"int": [1, 100]}})
    Worker(shared, tmp_path).work()
    more = make_shared(sampler="random", trials=5, space={"model.gru_units": {"int": [1, 100]}})
    Worker(more, tmp_path).work()
    assert len(counted.begun) == 5
    assert {place: row.params for place, row in more.results().items()} == dict(enumerate(more.plan.points))
