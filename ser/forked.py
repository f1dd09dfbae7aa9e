"""Trainings in processes forked from one that has imported torch and Lightning once.

Importing takes longer than a short training. The process that is forked only imports: it has one thread and has not
touched a GPU, so that its children may use both.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from multiprocessing import forkserver, resource_tracker
from multiprocessing.reduction import DupFd
from pathlib import Path

from ser.interruption import ENDING
from ser.progress import PROGRESS_PIPE

FORKED = multiprocessing.get_context("forkserver")
THREADS = "OMP_NUM_THREADS"


def prepare_forks() -> None:
    """Start the process that trainings are forked from; it imports while others work.

    A terminal and a cluster send a signal to every process of a job. That one must not end before the trainings, or
    nobody would learn how they ended: it is born with such signals blocked, and each training lets them through.
    """
    FORKED.set_forkserver_preload(["ser.session", "ser.validated"])
    resource_tracker.ensure_running()  # or it is started below, and unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Forked:
    """`ser ARGUMENTS` in a forked process, which ends soon after this one.

    Args:
        arguments: of the command `ser`.
        log: receives its output.
        lock: an open file that it holds as well: who comes after a killed parent waits for its end.
        environment: variables that are its own: its device and its number of threads.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(self, arguments: list[str], log: Path, lock: int, environment: Mapping[str, str] | None = None):
        self.pipe, other_end = os.pipe()
        os.set_blocking(self.pipe, False)
        log.write_bytes(b"")
        variables = {**os.environ, **(environment or {})}
        inherited = Inherited(other_end), Inherited(lock)
        self.process = FORKED.Process(target=_run_ser, args=(arguments, str(log), variables, *inherited))
        try:
            prepare_forks()  # where that process is not there yet, or not any more
            self.process.start()
            multiprocessing.process._children.discard(self.process)  # whoever asks twice to end waits for nobody
        except EOFError as error:
            os.close(self.pipe)
            raise OSError("the process that trainings are forked from has just died") from error
        except BaseException:
            os.close(self.pipe)
            raise
        finally:
            os.close(other_end)

    @property
    def code(self) -> int | None:
        """Its exit code, negative where a signal has ended it; None while it runs."""
        return self.process.exitcode

    def wait(self, seconds: float | None = None) -> None:
        """Wait for its end, but not longer than that."""
        self.process.join(seconds)

    def told(self) -> bytes:
        """What it has said of its progress since somebody asked."""
        said = b""
        try:
            while chunk := os.read(self.pipe, 65536):
                said += chunk
        except BlockingIOError:
            pass
        return said

    def terminate(self) -> None:
        """Ask it to end, once: whoever asks twice does not want to wait."""
        if self.code is None:
            self.process.terminate()

    def close(self) -> None:
        """Wait for its end, and let go of it."""
        self.process.join()
        os.close(self.pipe)


class Inherited:
    """An open file that a forked process gets under a number of its own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple:
        return _inherit, (DupFd(self.number),)


def _inherit(sent: object) -> int:
    return sent.detach()


def _run_ser(arguments: list[str], log: str, variables: dict[str, str], pipe: int, lock: int) -> None:
    import torch

    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    with open(log, "ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    # Or readers of data would come from a fork server of this training's own, and outlive it when it is killed.
    multiprocessing.set_start_method("fork", force=True)
    os.environ.clear()
    os.environ.update(variables, **{PROGRESS_PIPE: str(pipe)})
    if (threads := variables.get(THREADS, "").split(",")[0]).isdecimal() and int(threads) > 0:
        torch.set_num_threads(int(threads))  # read from the environment at torch's import, which is over
    sys.argv = ["ser", *arguments]
    sys.exit(import_module("ser.__main__").main())  # the program itself, as `python -m ser` starts it
