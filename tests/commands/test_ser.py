"""The command `ser` itself: exit codes, arguments passed to the subcommands, and help."""

import errno
import inspect
import re
import signal
import subprocess
import sys

import pytest

from ser.data import IEMOCAP, EmoDB, Manifest, Synthetic
from ser.errors import InputError
from ser.processes.interruption import Interrupted

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


def test_unknown_command_and_no_command(ser, refused):
    refused(["train"], ["unknown command 'train'"])
    assert ser().code == 2
    assert "usage: ser" in ser().out


def test_help_needs_nothing_heavy():
    code = (
        "import sys; sys.argv = ['ser', '--help']\n"
        "from ser.__main__ import main\n"
        "main(); heavy = {'torch', 'numpy', 'pandas', 'lightning', 'wandb'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ser fit --config reccap --config demo" in done.stdout


@pytest.mark.parametrize("words", [["corpus"], ["corpus", "check"]])
def test_every_command_explains_itself(ser, words):
    finished = ser(*words, "--help")
    assert finished.code == 0
    assert "usage:" in finished.out


@pytest.mark.parametrize("command", ["fit", "test", "crossval", "protocol"])
def test_help_explains_the_options_of_every_corpus(ser, command):
    finished = ser(command, "--help")
    assert finished.code == 0
    assert "usage:" in finished.out
    for corpus in (IEMOCAP, EmoDB, Manifest, Synthetic):
        section = finished.out.partition("The options of each corpus:")[2]
        section = section.partition(f"--data.corpus {corpus.__name__}:")[2].partition("--data.corpus ")[0]
        for name, parameter in inspect.signature(corpus).parameters.items():
            assert f"--data.corpus.{name} " in section
            (explained,) = re.findall(rf"^ *{name}: (\w+)", corpus.__doc__, re.MULTILINE)
            assert explained in section
            assert str(parameter.default or "null") in section
