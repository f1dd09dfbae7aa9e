"""Forked processes: environment, exit code, and their end when the parent dies. Freed memory is reused."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ser import __version__
from ser.commands import main
from ser.errors import InputError
from ser.processes.forked import LAST_SECONDS, CannotFork, Forked, Starter, StarterDied
from ser.processes.jobs import only_one
from ser.sweep.workers.worker import STORAGE
from tests.conftest import CONF
from tests.process import Command, children_of


@pytest.fixture
def starter():
    with Starter(main, ("ser.commands.fit",)) as starter:
        yield starter


@pytest.fixture
def training(tiny, tmp_path):
    """A training that outlasts every test."""
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 500, "--out", tmp_path / "run"]
    return ["fit", *map(str, options)]


def wait_until(condition, seconds=120):
    for _ in range(round(seconds / 0.02)):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError(condition)


def test_its_exit_code_and_its_output(starter, tmp_path):
    told = Forked(starter, ["--version"], tmp_path / "version")
    refused = Forked(starter, ["fit"], tmp_path / "refused")
    assert told.wait(60) == 0
    assert refused.wait(60) == 2
    assert (tmp_path / "version").read_text() == f"ser {__version__}\n"
    assert (tmp_path / "refused").read_text().startswith("ser: ")
    for each in (told, refused):
        each.terminate()  # it has exited; no signal is sent
        each.close()


def test_it_runs_in_the_folder_and_with_the_variables_of_this_moment(starter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STORAGE, "sqlite:////nowhere/this-moment.db")
    study = CONF.parent / "sweeps" / "demo.yaml"
    worker = ["sweep-worker", "--config", str(study), "--out", ".", "--worker", "0"]
    logs = Path("this-moment"), Path("its-own")
    of_this_moment = Forked(starter, worker, logs[0])
    its_own = Forked(starter, worker, logs[1], environment={STORAGE: "sqlite:////nowhere/its-own.db"})
    for forked, log in zip((of_this_moment, its_own), logs, strict=True):
        assert forked.wait(60) == 2
        assert f"/nowhere/{log}.db" in log.read_text()
        forked.close()


def test_it_alone_holds_the_lock_that_it_is_given(starter, training, tmp_path):
    with only_one(tmp_path) as lock:
        forked = Forked(starter, training, tmp_path / "log", lock)
    with pytest.raises(InputError, match="is in use by another process"), only_one(tmp_path, wait_seconds=0):
        pass
    os.kill(forked.pid, signal.SIGKILL)
    forked.close()
    with only_one(tmp_path, wait_seconds=5):
        pass


def test_a_signal_that_ends_it_is_its_exit_code(starter, training, tmp_path):
    forked = Forked(starter, training, tmp_path / "log")
    wait_until((tmp_path / "run" / "metrics.csv").exists)
    os.kill(forked.pid, signal.SIGKILL)
    assert forked.wait(60) == -signal.SIGKILL
    forked.close()


def test_a_signal_to_every_process_of_a_job_does_not_end_the_starter(starter, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(starter.pid, number)
    forked = Forked(starter, ["--version"], tmp_path / "log")
    assert forked.wait(60) == 0
    forked.close()


def test_it_ends_in_order_when_its_launcher_has_died(starter, training, tmp_path):
    """Only one direction of the connection is closed, so that the test can still read the exit code."""
    forked = Forked(starter, training, tmp_path / "log")
    wait_until((tmp_path / "run" / "metrics.csv").exists)
    with socket.socket(fileno=os.dup(forked.connection.fileno())) as launcher:
        launcher.shutdown(socket.SHUT_WR)
    assert forked.wait(60) == 128 + signal.SIGTERM
    assert "finished work is kept" in (tmp_path / "log").read_text()
    assert forked.progress, "it has reported progress"
    forked.close()


def test_it_is_killed_where_it_hangs_and_its_launcher_has_died(starter, training, tmp_path):
    forked = Forked(starter, training, tmp_path / "log")
    wait_until((tmp_path / "run" / "metrics.csv").exists)
    os.kill(forked.pid, signal.SIGSTOP)
    with socket.socket(fileno=os.dup(forked.connection.fileno())) as launcher:
        launcher.shutdown(socket.SHUT_WR)
    try:
        assert forked.wait(LAST_SECONDS + 20) == -signal.SIGKILL
    finally:
        with suppress(ProcessLookupError):
            os.kill(forked.pid, signal.SIGKILL)
    forked.close()


def test_many_files_and_processes_are_not_left_open(starter, tmp_path):
    def count() -> tuple[int, int, int]:
        here, there = (len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), starter.pid))
        return here, there, len(children_of(starter.pid))

    before = count()
    for place in range(8):
        forked = Forked(starter, ["--version"], tmp_path / str(place))
        forked.close()
        assert forked.code == 0
    wait_until(lambda: count() == before, 10)


def test_where_the_ends_of_children_are_ignored(tmp_path):
    """Some supervisors start their children with SIGCHLD ignored."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Starter(main, ()) as starter:
            forked = Forked(starter, ["--version"], tmp_path / "log")
            assert forked.wait(60) == 0
            forked.close()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_no_file_is_opened_in_the_place_of_a_standard_stream(tmp_path):
    """In a program started with descriptors 0 to 2 closed, they refer to the null device."""
    code = (
        "import os; from pathlib import Path; from ser.processes.forked import Starter; starter = Starter(len, ());"
        "links = [os.readlink(f'/proc/self/fd/{number}') for number in range(3)];"
        f"Path({str(tmp_path / 'found')!r}).write_text(' '.join(links))"
    )
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    assert subprocess.run(closed, check=False, timeout=120).returncode == 0
    assert (tmp_path / "found").read_text().split() == [os.devnull] * 3


