"""Commands of `ser` in separate processes."""

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
# Starting a process also polls all others, and an exit code can only be read once: if two threads read it at the same
# moment, one would get 255.
EXIT_CODES = Lock()


class Command:
    """`ser ARGUMENTS` in a separate process.

    Args:
        log: receives standard output.
        errors: receives standard error, by default the log.
        own_group: start it in its own process group, as a terminal does.
        environment: all its variables, by default those of this process.
        prepare: called in the process before the command, which is then forked with everything imported.
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
    """A forked process with the methods of `subprocess.Popen`; its arguments are those of `_run_ser`."""

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
    """Child processes of a process, including zombies."""
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
    tempfile.tempdir = None  # the cached folder; TMPDIR can have changed
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the fork server ignores it
    multiprocessing.set_start_method("fork", force=True)  # as in a new process
    sys.argv = ["ser", *words]
    prepare()
    code = main()
    sys.stdout.flush()
    atexit._run_exitfuncs()  # os._exit skips them
    os._exit(code)
