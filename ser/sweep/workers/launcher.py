"""Starting and supervising the workers of a study."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from ser.processes.forked import Starter
from ser.processes.jobs import Job, run_jobs
from ser.sweep.study.shared_study import SharedStudy, failures, last_error
from ser.sweep.workers.worker import PRUNED_AFTER, STORAGE

MOST_RESTARTS = 3  # in a row without a settled trial between them


@dataclass
class Crew:
    """The workers of one launcher.

    Args:
        starter: forks them.
        shared: the study.
        words: arguments of every worker.
        storage: address of the study's storage.
        slots: environment of each (its device).
        folder: receives their logs.
        first: number of the first worker; launchers that join a study start elsewhere, or their samplers would agree.
    """

    starter: Starter
    shared: SharedStudy
    words: list[str]
    storage: str
    slots: list[dict[str, str]]
    folder: Path
    first: int = 0

    def run(self) -> bool:
        """Keep the workers going until every trial is settled.

        Returns:
            Whether they got there; not if workers keep dying.
        """
        self.told, self.restarts = self.shared.results(), 0
        total = len(self.shared.plan.points)
        self.bar = tqdm(total=total, initial=len(self.told), desc=self.shared.plan.study, unit="trial", disable=None)
        slots = [{**slot, STORAGE: self.storage} for slot in self.slots]
        jobs = [self._job(self.first + slot) for slot in range(len(slots))]
        with self.bar:
            run_jobs(self.starter, jobs, slots, None, self._ended, self._tell)
        return not self.shared.reconcile()

    def _job(self, number: int) -> Job:
        arguments = ["sweep-worker", *self.words, "--worker", str(number)]
        return Job(f"worker {number}", [], arguments, self.folder / f"worker{number}.log", is_training=False)

    def _tell(self) -> None:
        new = {place: row for place, row in self.shared.results().items() if place not in self.told}
        for place, row in sorted(new.items()):
            tqdm.write(describe(place, row), file=sys.stdout)
            self.bar.update()
        if new:
            sys.stdout.flush()
            self.told |= new
            self.restarts = 0

    def _ended(self, job: Job, code: int, seconds: float) -> bool:
        if not code or self.restarts >= MOST_RESTARTS * len(self.slots):
            return False
        self.restarts += 1
        tqdm.write(f"{job.title} ended with code {code}; starting another", file=sys.stderr)
        return True


def describe(place: int, row: FrozenTrial) -> str:
    """One settled trial as a line of text."""
    point = ", ".join(f"{name.removeprefix('model.')} {short(value)}" for name, value in row.params.items())
    if row.state == TrialState.PRUNED:
        return f"trial {place:3d}  {point}: pruned after fold {row.user_attrs[PRUNED_AFTER]}"
    lambda_ = f", lambda {row.user_attrs['lambda_']:.2f}" if "lambda_" in row.user_attrs else ""
    scores = [f"{name.upper()} {100 * row.user_attrs[name]:.1f} %" for name in ("wa", "ua")]
    return f"trial {place:3d}  {point}: validation {'  '.join(scores)}{lambda_}"


def short(value: object) -> str:
    """A parameter's value with the digits that a person reads."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def given_up(shared: SharedStudy) -> dict[int, str]:
    """Trials that were begun as often as allowed without a result, and the last error of each."""
    settled, found = shared.results(), {}
    for place, rows in shared.attempts().items():
        failed = failures(rows)
        if place >= 0 and place not in settled and len(failed) >= shared.plan.tries:
            found[place] = last_error(failed)
    return found
