"""Ending in order when asked to: Ctrl-C, a cluster's SIGTERM, the signal that SLURM sends before a job's end.

Outside of a training such a signal ends the program at once. Within one it ends it after the step under way, with a
checkpoint from which the same command goes on; the same signal sent again does not wait for the step.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The last two are what clusters send before a job's end: sbatch --signal=USR1@60; submitit sends SIGUSR2.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
AT_ONCE_SECONDS = 1  # a cluster's signal reaches a training, and within this once more from its launcher: asked once
PR_SET_PDEATHSIG = 1  # of Linux's prctl.h
GRACE_SECONDS = 60  # a process that reads data ends so long after a SIGTERM, or at the second one


class Interrupted(BaseException):
    """A signal has asked this process to end.

    Attributes:
        number: of the signal.
        command: what to type to go on, where something can be gone on with.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)
        self.command: str | None = None

    @property
    def code(self) -> int:
        """The exit code by which shells and clusters know it: 130, 143, 138, 140."""
        return 128 + self.number


class Listener:
    """The signal that this process has received and not yet obeyed: one listener for all of it.

    Attributes:
        patient: a step is under way that should be finished first.
        heard: the signal.
    """

    def __init__(self) -> None:
        self.patient, self.heard, self._heard_at = False, None, 0.0
        self._handlers: dict[int, object] = {}

    @contextmanager
    def ending_in_order(self, ignored: tuple[int, ...] = ()) -> Iterator[None]:
        """Let the signals end what runs in this context by `Interrupted`.

        Args:
            ignored: signals that the launcher passes on in its own way: a terminal's Ctrl-C.
        """
        before = {number: signal.getsignal(number) for number in ENDING}
        self._handlers = {number: signal.SIG_IGN if number in ignored else self._hear for number in ENDING}
        self.listen()
        try:
            yield
        finally:
            self.patient, self.heard, self._handlers = False, None, before
            self.listen()
            self._handlers = {}

    def listen(self) -> None:
        """Put the handlers in place again: Lightning replaces them whenever a trainer starts."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def be_patient(self) -> None:
        """Keep a signal until the step is finished."""
        self.listen()
        self.patient = bool(self._handlers)

    def _hear(self, number: int, frame: object) -> None:
        if not self.patient or (self.heard == number and time.monotonic() > self._heard_at + AT_ONCE_SECONDS):
            raise Interrupted(number)
        if self.heard != number:
            self.heard, self._heard_at = number, time.monotonic()


LISTENER = Listener()


def hear_of_parents_end(number: int) -> None:
    """Let the system send this process a signal when its parent ends; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def leave_signals_to_parent(worker: int) -> None:
    """Let a process that reads data, number `worker`, outlive signals: they reach it too, and its parent needs it.

    Where the parent is killed, it ends as well.
    """
    hear_of_parents_end(signal.SIGKILL)  # elsewhere it looks for its parent every few seconds
    if multiprocessing.get_start_method() == "fork" and os.getppid() != multiprocessing.parent_process().pid:
        os._exit(1)  # its parent was killed before this one began
    for number in set(ENDING) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_later)  # the parent ends it in this way as well, so it is not ignored


def _end_later(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(GRACE_SECONDS)
