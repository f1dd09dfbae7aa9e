"""A worker: takes one trial after the other until every planned one is settled."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from ser.sweep.plan import read_plan
from ser.sweep.study import ERROR, INTERRUPTED, PLANNED, SURPLUS, SharedStudy, accepted, open_storage
from ser.sweep.trial import Trial, TrialError, check_devices_free

PRUNED_AFTER = "pruned_after_fold"


class Surplus(Exception):
    """This trial is another worker's already, or nobody's."""


class Worker:
    """One process of a study.

    Args:
        shared: the study.
        folder: where its trials are trained.
    """

    def __init__(self, shared: SharedStudy, folder: Path) -> None:
        self.shared, self.plan, self.folder = shared, shared.plan, folder

    def work(self) -> None:
        """Take trials until all are settled."""
        while self.shared.reconcile():
            if self.shared.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                self.shared.optuna.optimize(self.objective, n_trials=1, catch=(TrialError, Surplus))
            else:
                time.sleep(min(1.0, self.plan.heartbeat_seconds / 2))  # the others are at the last ones

    def objective(self, trial: optuna.Trial) -> float:
        """Run one trial.

        Raises:
            TrialError: if a fold fails.
            Surplus: if the trial is not to be run.
            TrialPruned: if the pruner sees no hope in it.
        """
        if not self._is_mine(trial):
            trial.set_user_attr(SURPLUS, True)
            raise Surplus
        trial.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}")
        try:
            return self._run(trial)
        except TrialError as error:
            trial.set_user_attr(ERROR, str(error))
            raise
        except KeyboardInterrupt:
            trial.set_user_attr(INTERRUPTED, True)
            raise

    def _is_mine(self, trial: optuna.Trial) -> bool:
        place = trial.user_attrs.get(PLANNED)
        rows = [row for row in self.shared.attempts().get(place, []) if row.number != trial.number]
        earlier = any(row.state == TrialState.RUNNING and row.number < trial.number for row in rows)
        return place is not None and not accepted(rows) and not earlier

    def _run(self, trial: optuna.Trial) -> float:
        folds = Trial(self.plan, self.folder, self.plan.space.suggest(trial), trial.number)
        number = len(self.plan.seeds) * len(self.plan.folds)
        for step, value in enumerate(folds.run()):
            trial.report(value, step)
            if step + 1 < number and trial.should_prune():
                trial.set_user_attr(PRUNED_AFTER, self.plan.folds[step % len(self.plan.folds)])
                raise optuna.TrialPruned
        outcome = folds.outcome()
        found = {"wa": outcome.wa, "ua": outcome.ua, "epochs": outcome.epochs, "folder": folds.folder.name}
        if outcome.lambda_ is not None:
            found["lambda_"] = outcome.lambda_
        for name, value in found.items():
            trial.set_user_attr(name, value)
        return outcome.value


def main(arguments: list[str]) -> int:
    """Run `ser sweep-worker`: what `ser sweep` starts; not a user's command."""
    parser = argparse.ArgumentParser(prog="ser sweep-worker")
    for name in ("--config", "--storage", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--trials", type=int)
    options = parser.parse_args(arguments)
    check_devices_free()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = read_plan(options.config).with_trials(options.trials)
    shared = SharedStudy.load(plan, open_storage(options.storage, plan), options.worker)
    Worker(shared, Path(options.out)).work()
    return 0
