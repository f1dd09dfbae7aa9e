"""Starting and supervising the workers of a study."""

from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

from ser.processes.forked import Starter
from ser.processes.jobs import Job, run_jobs
from ser.sweep.study.shared_study import SharedStudy, describe
from ser.sweep.workers.worker import STORAGE

MOST_RESTARTS = 3  # of each worker, without a settled trial between them


def run_workers(
    starter: Starter,
    shared: SharedStudy,
    words: list[str],
    url: str,
    slots: list[dict[str, str]],
    folder: Path,
    first: int = 0,
) -> bool:
    """Keep workers going until every trial is settled; False where they keep dying before.

    Args:
        starter: forks them.
        shared: the study.
        words: arguments of every worker.
        url: address of the study's storage.
        slots: environment of each worker (its device).
        folder: receives their logs.
        first: number of the first worker; launchers that join a study start elsewhere, or their samplers would agree.
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
