"""Clean exit on signals: Ctrl-C, a cluster's SIGTERM, the signal that SLURM sends before the end of a job.

Outside a training a signal ends the program at once. In a training it ends the program after the current step, with a
checkpoint from which the same command continues; the same signal sent again does not wait for the step.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Clusters send the last two before the end of a job: sbatch --signal=USR1@60; submitit sends SIGUSR2.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
AT_ONCE_SECONDS = 1  # repetitions within this are ignored: a training gets a signal from the cluster and its launcher
PR_SET_PDEATHSIG = 1  # of Linux's prctl.h
GRACE_SECONDS = 60  # a data-loading worker exits this long after a SIGTERM, or at the second one


class Interrupted(BaseException):
    """A signal has asked this process to end.

    Attributes:
        number: the signal.
        command: the command line to continue, if anything can be continued.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)
        self.command: str | None = None

    @property
    def code(self) -> int:
        """The shell's exit code for the signal: 130, 143, 138 or 140."""
        return 128 + self.number


class Listener:
    """The signal that this process has received but not yet acted on; one listener per process.

    Attributes:
        patient: whether to finish the current step first.
        heard: the received signal, or None.
    """

    def __init__(self) -> None:
        self.patient, self.heard, self._heard_at = False, None, 0.0
        self._handlers: dict[int, object] = {}

    @contextmanager
    def ending_in_order(self, ignored: tuple[int, ...] = ()) -> Iterator[None]:
        """Raise `Interrupted` in this context on a signal.

        Args:
            ignored: signals that the launcher handles, such as a terminal's Ctrl-C.
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
        """Install the handlers again: Lightning replaces them whenever a trainer starts."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def be_patient(self) -> None:
        """From now on, finish the current step before acting on a signal."""
        self.listen()
        self.patient = bool(self._handlers)

    def _hear(self, number: int, frame: object) -> None:
        if not self.patient or (self.heard == number and time.monotonic() > self._heard_at + AT_ONCE_SECONDS):
            raise Interrupted(number)
        if self.heard != number:
            self.heard, self._heard_at = number, time.monotonic()


LISTENER = Listener()


def hear_of_parents_end(number: int) -> None:
    """Have the system send this process a signal when its parent dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def leave_signals_to_parent(worker: int) -> None:
    """Make data-loading worker number `worker` ignore signals: they reach it too, but its parent still needs it.

    It is killed if the parent dies.
    """
    hear_of_parents_end(signal.SIGKILL)  # on other systems torch checks for the parent every few seconds
    if multiprocessing.get_start_method() == "fork" and os.getppid() != multiprocessing.parent_process().pid:
        os._exit(1)  # the parent died before this line
    for number in set(ENDING) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_later)  # not ignored, since the parent sends it too


def _end_later(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(GRACE_SECONDS)
