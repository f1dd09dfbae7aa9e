"""Environments of the program: SLURM's tools, closed streams, several starts in the same second."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from lightning import Trainer

from ser.training.folder import FOLDER_VARIABLE, drop_unused, name_folder
from ser.training.options.command import quieten


@pytest.fixture
def srun(tmp_path, monkeypatch):
    """SLURM's `srun` as the only program on PATH."""
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("job", [{}, {"SLURM_JOB_NAME": "bash", "SLURM_NTASKS": "4"}], ids=["no job", "interactive"])
def test_where_srun_is_installed_nothing_is_said_about_it(srun, monkeypatch, job):
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    quiet = {"logger": False, "enable_checkpointing": False, "accelerator": "cpu", "devices": 1}
    Trainer(**quiet)  # no error here, although tests turn warnings into errors
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="srun"):
            Trainer(**quiet)
        quieten()
        assert Trainer(**quiet).world_size == 1


def test_runs_that_begin_in_the_same_second_have_a_folder_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, "")  # so that it is restored afterwards
    with ThreadPoolExecutor(8) as starts:
        folders = list(starts.map(lambda _: name_folder(None, ["CNNGRU", "fold1"]), range(24)))
    assert len(set(folders)) == len(list((tmp_path / "runs").iterdir())) == 24
    assert max(folder.name.count("-") for folder in folders) <= 4, "one number after date and time"
    assert name_folder(str(folders[0]), []) == folders[0], "an empty folder of a killed start can be used"
    (folders[0] / "identity.json").touch()
    for folder in folders:
        drop_unused(folder)
    assert os.listdir("runs") == [folders[0].name]
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert name_folder(None, []).is_absolute(), "other ranks use the folder of the first one"


@pytest.mark.parametrize("unbuffered", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("--help", 0), ("nonsense", 2)])
def test_where_a_stream_is_closed_or_its_reader_has_gone_a_command_ends_as_ever(words, code, closed, unbuffered):
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, *unbuffered, "-m", "ser", words]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writing)
    assert done.returncode == code
    said = ["ser: unknown command 'nonsense'"] if code and "2>&-" not in closed else []
    assert done.stderr.splitlines()[:1] == said
