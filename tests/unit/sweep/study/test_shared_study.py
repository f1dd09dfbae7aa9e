"""The rows of a study against its plan, if workers are killed or reconcile at the same time."""

import threading
from datetime import datetime, timedelta

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState

from ser.sweep.outcome.trials import trials_table
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.workers.worker import Worker
from tests.made_up.rows import HEARTBEAT_SECONDS, PLACES, TRIES, add_row, empty_study, look


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
    for _ in range(2):  # its first heartbeat can still come; a second process does not restart the wait
        assert 1 in SharedStudy.load(shared.plan, shared.storage).reconcile()
        assert look(shared)[number][0] == TrialState.RUNNING
        with shared.storage.engine.begin() as connection:
            half = {"half": f"-{1.5 * HEARTBEAT_SECONDS + 1} seconds"}
            command = "UPDATE trial_heartbeats SET heartbeat = datetime(heartbeat, :half)"
            connection.execute(sqlalchemy.text(command), half)
    assert 1 in SharedStudy.load(shared.plan, shared.storage).reconcile()
    assert [row.state for row in shared.attempts()[1]] == [TrialState.FAIL, TrialState.WAITING]


def test_hole_a_worker_killed_while_it_puts_a_trial_back(patient, monkeypatch):
    """It has failed the stale row and dies before it stores the new one; the next process does that."""
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
    """Six processes reconcile at once and can each re-enqueue a lost trial; it is run once."""
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
