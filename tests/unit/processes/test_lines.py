"""The lines of `jobs.txt`."""

import shlex
import sys

import pytest

from ser.errors import InputError
from ser.processes.jobs import Job
from ser.processes.lines import Lines


def make_jobs(tmp_path, *finished):
    words = ["fit", "--out", str(tmp_path / "a b"), "--wandb.name", "it's $HOME; `x`"]
    return [
        Job(f"fold {fold}", [] if fold in finished else [f"run{fold}"], [*words, str(fold)], tmp_path / "log")
        for fold in (1, 2, 3)
    ]


def test_a_line_is_one_command_of_this_interpreter(tmp_path):
    jobs = make_jobs(tmp_path)
    Lines(tmp_path).write(jobs)
    lines = (tmp_path / "jobs.txt").read_text().splitlines()
    assert [shlex.split(line) for line in lines] == [[sys.executable, "-m", "ser", *job.arguments] for job in jobs]


def test_what_is_left_is_told_with_its_epochs(tmp_path, capsys):
    (tmp_path / "run1").mkdir()
    (tmp_path / "run1" / "metrics.csv").write_text("epoch,step\n1,4\n2,8\n")
    (tmp_path / "run3").mkdir()
    (tmp_path / "run3" / "metrics.csv").write_text("")  # of a full disk
    Lines(tmp_path).write(make_jobs(tmp_path, 2))
    printed = capsys.readouterr().out
    assert "  line    1  fold 1: 2 epochs recorded\n  line    3  fold 3: no epoch recorded\n" in printed
    assert "sbatch --array=1,3 --wrap" in printed
    Lines(tmp_path).write(make_jobs(tmp_path, 1, 2, 3))
    assert capsys.readouterr().out == f"\n{tmp_path / 'jobs.txt'}: 3 lines\n"


def test_a_line_break_is_refused_and_nothing_is_written(tmp_path):
    broken = Job("fold 1", ["run"], ["fit", "--wandb.name", "two\nlines"], tmp_path / "log")
    with pytest.raises(InputError, match="cannot contain a line break"):
        Lines(tmp_path).write([broken])
    assert not (tmp_path / "jobs.txt").exists()
