"""Commands of `ser` in processes of their own."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock

from tests.conftest import Finished

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.slow.faults.preloaded"])
# Whoever starts a process also asks for the ends of all others, and an exit code can be read but once: of two threads
# that read it at the same moment, one would be told 255.
EXIT_CODES = Lock()


class Command:
    """`ser ARGUMENTS` in a separate process.

    Args:
        arguments: of `ser`.
        log: receives what it prints.
        errors: receives what it says on standard error; without it the log does.
        cwd: the folder it runs in.
        own_group: whether signals to its group reach it and its children alone, as from a terminal.
        environment: all its variables; without it they are those of this process.
        prepare: called in it before it begins: it is then forked from a process that has imported everything.
    """

    def __init__(
        self,
        arguments: list[object],
        log: Path,
        errors: Path | None = None,
        *,
        cwd: Path | None = None,
        own_group: bool = False,
        environment: dict[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self.log, self.errors = log, errors or log
        words = [str(word) for word in arguments]
        for path in {self.log, self.errors}:
            path.write_text("")
        if prepare:
            streams = str(self.log), str(self.errors)
            self.process = Fork(words, streams, cwd or Path.cwd(), environment or dict(os.environ), own_group, prepare)
        else:
            command = [sys.executable, "-m", "ser", *words]
            with self.log.open("ab") as out, self.errors.open("ab") as err:
                streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
                self.process = subprocess.Popen(
                    command, cwd=cwd, env=environment, start_new_session=own_group, **streams
                )
        self.pid = self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float | None = None) -> Finished:
        """Wait for the end; the exit code is -9 after SIGKILL.

        Raises:
            TimeoutError: if it takes longer.
        """
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.log}: still running after {seconds} s") from None
        return Finished(code, self.log.read_text(), self.errors.read_text())

    def until(self, condition: Callable[[], object], seconds: float = 600) -> object:
        """Wait until a condition is true while the process runs; return the condition's value."""
        for _ in range(round(seconds / 0.01)):
            if found := condition():
                return found
            assert self.running(), self.errors.read_text()
            time.sleep(0.01)
        raise TimeoutError(condition)


class Fork:
    """A fork that has the methods of `subprocess.Popen`; its arguments are those of `_run_ser`."""

    def __init__(self, *given) -> None:
        self.process = FORKED.Process(target=_run_ser, args=given)
        with EXIT_CODES:
            self.process.start()
        self.pid = self.process.pid

    def poll(self) -> int | None:
        return self.wait(0) if wait([self.process.sentinel], 0) else None

    def wait(self, seconds: float | None = None) -> int:
        if not wait([self.process.sentinel], seconds):
            raise subprocess.TimeoutExpired("ser", seconds)
        with EXIT_CODES:
            self.process.join()
        return self.process.exitcode


def children_of(pid: int) -> list[int]:
    """Child processes of a process that it has not waited for."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _run_ser(
    words: list[str],
    streams: tuple[str, str],
    cwd: Path,
    environment: dict[str, str],
    own_group: bool,
    prepare: Callable[[], None],
) -> None:
    from ser.__main__ import main

    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    if own_group:
        os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it can be another folder now
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the fork server ignores it
    multiprocessing.set_start_method("fork", force=True)  # as in a new process
    sys.argv = ["ser", *words]
    prepare()
    code = main()
    sys.stdout.flush()
    atexit._run_exitfuncs()  # a forked process skips them
    os._exit(code)
