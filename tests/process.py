"""Commands of `ser` in processes of their own."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
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
    """`ser ARGUMENTS` in a process of its own, started as a user starts it unless a test has to reach into it.

    Args:
        arguments: of `ser`.
        log: receives what it prints.
        errors: receives what it says on standard error; without it the log does.
        cwd: the folder it runs in.
        own_group: whether signals to its group reach it and its children alone, as from a terminal.
        environment: all its variables; without it they are those of this process.
        prepare: called in it before it begins; the process is then a fork of one that has imported everything.
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
        words, streams = [str(word) for word in arguments], (str(self.log), str(self.errors))
        place = cwd or Path.cwd(), environment or dict(os.environ)
        self.process = FORKED.Process(target=_run_ser, args=(words, streams, *place, own_group, prepare))
        for path in {self.log, self.errors}:
            path.write_text("")
        with EXIT_CODES:
            self.process.start()
        self.pid = self.process.pid

    def running(self) -> bool:
        return not wait([self.process.sentinel], timeout=0)

    def kill(self) -> None:
        """kill -9, and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float | None = None) -> Finished:
        """What it left; its exit code is -9 where it was killed.

        Raises:
            TimeoutError: if it runs longer than that.
        """
        if not wait([self.process.sentinel], seconds):
            raise TimeoutError(f"{self.log}: still running after {seconds} s")
        with EXIT_CODES:
            self.process.join()
        return Finished(self.process.exitcode, self.log.read_text(), self.errors.read_text())

    def until(self, condition: Callable[[], object], seconds: float = 600) -> object:
        """Wait until something is true while it runs; what it is."""
        for _ in range(round(seconds / 0.01)):
            if found := condition():
                return found
            assert self.running(), self.errors.read_text()
            time.sleep(0.01)
        raise TimeoutError(condition)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that it has not waited for."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _run_ser(
    words: list[str],
    streams: tuple[str, str],
    cwd: Path,
    environment: dict[str, str],
    own_group: bool,
    prepare: Callable[[], None] | None,
) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    if own_group:
        os.setsid()
    os.chdir(cwd)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the process it is forked from ignores it
    if not prepare:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execve(sys.executable, [sys.executable, "-m", "ser", *words], environment)
    from ser.__main__ import main

    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # where that is may have changed
    multiprocessing.set_start_method("fork", force=True)  # as in a process of its own
    sys.argv = ["ser", *words]
    prepare()
    code = main()
    sys.stdout.flush()
    atexit._run_exitfuncs()  # which a forked process leaves out
    os._exit(code)
