"""The study in Optuna's storage: created once, joined by any number of workers, and reconciled.

Every planned trial is a row of the storage from the start, with its number in the plan; workers take waiting rows. A
row whose worker died is failed by Optuna and planned again by `reconcile`, which compares the planned trials with the
accepted ones and can be called at any time by any worker. Optuna's `RetryHeartbeatStaleTrialCallback` misses two cases
(a worker killed before its first heartbeat, a worker killed while it re-enqueues a trial) and does not count a failed
training as a try.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from ser.errors import InputError
from ser.results.identity import OWN_VERSION
from ser.sweep.study.plan import Plan

PLANNED, SURPLUS, INTERRUPTED, ERROR = "planned", "surplus", "interrupted", "error"  # attributes of a row
PRUNED_AFTER = "pruned_after_fold"  # attribute of a row
WATCHED = "watched"  # attribute of a row that has had a heartbeat, so that Optuna fails it when the next is missing
BEGUN, NUMBER = "identity", "planned trials"  # attributes of a study
ACCEPTED = (TrialState.COMPLETE, TrialState.PRUNED)
LIVE = (TrialState.WAITING, TrialState.RUNNING)
DIED = "its worker died without a message (killed, or out of memory?); see worker*.log in the study's folder"


@dataclass(frozen=True)
class SharedStudy:
    """A study that several processes work on; `made` is true in the process that created it."""

    plan: Plan
    storage: RDBStorage
    optuna: optuna.Study
    made: bool = False

    @classmethod
    def create(cls, plan: Plan, storage: RDBStorage, identity: dict) -> SharedStudy:
        """Create or join the study, as `join` does, and plan its trials."""
        shared = cls.join(plan, storage, identity)
        if len(plan.points) > shared.planned:
            shared.optuna.set_user_attr(NUMBER, len(plan.points))
        shared.reconcile()
        return shared

    @classmethod
    def join(cls, plan: Plan, storage: RDBStorage, identity: dict) -> SharedStudy:
        """Create the study, or join it if configuration, corpus and code are equal (`ser.results.identity`)."""
        optuna.create_study(study_name=plan.study, storage=storage, direction="maximize", load_if_exists=True)
        shared = cls.load(plan, storage)
        if made := BEGUN not in shared.optuna.user_attrs:
            shared.optuna.set_user_attr(BEGUN, shared._described(identity))
        shared.check_same(identity)
        return replace(shared, made=made)

    @classmethod
    def load(cls, plan: Plan, storage: RDBStorage, worker: int = 0) -> SharedStudy:
        """The study for a worker or a report; an InputError if it has not been started."""
        try:
            study = optuna.load_study(study_name=plan.study, storage=storage, pruner=plan.make_pruner())
        except KeyError as error:
            raise InputError(f"study {plan.study} has not been started: ser sweep --config FILE starts it") from error
        begun = sum(row.state != TrialState.WAITING for row in study.get_trials(deepcopy=False))
        study.sampler = plan.make_sampler(worker, begun)
        return cls(plan, storage, study)

    def _described(self, identity: dict) -> dict[str, object]:
        versions = {f"version of {name}": text for name, text in identity.get("versions", {}).items()}
        digests = {name: identity[name] for name in ("corpus", "code") if name in identity}
        return {**self.plan.described(), **identity.get("config", {}), **digests, **versions}

    def check_same(self, identity: dict) -> None:
        """Refuse to continue with other options, corpus or code: an InputError with every difference."""
        before, now = self.optuna.user_attrs.get(BEGUN, {}), self._described(identity)
        if differences := [
            f"  {name}: {before.get(name)} there, {now.get(name)} here"
            for name in sorted(before | now)
            if name != f"version of {OWN_VERSION}" and json.dumps(before.get(name)) != json.dumps(now.get(name))
        ]:
            first = f"study {self.plan.study} was started with other settings; use those, or give this study a new name"
            raise InputError("\n".join([first, *differences]))

    @property
    def identity(self) -> str:
        """Digest of the settings common to the trials, so that trials of different studies share no folder."""
        common = json.dumps([self.plan.study, self.optuna.user_attrs.get(BEGUN)], sort_keys=True)
        return blake2b(common.encode(), digest_size=6).hexdigest()

    @property
    def planned(self) -> int:
        """The largest number of trials that a launcher has asked for."""
        return self.optuna.user_attrs.get(NUMBER, 0)

    def attempts(self) -> dict[int, list[FrozenTrial]]:
        """The rows of every planned trial, oldest first."""
        by_plan: dict[int, list[FrozenTrial]] = {place: [] for place in range(len(self.plan.points))}
        for row in self.optuna.get_trials(deepcopy=False):
            if PLANNED in row.user_attrs:
                by_plan.setdefault(row.user_attrs[PLANNED], []).append(row)
        return dict(sorted(by_plan.items()))

    def results(self) -> dict[int, FrozenTrial]:
        """The accepted row of each planned trial that has one."""
        return {place: found for place, rows in self.attempts().items() if (found := accepted(rows))}

    def is_given_up(self, rows: list[FrozenTrial]) -> bool:
        """Whether a planned trial has failed in all its tries."""
        return not accepted(rows) and len(failures(rows)) >= self.plan.tries

    def given_up(self) -> dict[int, str]:
        """The last error of each planned trial that is given up."""
        return {place: last_error(rows) for place, rows in self.attempts().items() if self.is_given_up(rows)}

    def is_to_run(self, trial: optuna.Trial) -> bool:
        """Whether a worker should run a row that it has taken: it is planned, and its trial has no other live row."""
        rows = self.attempts().get(place := trial.user_attrs.get(PLANNED), [])
        # Two processes that reconcile at once can both plan a trial again; of two live rows the first counts.
        earlier = any(row.state in LIVE and row.number < trial.number for row in rows)
        return place is not None and not accepted(rows) and not earlier

    def reconcile(self) -> list[int]:
        """Fail the rows of dead workers, plan their trials again, and return the unsettled trials."""
        optuna.storages.fail_stale_trials(self.optuna)
        for row in self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if WATCHED not in row.user_attrs and self.storage.heartbeat_interval:
                # Optuna never fails the row of a worker that died before its first heartbeat, so record one, once.
                self.storage.record_heartbeat(row._trial_id)
                with suppress(optuna.exceptions.UpdateFinishedTrialError):
                    self.storage.set_trial_user_attr(row._trial_id, WATCHED, True)
        unsettled, attempts = [], self.attempts()
        for place, point in enumerate(self.plan.points):
            rows = attempts[place]
            if accepted(rows) or self.is_given_up(rows):
                continue
            unsettled.append(place)
            if not any(row.state in LIVE for row in rows):
                begun = next((row.params for row in reversed(rows) if row.params), {})  # can be incomplete
                self.optuna.enqueue_trial({**begun, **point}, user_attrs={PLANNED: place})
        return unsettled


def accepted(rows: list[FrozenTrial]) -> FrozenTrial | None:
    """The result of a planned trial: its first complete or pruned row."""
    return next((row for row in rows if row.state in ACCEPTED), None)


def failures(rows: list[FrozenTrial]) -> list[FrozenTrial]:
    """The failed rows that count as tries, without interrupted rows and rows that another worker had settled."""
    free = {SURPLUS, INTERRUPTED}
    return [row for row in rows if row.state == TrialState.FAIL and not free & set(row.user_attrs)]


def last_error(rows: list[FrozenTrial]) -> str | None:
    """The error of the last failed try, or `DIED` if its worker left none; None without a failed try."""
    failed = failures(rows)
    return failed[-1].user_attrs.get(ERROR, DIED) if failed else None


def describe(place: int, row: FrozenTrial) -> str:
    """One settled trial as a line of text."""
    shown = f"trial {place:3d}  {describe_point(row.params)}:"
    if row.state == TrialState.PRUNED:
        return f"{shown} pruned after fold {row.user_attrs[PRUNED_AFTER]}"
    lambda_ = f", lambda {row.user_attrs['lambda_']:.2f}" if "lambda_" in row.user_attrs else ""
    scores = [f"{name.upper()} {100 * row.user_attrs[name]:.1f} %" for name in ("wa", "ua")]
    return f"{shown} validation {'  '.join(scores)}{lambda_}"


def describe_point(point: dict[str, object]) -> str:
    """Options and their values as text: "routing_iterations 3, dropout 0.5"."""
    return ", ".join(f"{name.removeprefix('model.')} {short(value)}" for name, value in point.items())


def short(value: object) -> str:
    """A parameter's value as text, floats with four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
