"""The study in Optuna's storage: made once, joined by any number of workers, and reconciled.

Every planned trial is a row of the storage from the start, with its number in the plan; workers take waiting rows. A
row whose worker died is failed and planned again. Optuna's own retry has two holes (a worker killed before its first
heartbeat, a worker killed while it puts a trial back). `reconcile` has neither: it compares what was planned with what
was accepted, as often as it is called and by as many workers as there are.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from ser.errors import InputError
from ser.sweep.plan import Plan

PLANNED, SURPLUS, INTERRUPTED, ERROR = "planned", "surplus", "interrupted", "error"
ACCEPTED = (TrialState.COMPLETE, TrialState.PRUNED)
MISSED_HEARTBEATS = 3


def open_storage(url: str, plan: Plan) -> RDBStorage:
    """Optuna's storage with heartbeats.

    Raises:
        InputError: if it cannot be reached; the address without its password.
    """
    # Heartbeats are what Optuna calls experimental; tests kill workers to see that they work.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    options = {"connect_args": {"timeout": 120}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    try:
        return RDBStorage(
            url,
            engine_kwargs=options,
            heartbeat_interval=plan.heartbeat_seconds,
            grace_period=MISSED_HEARTBEATS * plan.heartbeat_seconds,
        )
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError, ValueError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"storage {without_password(url)} cannot be used: {without_password(cause, url)}") from error


def without_password(text: str, url: str | None = None) -> str:
    """An address, or a text in which it occurs, without the password."""
    parts = urlsplit(url or text)
    if not parts.password:
        return text
    if url is not None:
        return text.replace(parts.password, "***")
    host = parts.netloc.rsplit("@", 1)[1]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


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
    """

    plan: Plan
    storage: RDBStorage
    optuna: optuna.Study

    @classmethod
    def create(cls, plan: Plan, storage: RDBStorage, identity: dict) -> SharedStudy:
        """Make the study or join it, and plan its trials.

        Args:
            plan: what it is.
            storage: where it lives.
            identity: of configuration, corpus and code (`ser.identity`).

        Raises:
            InputError: if a study of this name is another one; with every difference.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(study_name=plan.study, storage=storage, direction="maximize", load_if_exists=True)
        now = {**plan.described(), **flat(identity)}
        before = study.user_attrs.get("identity")
        if before is None:
            study.set_user_attr("identity", now)
        elif differences := [
            f"  {name}: {before.get(name)} there, {now.get(name)} here"
            for name in sorted(before | now)
            if json.dumps(before.get(name)) != json.dumps(now.get(name))
        ]:
            lines = "\n".join(differences)
            raise InputError(f"study {plan.study} exists and is another one; give this one a new name\n{lines}")
        shared = cls.load(plan, storage)
        shared.reconcile()
        return shared

    @classmethod
    def load(cls, plan: Plan, storage: RDBStorage, worker: int = 0) -> SharedStudy:
        """The study, for a worker or a report.

        Raises:
            InputError: if it has not been started.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        tools = {"sampler": plan.make_sampler(worker), "pruner": plan.make_pruner()}
        try:
            return cls(plan, storage, optuna.load_study(study_name=plan.study, storage=storage, **tools))
        except KeyError as error:
            raise InputError(f"study {plan.study} has not been started: ser sweep --config FILE starts it") from error

    def attempts(self) -> dict[int, list[FrozenTrial]]:
        """The rows of every planned trial, in their order."""
        by_plan: dict[int, list[FrozenTrial]] = {place: [] for place in range(len(self.plan.points))}
        for trial in self.optuna.get_trials(deepcopy=False):
            by_plan.setdefault(trial.user_attrs.get(PLANNED, -1), []).append(trial)
        return by_plan

    def results(self) -> dict[int, FrozenTrial]:
        """The accepted row of each planned trial that has one."""
        return {place: found for place, rows in sorted(self.attempts().items()) if (found := accepted(rows))}

    def reconcile(self) -> list[int]:
        """Bring the storage in line with the plan: nothing lost, nothing left running by the dead.

        Returns:
            Planned trials that are neither accepted nor given up.
        """
        optuna.storages.fail_stale_trials(self.optuna)
        self._fail_never_heard_of()
        unsettled, attempts = [], self.attempts()
        for place, point in enumerate(self.plan.points):
            rows = attempts[place]
            if accepted(rows) or len(failures(rows)) >= self.plan.tries:
                continue
            unsettled.append(place)
            if not any(row.state in (TrialState.WAITING, TrialState.RUNNING) for row in rows):
                begun = next((row.params for row in reversed(rows) if row.params), None)
                self.optuna.enqueue_trial(begun or point, user_attrs={PLANNED: place})
        return unsettled

    def _fail_never_heard_of(self) -> None:
        # A worker that died before its first heartbeat: Optuna fails rows with a heartbeat only.
        query = sqlalchemy.text(
            "SELECT trials.number FROM trials JOIN studies ON trials.study_id = studies.study_id "
            "JOIN trial_heartbeats ON trials.trial_id = trial_heartbeats.trial_id WHERE studies.study_name = :name"
        )
        with self.storage.engine.connect() as connection:
            heard = {row[0] for row in connection.execute(query, {"name": self.plan.study})}
        latest = datetime.now() - timedelta(seconds=MISSED_HEARTBEATS * self.plan.heartbeat_seconds)
        for row in self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if row.number not in heard and row.datetime_start < latest:
                try:
                    self.optuna.tell(row.number, state=TrialState.FAIL)
                except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
                    continue  # another process has done it


def accepted(rows: list[FrozenTrial]) -> FrozenTrial | None:
    """The result of a planned trial: the first row that was completed or pruned."""
    return next((row for row in rows if row.state in ACCEPTED), None)


def failures(rows: list[FrozenTrial]) -> list[FrozenTrial]:
    """Those that count as tries: not what a user interrupted, nor what another worker did already."""
    free = {SURPLUS, INTERRUPTED}
    return [row for row in rows if row.state == TrialState.FAIL and not free & set(row.user_attrs)]
