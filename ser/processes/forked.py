"""Processes forked from one that has imported torch and Lightning: importing takes longer than a short training.

A launcher forks a `Starter` from itself first, while it has one thread and has not computed anything: then neither
OpenMP nor a GPU has state that a fork would break. For every `Forked` the starter forks a guard, and the guard the
process itself: the guard reports its exit code, and ends it when the launcher has died.

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
LAST_SECONDS = 10  # for ending in order after the launcher has died
UNKNOWN = 255  # the exit code of a process whose guard was killed

launcher: Connection | None = None  # of this process, where a launcher has started it


class CannotFork(InputError):
    """This process could not be started."""


class StarterDied(CannotFork):
    """No process can be started any more: the one that forks them has been killed."""


class Starter:
    """A copy of this process that forks others; it ends when this one closes it or ends.

    A terminal and a cluster send a signal to every process of a job. The starter and its guards must not end before the
    others, or their exit codes would be lost: such signals are blocked in them, and unblocked in the processes.

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
        with suppress(ChildProcessError):  # the launcher may have been started with the ends of children ignored
            os.waitpid(self.pid, 0)


class Forked:
    """`ser ARGUMENTS` in a forked process, which ends soon after this one.

    Args:
        starter: forks it.
        arguments: of the command `ser`.
        log: receives its output.
        lock: an open file that it holds as well: after a kill, the next launcher waits for its end.
        environment: variables that are its own: its device and its number of threads.

    Attributes:
        code: its exit code, negative where a signal has ended it; None until `wait` has received it.
        progress: its messages of `tell_launcher`, as far as `wait` has received them.

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
        self.progress: list[dict] = []
        self.connection, other_end = multiprocessing.Pipe()
        given = [other_end.fileno(), *([] if lock is None else [lock])]
        try:
            with other_end:  # closed before an answer is waited for, or the starter's death would go unnoticed
                try:
                    socket.send_fds(starter.requests, [b"!"], given)
                except BrokenPipeError:
                    raise StarterDied("the process that trainings are forked from has been killed") from None
            self.connection.send((arguments, str(log.absolute()), os.getcwd(), {**os.environ, **(environment or {})}))
            self.pid = self.connection.recv()
        except (OSError, EOFError) as error:
            raise CannotFork(f"no process could be forked; are there too many? ({error!r})") from error

    def wait(self, seconds: float | None = None) -> int | None:
        """Receive its progress until it ends, but no longer than that; its exit code, None while it runs."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.code is None and self.connection.poll(None if end is None else max(0, end - time.monotonic())):
            try:
                told = self.connection.recv()
            except (OSError, EOFError):
                told = UNKNOWN
            if isinstance(told, int):
                self.code = told
            else:
                self.progress.append(told)
        return self.code

    def terminate(self) -> None:
        """Ask it to end, once: a training that is asked twice does not finish its step."""
        if self.wait(0) is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, signal.SIGTERM)

    def close(self) -> None:
        """Wait for its end, and let go of it."""
        self.wait()
        self.connection.close()


def tell_launcher(step: int, steps: int, scores: dict[str, float], epoch: str | None = None) -> None:
    """Send steps done, steps in all, the scores of the last validation, and at an epoch's end a line about it."""
    with suppress(ConnectionError):  # the guard notices as well that the launcher has died
        launcher.send({"step": step, "steps": steps, **scores, **({"epoch": epoch} if epoch else {})})


def _serve(requests: socket.socket, run: Callable[[list[str]], int], imported: tuple[str, ...]) -> None:
    """Fork a guard for every request, until the launcher closes the connection or ends."""
    code = 1
    try:
        for name in imported:
            import_module(name)
        gc.freeze()  # or a later collection would copy the memory that all share
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guards are not waited for
        while (received := socket.recv_fds(requests, 1, 2))[0]:
            with suppress(OSError):  # too many processes; the launcher notices that there is no answer
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
    """Start the process, report its number, and its exit code when it has ended; end it if the launcher dies."""
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
    hear_of_parents_end(signal.SIGTERM)  # a guard that is killed reports nothing
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
    os.environ.update(variables)
    if (threads := variables.get(THREADS, "").split(",")[0]).isdecimal() and int(threads) > 0:
        import_module("torch").set_num_threads(int(threads))  # read from the environment at torch's import, long ago
    sys.argv = ["ser", *arguments]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # not before the log can hear of it
    sys.exit(run(arguments))
