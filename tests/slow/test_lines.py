"""A line of `jobs.txt` that is killed, and that two machines run at once, leaves the result of an undisturbed one."""

import json
import shlex

import pandas as pd
import pytest

from tests.conftest import CONF
from tests.process import Command


@pytest.fixture
def line(ser, two_epochs, tmp_path):
    """The words of fold 3, as arguments of `ser`, and its folder."""
    folder = tmp_path / "planned"
    planned = ser("crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--plan", "--out", folder)
    assert planned.code == 0, planned.err
    words = shlex.split((folder / "jobs.txt").read_text().splitlines()[2])[3:]
    return words, folder / "seed1-fold03"


def check_same(run, undisturbed):
    for name in ("predictions.csv", "validation.csv", "metrics.csv"):
        assert (run / name).read_bytes() == (undisturbed[0] / run.name / name).read_bytes()


def test_a_killed_line_continues(line, undisturbed, tmp_path):
    """kill -9 between the two epochs."""
    words, run = line
    process = Command(words, tmp_path / "log")
    process.until((run / "checkpoints" / "last.ckpt").exists)
    process.kill()
    assert pd.read_csv(run / "metrics.csv").epoch.tolist() == [1]
    assert not (run / "result.json").exists()
    again = Command(words, tmp_path / "again").wait(120)
    assert again.code == 0, again.out
    assert "continues   from" in again.out
    check_same(run, undisturbed)


def test_a_line_that_runs_twice_at_once_trains_once(line, undisturbed, tmp_path):
    words, run = line
    both = [Command(words, tmp_path / f"log{number}") for number in (1, 2)]
    ended = [process.wait(180) for process in both]
    check_same(run, undisturbed)
    outs = [finished.out for finished in ended]
    trained = [out for out in outs if "epoch  2/2" in out]
    assert len(trained) == 1, outs
    (other,) = [finished for finished in ended if "epoch  2/2" not in finished.out]
    assert (other.code, "finished before" in other.out) == (0, True) or (
        other.code == 2 and "is in use by another process" in other.out
    ), other
    assert sorted(finished.code for finished in ended)[0] == 0
    assert json.loads((run / "result.json").read_text())["fold"] == 3
