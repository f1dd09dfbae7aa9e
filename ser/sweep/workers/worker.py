"""A worker: takes one trial after the other until every planned one is settled."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from ser.errors import InputError
from ser.processes.forked import Starter
from ser.processes.interruption import ENDING
from ser.sweep.study.shared_study import (
    ERROR,
    INTERRUPTED,
    LIVE,
    PLANNED,
    PRUNED_AFTER,
    SURPLUS,
    SharedStudy,
    accepted,
)
from ser.sweep.workers.trial import Trial, TrialError

STORAGE = "SER_STORAGE"  # environment variable: an address may have a password, and other users read command lines


class Surplus(Exception):
    """This trial was not planned, or is another worker's."""


class Worker:
    """One process of a study: trains the trials in the study's folder, by a starter that forks the trainings."""

    def __init__(self, shared: SharedStudy, folder: Path, starter: Starter) -> None:
        self.shared, self.plan, self.folder, self.starter = shared, shared.plan, folder, starter
        self.trial: optuna.Trial | None = None  # the last that was begun
        self.interrupted = False

    def work(self) -> None:
        """Take trials until all are settled."""
        while self.shared.reconcile():
            if self.shared.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                self._take_one()
            else:
                time.sleep(min(1.0, self.plan.heartbeat_seconds / 2))  # the others are at the last ones

    def _take_one(self) -> None:
        try:
            self.shared.optuna.optimize(self.objective, n_trials=1, catch=(TrialError, InputError, Surplus))
        except Exception:
            if self.interrupted:
                raise KeyboardInterrupt from None
            if not self._was_ended_by_another():
                raise

    def _was_ended_by_another(self) -> bool:
        # After its machine slept: others have failed the row and planned it again; the finished folds are kept.
        row = self.trial and self.shared.storage.get_trial(self.trial._trial_id)
        return bool(row) and row.state.is_finished() and not {ERROR, SURPLUS, INTERRUPTED} & set(row.user_attrs)

    def objective(self, trial: optuna.Trial) -> float:
        """Run one trial.

        Raises:
            TrialError: if a fold fails.
            Surplus: if the trial is not to be run.
            TrialPruned: if the pruner sees no hope in it.
        """
        self.trial = trial
        if not self._is_mine(trial):
            trial.set_user_attr(SURPLUS, True)
            raise Surplus
        trial.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}")
        try:
            return self._run(trial)
        except KeyboardInterrupt:
            self.interrupted = True
            trial.set_user_attr(INTERRUPTED, True)
            raise
        except optuna.TrialPruned:
            raise
        except Exception as error:
            trial.set_user_attr(ERROR, str(error) or repr(error))
            raise

    def _is_mine(self, trial: optuna.Trial) -> bool:
        place = trial.user_attrs.get(PLANNED)
        rows = [row for row in self.shared.attempts().get(place, []) if row.number != trial.number]
        # Two that reconcile at once may both plan it again; of two live rows the first counts.
        earlier = any(row.state in LIVE and row.number < trial.number for row in rows)
        return place is not None and not accepted(rows) and not earlier

    def _run(self, trial: optuna.Trial) -> float:
        place = trial.user_attrs[PLANNED]
        folds = Trial(self.plan, self.folder, self.plan.space.suggest(trial), place, self.shared.identity)
        number = len(self.plan.seeds) * len(self.plan.folds)
        for step, value in enumerate(folds.run(self.starter)):
            trial.report(value, step)
            if step + 1 < number and trial.should_prune():
                trial.set_user_attr(PRUNED_AFTER, self.plan.folds[step % len(self.plan.folds)])
                raise optuna.TrialPruned
        found = {**folds.outcome(), "folder": folds.folder.name}
        for name, value in found.items():
            trial.set_user_attr(name, value)
        return found[self.plan.metric]


def end_in_order(signal_number: int, frame: object) -> None:
    """Interrupt this process once; a signal reaches it from the terminal or the cluster and again from the launcher.

    Raises:
        KeyboardInterrupt: always.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
