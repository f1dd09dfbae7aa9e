"""Parallel trainings: their devices, their progress and its display."""

import multiprocessing
from types import SimpleNamespace

import pytest

from ser.errors import InputError
from ser.processes.forked import Forked, tell_launcher
from ser.processes.jobs import Job, Running, last_lines, only_one, run_jobs

TOLD = [
    {"step": 4, "steps": 8, "epoch": "epoch  1/2"},
    {"step": 6, "steps": 8},
    {"step": 8, "steps": 8, "epoch": "epoch  2/2"},
]


@pytest.fixture
def running(tmp_path, monkeypatch):
    """A job whose process is one end of a pipe, the other end of it, and the text of its bar."""
    here, there = multiprocessing.Pipe()

    class Piped(Forked):
        def __init__(self, *given):
            self.connection, self.code, self.progress = here, None, []

    monkeypatch.setattr("ser.processes.jobs.Forked", Piped)
    monkeypatch.setattr("ser.processes.forked.launcher", there)
    running, shown = Running(None, Job("fold 1", [], [], tmp_path / "log"), {}, 0, None), []
    running.bar = SimpleNamespace(disable=False, set_postfix_str=shown.append)
    with here, there:
        yield running, there, shown


@pytest.mark.parametrize(
    ("bars", "terminal", "printed"),
    [
        (False, False, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),
        (True, False, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),  # only standard error is a terminal
        (False, True, ["fold 1: epoch  1/2", "fold 1: epoch  2/2"]),  # only standard output is one
        (True, True, []),
    ],
)
def test_epochs_are_printed_unless_bars_show_them(bars, terminal, printed, running, monkeypatch, capsys):
    job, _, _ = running
    job.bar.disable = not bars
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    for told in TOLD:
        job.process.progress.append(told)
        job.show()
    job.show()
    assert capsys.readouterr().out.splitlines() == printed
    assert (job.bar.n, job.bar.total) == (8, 8)


def test_each_training_has_a_device_of_its_own_and_the_next_one_that_of_the_first_that_ends(tmp_path, monkeypatch):
    """Five jobs on two devices; the one on the second takes as long as the four others."""
    begun, ended, running = [], [], {}

    class Training:
        def __init__(self, starter, arguments, log, lock, environment):
            (self.name,), self.device = arguments, environment["CUDA_VISIBLE_DEVICES"]
            assert self.device not in running, "one training at a time on a device"
            running[self.device] = self
            begun.append((self.name, self.device))
            self.turns, self.connection, self.progress = {"4": 1, "7": 4}[self.device], None, []

        def wait(self, seconds):
            self.turns -= 1
            return None if self.turns else 1 if self.name == "b" else 0

        def close(self):
            del running[self.device]

    monkeypatch.setattr("ser.processes.jobs.Forked", Training)
    monkeypatch.setattr("ser.processes.jobs.wait", lambda connections, seconds: None)
    jobs = [Job(name, [name], [name], tmp_path / name) for name in "abcde"]
    devices = [{"CUDA_VISIBLE_DEVICES": number} for number in ("4", "7")]
    run_jobs(None, jobs, devices, 0, lambda job, code, seconds: ended.append((job.title, code)))
    assert begun == [("a", "4"), ("b", "7"), ("c", "4"), ("d", "4"), ("e", "4")]
    assert sorted(ended) == [("a", 0), ("b", 1), ("c", 0), ("d", 0), ("e", 0)]


def test_a_folder_is_held_by_one(tmp_path):
    refused = pytest.raises(InputError, match="is in use by another process")
    with only_one(tmp_path), refused, only_one(tmp_path, wait_seconds=0):
        pass
    with only_one(tmp_path, wait_seconds=0):
        pass


def test_of_a_log_the_end_is_shown(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(9)) + b"cause \xff\n")
    assert last_lines(log, 3).splitlines() == ["    line 7", "    line 8", "    cause \ufffd"]
    assert len(last_lines(log).splitlines()) == 5


def test_what_a_training_tells_is_what_is_shown_of_it(running, monkeypatch):
    job, training, shown = running
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    tell_launcher(3, 8, {})
    tell_launcher(5, 8, {"val/wa": 0.625, "val/ua": 0.5}, "epoch  1/2")
    assert job.process.wait(0) is None
    job.show()
    assert (job.bar.n, job.bar.total, shown) == (5, 8, ["", "validation  WA 62.5 %  UA 50.0 %"])
    tell_launcher(8, 8, {})
    training.send(3)
    assert job.process.wait(0) == 3, "its guard has reported its end"
    job.show()
    assert job.bar.n == 8, "earlier messages are counted"


def test_a_launcher_that_has_died_is_told_nothing_and_a_guard_that_has_died_reports_nothing(running):
    job, *_ = running
    here, there = multiprocessing.Pipe()
    job.process.connection.close()
    tell_launcher(6, 8, {})  # no error
    job.process.connection = here
    there.close()
    assert job.process.wait(60) == 255