def test_a_starter_that_is_killed(training, tmp_path):
    """A running training continues and its exit code is read; starting another one raises an error."""
    with Starter(main, ()) as starter:
        forked = Forked(starter, training, tmp_path / "log")
        os.kill(starter.pid, signal.SIGKILL)
        wait_until((tmp_path / "run" / "metrics.csv").exists)
        with pytest.raises(CannotFork):  # the first request can be sent, but is not answered
            Forked(starter, ["--version"], tmp_path / "none")
        with pytest.raises(StarterDied):
            Forked(starter, ["--version"], tmp_path / "none")
        forked.terminate()
        assert forked.wait(60) == 128 + signal.SIGTERM
        forked.close()


def test_a_guard_that_is_killed(starter, training, tmp_path):
    """The training's exit code is lost; the training is terminated."""
    forked = Forked(starter, training, tmp_path / "log")
    wait_until((tmp_path / "run" / "metrics.csv").exists)
    os.kill(int(Path(f"/proc/{forked.pid}/stat").read_text().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    assert forked.wait(60) == 255
    forked.close()
    wait_until(lambda: "finished work is kept" in (tmp_path / "log").read_text(), 60)


def test_a_cross_validation_whose_starter_is_killed_says_so_and_goes_on(tiny, tmp_path):
    folder = tmp_path / "folds"
    words = ["crossval", "--config", CONF / "cnn_gru.yaml", *tiny, "--data.protocol", "wu2019", "--folds", "1-2"]
    process = Command([*words, "--jobs", 1, "--out", folder], tmp_path / "out", tmp_path / "err")
    process.until((folder / "seed1-fold01" / "identity.json").exists)
    (starter,) = children_of(process.pid)
    os.kill(starter, signal.SIGKILL)
    ended = process.wait(300)
    assert ended.code == 2
    assert "fold 2: the process that forks the trainings was killed" in ended.err
    assert "Traceback" not in ended.err
    assert (folder / "seed1-fold01" / "result.json").is_file()
    again = Command([*words, "--jobs", 1, "--out", folder], tmp_path / "out", tmp_path / "err").wait(300)
    assert again.code == 0, again.err
    assert "1 (1 finished before)" in again.out


PROGRAM = """
import resource
import numpy as np
from ser.processes.allocator import keep_freed_memory
assert keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        block = np.ones(2**26, np.uint8)  # 64 MiB, written to
        del block
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is only configured for glibc")
def test_a_freed_block_of_64_mib_costs_no_page_the_next_time():
    """By default, each of the six blocks is newly mapped and its pages are zeroed."""
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    first, second = map(int, found.stdout.split())
    assert second < 16 < 32 <= first, "a block is 32 huge pages, or 16384 others"
