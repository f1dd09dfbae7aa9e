"""Rows of a study in every state in which a worker can leave them, and a trial without training."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import optuna
import sqlalchemy
from optuna.trial import FrozenTrial, TrialState

from ser.sweep.study.shared_study import INTERRUPTED, PLANNED, SURPLUS, SharedStudy

TRIES, PLACES = 3, 4
HEARTBEAT_SECONDS = 20
LONG_AGO = timedelta(seconds=4 * HEARTBEAT_SECONDS)  # more than three heartbeats
STATES = {
    "waiting": TrialState.WAITING,
    **dict.fromkeys(("alive", "unheard", "stale"), TrialState.RUNNING),
    **dict.fromkeys(("failed", "interrupted", "surplus"), TrialState.FAIL),
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
}


def add_row(shared: SharedStudy, place: int | None, kind: str) -> int:
    """Add a row in the state in which a worker left it; return its number."""
    state = STATES[kind]
    marks = {"interrupted": {INTERRUPTED: True}, "surplus": {SURPLUS: True}}.get(kind, {})
    started = datetime.now() - (LONG_AGO if kind == "stale" else timedelta())
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
    """A study with the same plan and no rows."""
    plan = replace(shared.plan, study=name)
    optuna.create_study(study_name=name, storage=shared.storage, direction="maximize")
    return SharedStudy.load(plan, shared.storage)


def look(shared: SharedStudy) -> dict[int, tuple]:
    """State, planned trial and value of every stored row, by row number."""
    rows = shared.optuna.get_trials(deepcopy=False)
    return {row.number: (row.state, row.user_attrs.get(PLANNED), row.value) for row in rows}


class CountedTrial:
    """A replacement for `Trial`: yields given values for each point and records each call."""

    values = staticmethod(lambda point: [0.5])
    begun: ClassVar[list[dict]] = []

    def __init__(self, plan, folder, parameters, number, identity=""):
        self.parameters, self.folder = parameters, folder
        self.runs = {(seed, fold): folder for seed in plan.seeds for fold in plan.folds}

    def run(self, starter):
        CountedTrial.begun.append(self.parameters)
        yield from CountedTrial.values(self.parameters)

    def outcome(self):
        value = list(CountedTrial.values(self.parameters))[-1]
        return {"wa": value, "ua": value, "epochs": [1], "threads": [1]}
