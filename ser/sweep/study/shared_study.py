"""The study in Optuna's storage: made once, joined by any number of workers, and reconciled.

Every planned trial is a row of the storage from the start, with its number in the plan; workers take waiting rows. A
row whose worker died is failed by Optuna and planned again by `reconcile`. It is not left to Optuna's
`RetryHeartbeatStaleTrialCallback`, which has two holes (a worker killed before its first heartbeat, a worker killed
while it puts a trial back) and does not count a failed training as a try. `reconcile` compares what was planned with
what was accepted, as often as it is called and by as many workers as there are.
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
from ser.sweep.study.plan import Plan

PLANNED, SURPLUS, INTERRUPTED, ERROR = "planned", "surplus", "interrupted", "error"  # attributes of a row
WATCHED = "watched"  # of a row that has had a heartbeat, and is failed when no other follows
IDENTITY, NUMBER = "identity", "planned trials"  # attributes of a study
ACCEPTED = (TrialState.COMPLETE, TrialState.PRUNED)
LIVE = (TrialState.WAITING, TrialState.RUNNING)
DIED = "its worker died without a word (killed, or out of memory?); see worker*.log in the study's folder"


def flat(identity: dict) -> dict[str, object]:
    """An identity as one level of names."""
    versions = {f"version of {name}": text for name, text in identity.get("versions", {}).items()}
    digests = {name: identity[name] for name in ("corpus", "code") if name in identity}
    return {**identity.get("config", {}), **digests, **versions}


@dataclass(frozen=True)
class SharedStudy:
    """A study that several processes work on.

    Attributes:
        plan: what it is.
        storage: where it lives.
        optuna: Optuna's view of it.
        made: whether this process has made it, and not joined it.
    """

    plan: Plan
    storage: RDBStorage
    optuna: optuna.Study
    made: bool = False

    @classmethod
    def create(cls, plan: Plan, storage: RDBStorage, identity: dict) -> SharedStudy:
        """Make the study or join it, and plan its trials; arguments and errors are those of `join`."""
        shared = cls.join(plan, storage, identity)
        if len(plan.points) > shared.planned:
            shared.optuna.set_user_attr(NUMBER, len(plan.points))
        shared.reconcile()
        return shared

    @classmethod
    def join(cls, plan: Plan, storage: RDBStorage, identity: dict) -> SharedStudy:
        """Make the study, or join it where it is the same.

        Args:
            plan: what it is.
            storage: where it lives.
            identity: of configuration, corpus and code (`ser.results.identity`).

        Raises:
            InputError: if a study of this name is another one; with every difference.
        """
        optuna.create_study(study_name=plan.study, storage=storage, direction="maximize", load_if_exists=True)
        shared = cls.load(plan, storage)
        if made := IDENTITY not in shared.optuna.user_attrs:
            shared.optuna.set_user_attr(IDENTITY, {**plan.described(), **flat(identity)})
        shared.check_same(identity)
        return replace(shared, made=made)

    @classmethod
    def load(cls, plan: Plan, storage: RDBStorage, worker: int = 0) -> SharedStudy:
        """The study, for a worker or a report.

        Raises:
            InputError: if it has not been started.
        """
        try:
            study = optuna.load_study(study_name=plan.study, storage=storage, pruner=plan.make_pruner())
        except KeyError as error:
            raise InputError(f"study {plan.study} has not been started: ser sweep --config FILE starts it") from error
        begun = sum(row.state != TrialState.WAITING for row in study.get_trials(deepcopy=False))
        study.sampler = plan.make_sampler(worker, begun)
        return cls(plan, storage, study)

    def check_same(self, identity: dict) -> None:
        """Refuse to go on with, or to speak for, a study of other options, another corpus or other code.

        Raises:
            InputError: with every difference.
        """
        before, now = self.optuna.user_attrs.get(IDENTITY, {}), {**self.plan.described(), **flat(identity)}
        if differences := [
            f"  {name}: {before.get(name)} there, {now.get(name)} here"
            for name in sorted(before | now)
            if json.dumps(before.get(name)) != json.dumps(now.get(name))
        ]:
            lines = "\n".join(differences)
            raise InputError(
                f"study {self.plan.study} was begun otherwise; go on the same way, or give this one a new name\n{lines}"
            )

    @property
    def identity(self) -> str:
        """A digest of all that the study's trials have in common: what was trained for another is not this one's."""
        common = json.dumps([self.plan.study, self.optuna.user_attrs.get(IDENTITY)], sort_keys=True)
        return blake2b(common.encode(), digest_size=6).hexdigest()

    @property
    def planned(self) -> int:
        """How many trials were planned by whoever wanted most."""
        return self.optuna.user_attrs.get(NUMBER, 0)

    def attempts(self) -> dict[int, list[FrozenTrial]]:
        """The rows of every planned trial, in their order."""
        by_plan: dict[int, list[FrozenTrial]] = {place: [] for place in range(len(self.plan.points))}
        for trial in self.optuna.get_trials(deepcopy=False):
            by_plan.setdefault(trial.user_attrs.get(PLANNED, -1), []).append(trial)
        return by_plan

    def results(self) -> dict[int, FrozenTrial]:
        """The accepted row of each planned trial that has one."""
        attempts = sorted(self.attempts().items())
        return {place: found for place, rows in attempts if place >= 0 and (found := accepted(rows))}

    def reconcile(self) -> list[int]:
        """Bring the storage in line with the plan: nothing lost, nothing left running by the dead.

        Returns:
            Planned trials that are neither accepted nor given up.
        """
        optuna.storages.fail_stale_trials(self.optuna)
        for row in self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if WATCHED not in row.user_attrs:
                # Optuna waits for ever for a worker that died before its first heartbeat, so give one for it, once.
                self.storage.record_heartbeat(row._trial_id)
                with suppress(optuna.exceptions.UpdateFinishedTrialError):
                    self.storage.set_trial_user_attr(row._trial_id, WATCHED, True)
        unsettled, attempts = [], self.attempts()
        for place, point in enumerate(self.plan.points):
            rows = attempts[place]
            if accepted(rows) or len(failures(rows)) >= self.plan.tries:
                continue
            unsettled.append(place)
            if not any(row.state in LIVE for row in rows):
                begun = next((row.params for row in reversed(rows) if row.params), None)
                self.optuna.enqueue_trial({**(begun or {}), **point}, user_attrs={PLANNED: place})  # may be half begun
        return unsettled


def accepted(rows: list[FrozenTrial]) -> FrozenTrial | None:
    """The result of a planned trial: the first row that was completed or pruned."""
    return next((row for row in rows if row.state in ACCEPTED), None)


def failures(rows: list[FrozenTrial]) -> list[FrozenTrial]:
    """Those that count as tries: not what a user interrupted, nor what another worker did already."""
    free = {SURPLUS, INTERRUPTED}
    return [row for row in rows if row.state == TrialState.FAIL and not free & set(row.user_attrs)]


def last_error(failed: list[FrozenTrial]) -> str | None:
    """Why the last try failed, if any has; a worker that is killed can leave no word."""
    return failed[-1].user_attrs.get(ERROR, DIED) if failed else None
