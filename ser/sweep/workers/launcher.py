"""Starting and supervising the workers of a study."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from ser.errors import InputError
from ser.processes.forked import CannotFork, Forked, Starter
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
        workers: dict[int, Forked] = {}
        told, restarts = self._settled(), 0
        total = len(self.shared.plan.points)
        bar = tqdm(total=total, initial=len(told), desc=self.shared.plan.study, unit="trial", disable=None)
        try:
            for slot in range(len(self.slots)):
                workers[slot] = self._start(slot)
            while workers:
                time.sleep(0.5)
                if new := {place: row for place, row in self._settled().items() if place not in told}:
                    restarts = 0
                    for place, row in sorted(new.items()):
                        tqdm.write(describe(place, row), file=sys.stdout)
                        bar.update()
                    sys.stdout.flush()
                    told |= new
                for slot, process in list(workers.items()):
                    if (code := process.wait(0)) is None:
                        continue
                    workers.pop(slot).close()
                    if code and restarts < MOST_RESTARTS * len(self.slots):
                        restarts += 1
                        tqdm.write(
                            f"worker {self.first + slot} ended with code {code}; starting another", file=sys.stderr
                        )
                        workers[slot] = self._start(slot)
        finally:
            bar.close()
            for process in workers.values():
                process.terminate()
            for process in workers.values():
                process.close()
        return not self.shared.reconcile()

    def _settled(self) -> dict[int, FrozenTrial]:
        return self.shared.results()

    def _start(self, slot: int) -> Forked:
        arguments = ["sweep-worker", *self.words, "--worker", str(self.first + slot)]
        log = self.folder / f"worker{self.first + slot}.log"
        try:
            return Forked(self.starter, arguments, log, environment={**self.slots[slot], STORAGE: self.storage})
        except CannotFork as error:
            raise InputError(f"{error}; what is finished is kept, and the same command goes on") from error


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
