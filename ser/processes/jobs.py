"""Running trainings and workers as processes, one per device, and showing how far they are."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from multiprocessing.connection import wait
from pathlib import Path

from tqdm import tqdm

from ser.errors import InputError
from ser.files import LOCK
from ser.processes.forked import CannotFork, Forked, Starter

WAIT_SECONDS = 20  # trainings whose parent was killed end within this


@dataclass(frozen=True)
class Job:
    """A training or a worker to be run as a process of its own.

    Attributes:
        title: for a person ("folds 1 and 6").
        runs: names of the folders that it makes.
        arguments: of the command `ser`.
        log: file that receives its output.
        is_training: it has a bar of its steps, and its log begins anew.
    """

    title: str
    runs: list[str]
    arguments: list[str]
    log: Path
    is_training: bool = True


@dataclass
class Running:
    """A job under way, in one of the slots."""

    job: Job
    training: Forked
    bar: tqdm
    unread: bytes = b""
    started: float = field(default_factory=time.monotonic)

    def show(self) -> None:
        """Read what the training says of itself and move its bar; without a terminal, print a line per epoch."""
        *lines, self.unread = (self.unread + self.training.told()).split(b"\n")
        if not lines:
            return
        messages = [json.loads(line) for line in lines]
        if self.bar.disable or not sys.stdout.isatty():
            for epoch in (told["epoch"] for told in messages if "epoch" in told):
                tqdm.write(f"{self.job.title}: {epoch}", file=sys.stdout)
            sys.stdout.flush()
        told = messages[-1]
        self.bar.total = told["steps"]
        self.bar.n = told["step"]
        scores = [f"{name.upper()} {100 * told[f'val/{name}']:.1f} %" for name in ("wa", "ua") if f"val/{name}" in told]
        self.bar.set_postfix_str("  ".join(["validation", *scores]) if scores else "", refresh=False)
        self.bar.refresh()

    def close(self) -> None:
        """Wait for the job's end, and let go of it."""
        self.training.close()
        self.bar.close()


@contextmanager
def only_one(folder: Path, wait_seconds: float | None = WAIT_SECONDS) -> Iterator[int]:
    """Hold a folder for this process and those it starts; the number of the open lock file.

    The lock lives as long as any of them: trainings whose parent was killed end by themselves within seconds.

    Args:
        folder: to be held.
        wait_seconds: how long to wait for others; None waits for their end, whenever that is.

    Raises:
        InputError: if another process works in the folder.
    """
    with (folder / LOCK).open("w") as file:
        began, told = time.monotonic(), False
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if wait_seconds is not None and time.monotonic() >= began + wait_seconds:
                    raise InputError(
                        f"{folder}: another process works in it; wait for its end, or choose another --out"
                    ) from None
                if not told:
                    print(f"{folder} is in use by another process; waiting for it ...", file=sys.stderr, flush=True)
                told = True
                time.sleep(0.1)
            except OSError as error:  # flock itself names no file
                raise InputError(f"{folder / LOCK} cannot be locked: {error.strerror}") from error
        yield file.fileno()


def run_jobs(
    starter: Starter,
    jobs: list[Job],
    slots: list[dict[str, str]],
    lock: int | None,
    ended: Callable[[Job, int, float], bool | None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Run every job, as many at once as there are slots; one that fails does not take the others with it.

    Args:
        starter: forks them.
        jobs: in their order.
        slots: environment variables of each slot (its device).
        lock: an open file that the processes inherit.
        ended: called with each job, its exit code and its seconds; says whether the job is to be run again.
        look: called twice a second and whenever a job has ended, before `ended`.

    Raises:
        CannotFork: if a job cannot be started.
        Interrupted: after a signal, when all processes have ended: in order, with a checkpoint.
    """
    waiting, running = list(jobs), {}
    try:
        while waiting or running:
            for slot in range(len(slots)):
                if slot not in running and waiting:
                    running[slot] = start(starter, waiting.pop(0), slots[slot], slot, lock)
            wait([each.training.guard for each in running.values()], 0.5)
            look()
            for slot, each in list(running.items()):
                code = each.training.wait(0)
                each.show()
                if code is not None:
                    del running[slot]
                    each.close()
                    if ended(each.job, code, time.monotonic() - each.started):
                        waiting.append(each.job)
    finally:
        for each in running.values():
            each.training.terminate()
        for each in running.values():
            each.close()


def start(starter: Starter, job: Job, environment: dict[str, str], slot: int, lock: int | None) -> Running:
    """Start one job in a slot."""
    if job.is_training:
        job.log.write_bytes(b"")
    form = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} steps, {remaining} left  {postfix}"
    hidden = None if job.is_training else True  # None: unless standard error is a terminal
    bar = tqdm(desc=job.title, position=slot, leave=False, disable=hidden, total=1, bar_format=form)
    try:
        return Running(job, Forked(starter, job.arguments, job.log, lock, environment), bar)
    except CannotFork as error:
        bar.close()
        raise type(error)(f"{job.title}: {error}; what is finished is kept, and the same command goes on") from error


def last_lines(path: Path, number: int = 5) -> str:
    """The end of a log, indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-number:])
