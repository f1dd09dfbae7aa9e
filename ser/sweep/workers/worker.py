"""Workers run one trial after another until every planned trial is settled; a launcher starts and restarts them."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState
from tqdm import tqdm

from ser.errors import InputError
from ser.processes.forked import Starter
from ser.processes.interruption import ENDING
from ser.processes.jobs import Job, run_jobs
from ser.sweep.study.shared_study import ERROR, INTERRUPTED, PLANNED, PRUNED_AFTER, SURPLUS, SharedStudy, describe
from ser.sweep.workers.trial import Trial, TrialError

STORAGE = "SER_STORAGE"  # environment variable: the address can contain a password, and command lines are public
MOST_RESTARTS = 3  # of each worker, without a newly settled trial


class Worker:
    """Runs trials in the study's folder; the starter forks their trainings."""

    def __init__(self, shared: SharedStudy, folder: Path, starter: Starter) -> None:
        self.shared, self.plan, self.folder, self.starter = shared, shared.plan, folder, starter
        self.trial: optuna.Trial | None = None  # the last one begun
        self.interrupted = False

    def work(self) -> None:
        """Run trials until all are settled."""
        while self.shared.reconcile():
            if not self.shared.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                time.sleep(min(1.0, self.plan.heartbeat_seconds / 2))  # other workers run the last ones
                continue
            try:
                self.shared.optuna.optimize(self.objective, n_trials=1, catch=(TrialError, InputError))
            except Exception:
                if self.interrupted:
                    raise KeyboardInterrupt from None
                # If this machine was suspended, other workers have failed the row and planned its trial again.
                row = self.trial and self.shared.storage.get_trial(self.trial._trial_id)
                if not row or not row.state.is_finished() or {ERROR, SURPLUS, INTERRUPTED} & set(row.user_attrs):
                    raise

    def objective(self, trial: optuna.Trial) -> float:
        """Run one trial; the cause of a failure is stored in its row."""
        self.trial = trial
        if not self.shared.is_to_run(trial):
            trial.set_user_attr(SURPLUS, True)
            raise TrialError("not planned, or run by another worker")
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

    def _run(self, trial: optuna.Trial) -> float:
        point, place = self.plan.space.suggest(trial), trial.user_attrs[PLANNED]
        folds = Trial(self.plan, self.folder, point, place, self.shared.identity)
        for step, value in enumerate(folds.run(self.starter)):
            trial.report(value, step)
            if step + 1 < len(folds.runs) and trial.should_prune():
                trial.set_user_attr(PRUNED_AFTER, self.plan.folds[step % len(self.plan.folds)])
                raise optuna.TrialPruned
        found = {**folds.outcome(), "folder": folds.folder.name}
        for name, value in found.items():
            trial.set_user_attr(name, value)
        return found[self.plan.metric]


def end_in_order(signal_number: int, frame: object) -> None:
    """Interrupt this process once: a terminal or cluster signals it directly and the launcher forwards the signal."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def run_workers(
    starter: Starter,
    shared: SharedStudy,
    words: list[str],
    url: str,
    slots: list[dict[str, str]],
    folder: Path,
    first: int = 0,
) -> bool:
    """Run workers until every trial is settled, restarting those that die; False if they die too often.

    Args:
        starter: forks the workers.
        words: arguments of every worker.
        url: address of the study's storage.
        slots: environment of each worker (its device).
        folder: for the workers' logs.
        first: number of the first worker; different in each launcher of a study, so that samplers differ.
    """
    told, deaths = shared.results(), 0
    bar = tqdm(total=len(shared.plan.points), initial=len(told), desc=shared.plan.study, unit="trial", disable=None)

    def tell() -> None:
        nonlocal deaths
        new = {place: row for place, row in shared.results().items() if place not in told}
        for place, row in new.items():
            tqdm.write(describe(place, row), file=sys.stdout)
            bar.update()
        if new:
            sys.stdout.flush()
            told.update(new)
            deaths = 0

    def ended(job: Job, code: int, seconds: float) -> bool:
        nonlocal deaths
        if not code or deaths >= MOST_RESTARTS * len(slots):
            return False
        deaths += 1
        tqdm.write(f"{job.title} ended with code {code}; starting another", file=sys.stderr)
        return True

    jobs = []
    for number in range(first, first + len(slots)):
        arguments = ["sweep-worker", *words, "--worker", str(number)]
        jobs.append(Job(f"worker {number}", [], arguments, folder / f"worker{number}.log", is_training=False))
    with bar:
        run_jobs(starter, jobs, [{**slot, STORAGE: url} for slot in slots], None, ended, tell)
    return not shared.reconcile()
