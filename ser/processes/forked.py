"""Processes forked from one that has imported torch and Lightning: importing takes longer than a short training.

The launcher first forks a `Starter` from itself, while it has one thread and has computed nothing, so that neither
OpenMP nor a GPU has state that a fork would break. For every `Forked` the starter forks a guard, which forks the
process, reports its exit code, and terminates it if the launcher dies.

The standard library's fork server would import everything again, and would lose all exit codes if it were killed.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tqdm import tqdm

from ser.errors import InputError
from ser.processes.interruption import ENDING, hear_of_parents_end
from ser.processes.streams import open_missing

FORK = multiprocessing.get_context("fork")
THREADS = "OMP_NUM_THREADS"
LAST_SECONDS = 10  # for a clean exit after the launcher has died
UNKNOWN = 255  # the exit code of a process whose guard was killed

launcher: Connection | None = None  # connection to the launcher that started this process


class CannotFork(InputError):
    """A process could not be started."""


class StarterDied(CannotFork):
    """The starter was killed, so no more processes can be started."""


class Starter:
    """A fork of this process that forks others; it exits when this process closes it or exits.

    A terminal or cluster signals every process of a job. The starter and its guards must outlive the others, or exit
    codes would be lost, so these signals are blocked in them and unblocked in the processes.

    Args:
        run: called in each process with its arguments; returns the exit code.
        imported: modules that the processes will need, imported once.
    """

    def __init__(self, run: Callable[[list[str]], int], imported: tuple[str, ...]) -> None:
        open_missing()
        self.requests, other_end = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or every fork would print the buffered output
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads, such as numpy's
                self.pid = os.fork()
            if not self.pid:
                self.requests.close()
                _serve(other_end, run, imported)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        other_end.close()

    def __enter__(self) -> Starter:
        return self

    def __exit__(self, *_) -> None:
        self.requests.close()
        with suppress(ChildProcessError):  # SIGCHLD may have been ignored when the launcher started
            os.waitpid(self.pid, 0)


class Forked:
    """`ser ARGUMENTS` in a forked process, which is terminated if this one dies.

    Args:
        arguments: arguments of `ser`.
        log: file for the output.
        lock: descriptor of a lock file that the process keeps open, so that a new launcher waits for it after a kill.
        environment: additional variables: device and number of threads.

    Attributes:
        code: exit code, negative after a signal; None until `wait` has received it.
        progress: messages of `tell_launcher` that `wait` has received.

    Raises:
        CannotFork: if the process cannot be started.
    """

    def __init__(
        self,
        starter: Starter,
        arguments: list[str],
        log: Path,
        lock: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.code: int | None = None
        self.progress: list[dict] = []
        self.connection, other_end = multiprocessing.Pipe()
        given = [other_end.fileno(), *([] if lock is None else [lock])]
        try:
            with other_end:  # closed before the answer is awaited, or the starter's death would go unnoticed
                try:
                    socket.send_fds(starter.requests, [b"!"], given)
                except BrokenPipeError:
                    raise StarterDied("the process that forks the trainings was killed") from None
            self.connection.send((arguments, str(log.absolute()), os.getcwd(), {**os.environ, **(environment or {})}))
            self.pid = self.connection.recv()
        except (OSError, EOFError) as error:
            raise CannotFork(f"the process could not be forked; are too many running? ({error!r})") from error

    def wait(self, seconds: float | None = None) -> int | None:
        """Receive messages until the process ends or the time is up; return the exit code, None while it runs."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.code is None and self.connection.poll(None if end is None else max(0, end - time.monotonic())):
            try:
                message = self.connection.recv()
            except (OSError, EOFError):
                message = UNKNOWN
            if isinstance(message, int):
                self.code = message
            else:
                self.progress.append(message)
        return self.code

    def terminate(self) -> None:
        """Send SIGTERM. Call it once: after a second signal a training does not finish its step."""
        if self.wait(0) is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, signal.SIGTERM)

    def close(self) -> None:
        """Wait until the process ends, and close the connection."""
        self.wait()
        self.connection.close()


def tell_launcher(step: int, steps: int, scores: dict[str, float], epoch: str | None = None) -> None:
    """Send step, total steps, the scores of the last validation and, at the end of an epoch, a line about it."""
    with suppress(ConnectionError):  # the launcher has died; the guard terminates this process
        launcher.send({"step": step, "steps": steps, **scores, **({"epoch": epoch} if epoch else {})})


def _serve(requests: socket.socket, run: Callable[[list[str]], int], imported: tuple[str, ...]) -> None:
    """Fork a guard for every request, until the launcher closes the connection or ends."""
    code = 1
    try:
        for name in imported:
            import_module(name)
        gc.freeze()  # or garbage collection would copy the shared memory
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guards are not waited for
        while (received := socket.recv_fds(requests, 1, 2))[0]:
            with suppress(OSError):  # too many processes; the launcher gets no answer
                if not os.fork():
                    requests.close()
                    try:
                        _guard(run, *received[1])
                    finally:
                        os._exit(1)
            for number in received[1]:
                os.close(number)
        code = 0
    finally:
        os._exit(code)


def _guard(run: Callable[[list[str]], int], connection: int, lock: int | None = None) -> None:
    """Start the process, report its PID and later its exit code; terminate it if the launcher dies."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Connection(connection) as asked:
        process = FORK.Process(target=_run_ser, args=(run, asked, *asked.recv()))
        process.start()
        if lock is not None:
            os.close(lock)
        asked.send(process.pid)
        if process.sentinel not in wait([process.sentinel, asked]):
            process.terminate()
            process.join(LAST_SECONDS)
            process.kill()
        process.join()
        asked.send(process.exitcode)


def _run_ser(
    run: Callable[[list[str]], int],
    asked: Connection,
    arguments: list[str],
    log: str,
    folder: str,
    variables: dict[str, str],
) -> None:
    global launcher
    launcher = asked
    hear_of_parents_end(signal.SIGTERM)  # in case the guard is killed
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Otherwise data-loading workers would come from a fork server and outlive this training if it is killed.
    multiprocessing.set_start_method("fork", force=True)
    output = open(log, "a", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  open until its end
    sys.stdout = sys.stderr = output
    for number in (1, 2):
        os.dup2(output.fileno(), number)
    tqdm.set_lock(threading.RLock())  # tqdm's own is shared, and stays locked if its holder is killed
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    if (threads := variables.get(THREADS, "").split(",")[0]).isdecimal() and int(threads) > 0:
        import_module("torch").set_num_threads(int(threads))  # torch was imported before and read other variables
    sys.argv = ["ser", *arguments]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # only now that the log is open
    sys.exit(run(arguments))
