"""Unit tests that start a process or train something fail."""

import os
import sys

import pytest
from lightning import Trainer

STARTS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}  # Python's audit events
watched = []  # the process id during a test, else empty
started = []  # what the test has started, even if it caught the error


def look(event: str, arguments: tuple) -> None:
    if watched and event in STARTS and os.getpid() == watched[0]:
        started.append(event)
        raise AssertionError(f"a unit test started a process ({event})")


sys.addaudithook(look)


@pytest.fixture(autouse=True)
def neither_processes_nor_trainings(monkeypatch):
    """Refuse both during a test; the commit is a constant, because reading it runs git."""

    def fit(*_, **__):
        raise AssertionError("a unit test trained something")

    monkeypatch.setattr(Trainer, "fit", fit)
    for module in ("ser.training.run_files", "ser.report.sections.settings"):
        monkeypatch.setattr(f"{module}.commit", lambda: "0123456789ab")
    watched.append(os.getpid())
    yield
    watched.clear()
    events = started.copy()
    started.clear()
    assert not events
