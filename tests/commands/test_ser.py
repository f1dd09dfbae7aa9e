"""The command `ser` itself: which exit code it has, and what it hands over."""

import errno
import signal
from types import SimpleNamespace

import pytest

from ser.errors import InputError
from ser.processes.interruption import Interrupted
from ser.training.options.run_options import plain_seed
from ser.training.run import validated

SLURMS = Interrupted(signal.SIGUSR1)
SLURMS.command = "ser report again"


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (InputError("x is 3"), 2, "ser: x is 3\n"),
        (OSError(errno.ENOSPC, "No space left", "/x"), 2, "ser: /x: No space left\n"),
        (KeyboardInterrupt(), 130, "ser: interrupted\n"),
        (SLURMS, 138, "SIGUSR1: finished work is kept; to continue:\nser report again\n"),
    ],
)
def test_what_ends_a_command_is_its_exit_code(ser, monkeypatch, raised, code, words):
    def end(arguments):
        raise raised

    monkeypatch.setattr("ser.commands.report.main", end)
    finished = ser("report", "folder")
    assert (finished.code, finished.out) == (code, "")
    assert finished.err.endswith(words)


def test_a_command_gets_what_stands_behind_its_name(ser, monkeypatch):
    monkeypatch.setattr("ser.commands.report.main", lambda arguments: len(arguments))
    assert ser("report", "a", "b", "c").code == 3


def test_a_seed_can_be_repeated():
    assert (plain_seed(0), plain_seed(2**32 - 1)) == (0, 4294967295)
    for seed in (True, False, -1, 2**32):
        with pytest.raises(InputError, match=f"seed_everything is {seed}, but must be"):
            plain_seed(seed)


def test_a_trial_of_a_study_looks_at_its_validation_set_alone(tmp_path):
    done = []
    run = SimpleNamespace(best=tmp_path / "best.ckpt", record_config=lambda: done.append("record"))
    run.train, run.evaluate = lambda: done.append("train"), lambda *given: done.append(given)
    validated(run)
    assert done == ["record", "train", (tmp_path / "best.ckpt", "val")]
