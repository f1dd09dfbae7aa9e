"""Processes forked from one that has imported torch and Lightning: importing takes longer than a short training.

Whoever will start processes forks a `Starter` from itself first, while it has one thread and has not computed anything:
then neither OpenMP nor a GPU has state that a fork would break. The starter only waits and forks.

The standard library's fork server would import everything once more, and lose the exit codes of all if it is killed.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from tqdm import tqdm

from ser.errors import InputError
from ser.processes.interruption import ENDING
from ser.processes.progress_pipe import PROGRESS_PIPE
from ser.processes.streams import open_missing

FORK = multiprocessing.get_context("fork")
THREADS = "OMP_NUM_THREADS"


class CannotFork(InputError):
    """This process could not be started."""


class StarterDied(CannotFork):
    """Nor can any other: the process that forks them has been killed."""


class Starter:
    """A copy of this process that forks others; it ends when this one closes it or ends.

    A terminal and a cluster send a signal to every process of a job. This one must not end before the others, or nobody
    would learn how they ended: such signals are blocked in it, and each process that it forks lets them through.

    Args:
        run: what each process runs with its arguments, in its fork; gives the exit code.
        imported: names of modules that the processes will need, imported once.
    """

    def __init__(self, run: Callable[[list[str]], int], imported: tuple[str, ...]) -> None:
        open_missing()
        self.requests, other_end = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or every copy would print what is still to be printed
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: of threads, as numpy's
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
        with suppress(ChildProcessError):  # who has started this program may let it ignore the ends of its children
            os.waitpid(self.pid, 0)


class Forked:
    """`ser ARGUMENTS` in a forked process, which ends soon after this one.

    Args:
        starter: forks it.
        arguments: of the command `ser`.
        log: receives its output.
        lock: an open file that it holds as well: who comes after a killed parent waits for its end.
        environment: variables that are its own: its device and its number of threads.

    Attributes:
        code: its exit code as far as `wait` has learned it, negative where a signal has ended it.

    Raises:
        CannotFork: if it cannot be started.
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
        self.pipe, told = os.pipe()
        os.set_blocking(self.pipe, False)
        self.guard, other_end = multiprocessing.Pipe()
        given = [other_end.fileno(), told, *([] if lock is None else [lock])]
        try:
            try:
                socket.send_fds(starter.requests, [b"!"], given)
            except BrokenPipeError:
                raise StarterDied("the process that trainings are forked from has been killed") from None
            other_end.close()  # or nobody would notice that it is not answered
            self.guard.send((arguments, str(log.absolute()), os.getcwd(), {**os.environ, **(environment or {})}))
            self.pid = self.guard.recv()
        except BaseException as error:
            os.close(self.pipe)
            self.guard.close()
            if isinstance(error, OSError | EOFError):
                raise CannotFork(f"no process could be forked; are there too many? ({error!r})") from error
            raise
        finally:
            other_end.close()
            os.close(told)

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for its end, but not longer than that; its exit code."""
        if self.code is None and self.guard.poll(seconds):
            try:
                self.code = self.guard.recv()
            except (OSError, EOFError):
                self.code = 255  # nobody knows: whoever should have told has been killed
        return self.code

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
        if self.wait(0) is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, signal.SIGTERM)

    def close(self) -> None:
        """Wait for its end, and let go of it."""
        self.wait()
        os.close(self.pipe)
        self.guard.close()


def _serve(requests: socket.socket, run: Callable[[list[str]], int], imported: tuple[str, ...]) -> None:
    """Fork for every request, until nobody can ask any more."""
    code = 1
    try:
        for name in imported:
            import_module(name)
        gc.freeze()  # or whoever collects garbage later copies the memory that all share
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a guard
        while (received := socket.recv_fds(requests, 1, 3))[0]:
            with suppress(OSError):  # too many processes; whoever has asked notices that nobody answers
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


def _guard(run: Callable[[list[str]], int], connection: int, pipe: int, lock: int | None = None) -> None:
    """Start the process, say its number, wait for its end, and say its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Connection(connection) as asked:
        process = FORK.Process(target=_run_ser, args=(run, asked, *asked.recv(), pipe))
        process.start()
        for number in (pipe, lock):
            if number is not None:
                os.close(number)
        asked.send(process.pid)
        process.join()
        asked.send(process.exitcode)
    os._exit(0)


def _run_ser(
    run: Callable[[list[str]], int],
    guards: Connection,
    arguments: list[str],
    log: str,
    folder: str,
    variables: dict[str, str],
    pipe: int,
) -> None:
    guards.close()  # the end of who guards this process must be noticed
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Or readers of data would come from a fork server of this training's own, and outlive it when it is killed.
    multiprocessing.set_start_method("fork", force=True)
    output = open(log, "a", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  open until its end
    sys.stdout = sys.stderr = output
    for number in (1, 2):
        os.dup2(output.fileno(), number)
    tqdm.set_lock(threading.RLock())  # its own one is shared, and stays locked when a process is killed that holds it
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables, **{PROGRESS_PIPE: str(pipe)})
    if (threads := variables.get(THREADS, "").split(",")[0]).isdecimal() and int(threads) > 0:
        import_module("torch").set_num_threads(int(threads))  # read from the environment at torch's import, long ago
    sys.argv = ["ser", *arguments]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # not before the log can hear of it
    sys.exit(run(arguments))
