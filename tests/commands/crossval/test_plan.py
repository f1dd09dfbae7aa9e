"""`ser crossval --plan`: its lines run in any order and more than once, and pool to the result of one command."""

import shlex
import shutil
import subprocess

import pytest

from tests.conftest import CONF

TABLES = ("predictions.csv", "validation.csv")


@pytest.fixture
def planned(ser, two_epochs, tmp_path):
    """The command line of a cross-validation with `--plan`, its folder and the lines that it has written."""
    folder = tmp_path / "a folder"
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--plan", "--out", folder]
    first = ser(*words)
    assert first.code == 0, first.err
    return words, folder, (folder / "jobs.txt").read_text().splitlines(), first.out


def test_lines_pool_to_the_result_of_one_command(ser, undisturbed, planned, tmp_path, monkeypatch):
    words, folder, lines, printed = planned
    assert len(lines) == 5
    assert "to train    5 (0 finished before), by the lines of jobs.txt" in printed
    assert [line.split() for line in printed.splitlines() if line.startswith("  line ")] == [
        f"line {fold} fold {fold}: no epoch recorded".split() for fold in range(1, 6)
    ]
    assert "sbatch --array=1-5 " in printed
    assert not (folder / "result.json").exists()
    monkeypatch.chdir(tmp_path)  # a line can be run from any folder
    for number in (5, 2, 3, 1):
        finished = ser(*shlex.split(lines[number - 1])[3:])
        assert finished.code == 0, finished.err
    some = ser(*words)
    assert some.code == 0, some.err
    assert "1 (4 finished before)" in some.out
    assert "4 of 5 runs)" in some.out
    assert [line for line in some.out.splitlines() if line.startswith("  line ")] == [
        "  line    4  fold 4: no epoch recorded"
    ]
    assert "sbatch --array=4 " in some.out
    assert (folder / "jobs.txt").read_text().splitlines() == lines, "the numbers of lines that run now stay valid"
    assert not (folder / "result.json").exists()
    ended = subprocess.run(["bash", "-c", f'eval "$(sed -n 4p {shlex.quote(str(folder / "jobs.txt"))})"'], check=False)
    assert ended.returncode == 0
    last = ser(*words)
    assert last.code == 0, last.err
    for name in TABLES:
        assert (folder / name).read_bytes() == (undisturbed[0] / name).read_bytes()
        for fold in range(1, 6):
            run = f"seed1-fold{fold:02d}/{name}"
            assert (folder / run).read_bytes() == (undisturbed[0] / run).read_bytes()
    assert "line " not in last.out
    shown = "Test: WA"
    assert (
        last.out[last.out.index(shown) :].partition("This result")[0]
        == (undisturbed[1][undisturbed[1].index(shown) :].partition("This result")[0])
    )


def test_a_finished_line_changes_nothing(ser, undisturbed, planned):
    _, folder, lines, _ = planned
    shutil.copytree(undisturbed[0] / "seed1-fold02", folder / "seed1-fold02")
    before = {path: path.stat().st_mtime_ns for path in (folder / "seed1-fold02").rglob("*")}
    again = ser(*shlex.split(lines[1])[3:])
    assert (again.code, again.err) == (0, "")
    assert again.out == f"finished before: {folder / 'seed1-fold02'}\n"
    assert {path: path.stat().st_mtime_ns for path in (folder / "seed1-fold02").rglob("*")} == before


def test_lines_of_other_folds_are_numbered_anew(ser, planned):
    words, folder, lines, _ = planned
    fewer = ser(*words, "--folds", "2,4")
    assert fewer.code == 0, fewer.err
    assert (folder / "jobs.txt").read_text().splitlines() == [lines[1], lines[3]]
    assert "they are others than before, and are numbered anew" in fewer.out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--jobs", 2], "--jobs is about the trainings of this machine; leave it out with --plan"),
        (["--devices", "0"], "--devices is about the trainings of this machine"),
        (["--submit", "slurm.yaml"], "give one of the two"),
    ],
)
def test_options_that_contradict_a_plan(ser, two_epochs, tmp_path, more, words):
    folder = tmp_path / "none"
    refused = ser("crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--plan", *more, "--out", folder)
    assert refused.code == 2
    assert words in refused.err
    assert not folder.exists()
