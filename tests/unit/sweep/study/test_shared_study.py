"""The rows of a study and its plan: after any failure of workers, no trial is lost or accepted twice."""

import threading
from datetime import datetime, timedelta

import optuna
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from ser.sweep.outcome.trials import trials_table
from ser.sweep.study.shared_study import PLANNED, SharedStudy, accepted
from ser.sweep.workers.worker import Worker
from tests.made_up.rows import HEARTBEAT_SECONDS, PLACES, STATES, TRIES, add_row, empty_study


def look(shared: SharedStudy) -> dict[int, tuple]:
    """The stored rows by number: state, planned trial, value."""
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
    """Against an independent formulation of the rules: accepted, given up, planned again, or unchanged."""
    shared = empty_study(patient, f"study{next(counter)}")
    numbers = [add_row(shared, place, kind) for place, kind in left]
    before = look(shared)
    unsettled = shared.reconcile()
    after = look(shared)
    added = {number: after[number] for number in after if number not in before}

    for number, (_, kind) in zip(numbers, left, strict=True):
        expected = TrialState.FAIL if kind == "stale" else STATES[kind]
        assert after[number] == (expected, *before[number][1:])
    for place in range(PLACES):
        kinds = [kind for where, kind in left if where == place]
        first = next((n for n, (p, k) in zip(numbers, left, strict=True) if p == place and k in RESULTS), None)
        tries = sum(kind in ("failed", "stale") for kind in kinds)
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


@settings(PATIENT, max_examples=15)
@given(left=rows_left.map(lambda rows: [row for row in rows if row[1] not in ("alive", "unheard")]))
def test_whatever_was_left_a_worker_brings_it_to_its_end(patient, counted, tmp_path, left):
    shared = empty_study(patient, f"study{next(counter)}")
    for place, kind in left:
        add_row(shared, place, kind)
    had = shared.results()
    Worker(shared, tmp_path, starter=None).work()
    for place in range(PLACES):
        rows = shared.attempts()[place]
        results = [row for row in rows if row.state == TrialState.COMPLETE]
        tries = sum(where == place and kind in ("failed", "stale") for where, kind in left)
        if place in had:
            assert accepted(rows).number == had[place].number
        elif tries >= TRIES and not any(where == place and kind == "waiting" for where, kind in left):
            assert not results  # given up
        else:
            assert len(results) == 1
            assert results[0].params == shared.plan.points[place]
    assert not [row for row in shared.optuna.get_trials(deepcopy=False) if not row.state.is_finished()]


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=1), timedelta(hours=-9)])
def test_hole_a_worker_killed_before_its_first_heartbeat(patient, ahead):
    """Optuna would leave its row running forever. The worker's clock can differ from that of the storage."""
    shared = empty_study(patient, "hole")
    number = add_row(shared, 1, "unheard")
    with shared.storage.engine.begin() as connection:
        start = sqlalchemy.bindparam("start", datetime.now() + ahead, sqlalchemy.DateTime)
        connection.execute(sqlalchemy.text("UPDATE trials SET datetime_start = :start").bindparams(start))
    optuna.storages.fail_stale_trials(shared.optuna)
    assert look(shared)[number][0] == TrialState.RUNNING  # the case that Optuna misses
    for _ in range(2):  # its first heartbeat can still come; the next process does not start the wait again
        assert 1 in SharedStudy.load(shared.plan, shared.storage).reconcile()
        assert look(shared)[number][0] == TrialState.RUNNING
        with shared.storage.engine.begin() as connection:
            half = {"half": f"-{1.5 * HEARTBEAT_SECONDS + 1} seconds"}
            command = "UPDATE trial_heartbeats SET heartbeat = datetime(heartbeat, :half)"
            connection.execute(sqlalchemy.text(command), half)
    assert 1 in SharedStudy.load(shared.plan, shared.storage).reconcile()
    assert [row.state for row in shared.attempts()[1]] == [TrialState.FAIL, TrialState.WAITING]


def test_hole_a_worker_killed_while_it_puts_a_trial_back(patient, monkeypatch):
    """It has failed the stale row and dies before the new one is stored; the next process completes this."""
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


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # normally used with Study.optimize
def test_a_worker_killed_between_two_suggestions(make_shared, counted, tmp_path):
    """The suggested options are only part of the point; the rest must not be sampled again."""
    space = {"model.gru_units": {"int": [1, 2]}, "model.learning_rate": {"categorical": [0.001, 0.002]}}
    shared = make_shared(space=space)
    begun = shared.optuna.ask()
    begun.suggest_int("model.gru_units", 1, 2)
    shared.optuna.tell(begun.number, state=TrialState.FAIL)
    Worker(shared, tmp_path, starter=None).work()
    assert {place: row.params for place, row in shared.results().items()} == dict(enumerate(shared.plan.points))


def test_a_try_whose_worker_was_killed_has_a_cause(patient):
    shared = empty_study(patient, "killed")
    for _ in range(TRIES):
        add_row(shared, 3, "stale")
    assert 3 not in shared.reconcile()
    assert "its worker died" in shared.given_up()[3]
    row = trials_table(shared).set_index("trial").loc[3]
    assert row.state == "given up"
    assert "its worker died" in row.error


def test_who_made_a_study_and_who_joined_it(make_shared):
    """Only one process numbers its workers from 0; otherwise workers would sample the same points."""
    assert make_shared().made
    assert not make_shared().made


def test_reconciling_at_once_accepts_one(patient, counted, tmp_path):
    """Six processes reconcile at once and can each plan a lost trial again; it is run once."""
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
    Worker(shared, tmp_path, starter=None).work()
    assert sorted(point["model.gru_units"] for point in counted.begun) == [1, 2, 3, 4]
    complete = [row for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    assert len(complete) == PLACES
