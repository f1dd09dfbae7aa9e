"""Running trainings and workers as processes, one per device, and showing how far they are."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from multiprocessing.connection import wait
from pathlib import Path

from tqdm import tqdm

from ser.errors import InputError
from ser.files import LOCK
from ser.processes.forked import CannotFork, Forked, Starter

WAIT_SECONDS = 20  # trainings whose launcher was killed end within this
BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} steps, {remaining} left  {postfix}"


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


class Running:
    """A job under way in one of the slots, with its bar."""

    def __init__(self, starter: Starter, job: Job, environment: dict[str, str], slot: int, lock: int | None) -> None:
        self.job, self.started = job, time.monotonic()
        if job.is_training:
            job.log.write_bytes(b"")
        try:
            self.process = Forked(starter, job.arguments, job.log, lock, environment)
        except CannotFork as error:
            raise type(error)(
                f"{job.title}: {error}; what is finished is kept, and the same command goes on"
            ) from error
        hidden = None if job.is_training else True  # None: unless standard error is a terminal
        self.bar = tqdm(desc=job.title, position=slot, leave=False, disable=hidden, total=1, bar_format=BAR)

    def show(self) -> None:
        """Move the bar to where the training says it is; without a terminal, print a line per epoch."""
        messages, self.process.progress = self.process.progress, []
        for told in messages:
            if "epoch" in told and (self.bar.disable or not sys.stdout.isatty()):
                tqdm.write(f"{self.job.title}: {told['epoch']}", file=sys.stdout)
                sys.stdout.flush()
            self.bar.total, self.bar.n = told["steps"], told["step"]
            scores = [
                f"{name.upper()} {100 * told[f'val/{name}']:.1f} %" for name in ("wa", "ua") if f"val/{name}" in told
            ]
            self.bar.set_postfix_str("  ".join(["validation", *scores]) if scores else "")

    def close(self) -> None:
        """Wait for the job's end, and let go of it."""
        self.process.close()
        self.bar.close()


@contextmanager
def only_one(folder: Path, wait_seconds: float | None = WAIT_SECONDS) -> Iterator[int]:
    """Hold a folder for this process and those it starts; the number of the open lock file.

    The lock lives as long as any of them: trainings whose launcher was killed end by themselves within seconds.

    Args:
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
            except OSError as error:  # flock itself names no file
                raise InputError(f"{folder / LOCK} cannot be locked: {error.strerror}") from error
            if not told:
                print(f"{folder} is in use by another process; waiting for it ...", file=sys.stderr, flush=True)
            told = True
            time.sleep(0.1)
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
        look: called at least twice a second and whenever a job has ended, before `ended`.

    Raises:
        CannotFork: if a job cannot be started.
        Interrupted: after a signal, when all processes have ended: in order, with a checkpoint.
    """
    waiting, running = list(jobs), {}
    try:
        while waiting or running:
            for slot in range(len(slots)):
                if slot not in running and waiting:
                    running[slot] = Running(starter, waiting.pop(0), slots[slot], slot, lock)
            wait([each.process.connection for each in running.values()], 0.5)
            look()
            for slot, each in list(running.items()):
                code = each.process.wait(0)
                each.show()
                if code is not None:
                    del running[slot]
                    each.close()
                    if ended(each.job, code, time.monotonic() - each.started):
                        waiting.append(each.job)
    finally:
        for each in running.values():
            each.process.terminate()
        for each in running.values():
            each.close()


def last_lines(path: Path, number: int = 5) -> str:
    """The end of a log, indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-number:])
