"""Run trainings and sweep workers as processes, one per device, and show their progress."""

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

WAIT_SECONDS = 20  # trainings end within this after their launcher was killed
BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} steps, {remaining} left  {postfix}"


@dataclass(frozen=True)
class Job:
    """A training or a sweep worker, to be run as a process.

    Attributes:
        title: name for messages ("folds 1 and 6").
        runs: names of the run folders that it has yet to finish.
        arguments: arguments of `ser`.
        log: file for the output.
        is_training: whether it has a progress bar and overwrites its log.
    """

    title: str
    runs: list[str]
    arguments: list[str]
    log: Path
    is_training: bool = True


class Running:
    """A running job in one of the slots, with its progress bar."""

    def __init__(self, starter: Starter, job: Job, environment: dict[str, str], slot: int, lock: int | None) -> None:
        self.job, self.started = job, time.monotonic()
        if job.is_training:
            job.log.write_bytes(b"")
        try:
            self.process = Forked(starter, job.arguments, job.log, lock, environment)
        except CannotFork as error:
            raise type(error)(
                f"{job.title}: {error}; finished work is kept; run the same command to continue"
            ) from error
        hidden = None if job.is_training else True  # None: hidden unless standard error is a terminal
        self.bar = tqdm(desc=job.title, position=slot, leave=False, disable=hidden, total=1, bar_format=BAR)

    def show(self) -> None:
        """Update the bar from the training's messages; without a terminal, print a line per epoch."""
        messages, self.process.progress = self.process.progress, []
        for message in messages:
            if "epoch" in message and (self.bar.disable or not sys.stdout.isatty()):
                tqdm.write(f"{self.job.title}: {message['epoch']}", file=sys.stdout)
                sys.stdout.flush()
            self.bar.total, self.bar.n = message["steps"], message["step"]
            scores = [
                f"{name.upper()} {100 * message[f'val/{name}']:.1f} %"
                for name in ("wa", "ua")
                if f"val/{name}" in message
            ]
            self.bar.set_postfix_str("  ".join(["validation", *scores]) if scores else "")

    def close(self) -> None:
        """Wait until the job ends, and close its bar."""
        self.process.close()
        self.bar.close()


@contextmanager
def only_one(folder: Path, wait_seconds: float | None = WAIT_SECONDS) -> Iterator[int]:
    """Lock a folder for this process and those it starts; yields the descriptor of the lock file.

    The folder is locked until the last of them ends; trainings whose launcher was killed end within seconds.

    Args:
        wait_seconds: how long to wait for other processes; None waits without limit.

    Raises:
        InputError: if another process uses the folder.
    """
    with (folder / LOCK).open("w") as file:
        began, announced = time.monotonic(), False
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if wait_seconds is not None and time.monotonic() >= began + wait_seconds:
                    raise InputError(
                        f"{folder} is in use by another process; wait until that ends, or choose another --out"
                    ) from None
            except OSError as error:  # flock's error does not name the file
                raise InputError(f"{folder / LOCK} cannot be locked: {error.strerror}") from error
            if not announced:
                print(f"{folder} is in use by another process; waiting for it ...", file=sys.stderr, flush=True)
            announced = True
            time.sleep(0.1)
        yield file.fileno()


class Devices:
    """Runs jobs on the devices of this machine.

    Args:
        starter: forks the processes.
        slots: environment variables of each of the jobs that run at once.
    """

    def __init__(self, starter: Starter, slots: list[dict[str, str]]) -> None:
        self.starter, self.slots = starter, slots

    @property
    def place(self) -> str:
        """How the jobs are run, for the headline."""
        return f"{len(self.slots)} at once"

    def run(self, jobs: list[Job], lock: int | None, ended: Callable[[Job, int, float], object]) -> None:
        """Run the jobs that have runs to finish; `ended` is called with each, its exit code and its seconds."""
        run_jobs(self.starter, [job for job in jobs if job.runs], self.slots, lock, ended)


def run_jobs(
    starter: Starter,
    jobs: list[Job],
    slots: list[dict[str, str]],
    lock: int | None,
    ended: Callable[[Job, int, float], bool | None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Run the jobs in order, one per slot at a time; the others continue if one fails.

    Args:
        slots: environment variables of each slot (its device).
        lock: descriptor of a lock file that the processes inherit.
        ended: called with each job, its exit code and its seconds; returns whether to run the job again.
        look: called at least twice a second and whenever a job has ended, before `ended`.

    Raises:
        CannotFork: if a job cannot be started.
        Interrupted: after a signal, once all processes have ended (trainings with a checkpoint).
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
    """The last lines of a log, indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-number:])
