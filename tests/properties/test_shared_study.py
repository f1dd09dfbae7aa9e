"""Rows of a study against its plan: in any state that workers leave, no trial is lost or counted twice."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from ser.sweep.study.shared_study import accepted
from ser.sweep.workers.worker import Worker
from tests.made_up.rows import PLACES, STATES, TRIES, add_row, empty_study, look

rows_left = st.lists(
    st.tuples(st.sampled_from([*range(PLACES), None]), st.sampled_from(sorted(STATES))), min_size=0, max_size=12
)
PATIENT = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
counter = iter(range(10**6))
RESULTS = ("complete", "pruned")


@PATIENT
@given(left=rows_left)
def test_reconcile(patient, left):
    """Against a second statement of the rules: which rows are accepted, given up, re-enqueued or unchanged."""
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
