"""What an ordinary machine does to the program: SLURM's tools, a home, closed streams, starts at the same moment."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from lightning import Trainer

from ser.command import quieten
from ser.run import FOLDER_VARIABLE, drop_unused, name_folder


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
    Trainer(**quiet)  # in a test as well, where warnings are errors
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="srun"):
            Trainer(**quiet)
        quieten()
        assert Trainer(**quiet).world_size == 1


def test_runs_that_begin_in_the_same_second_have_a_folder_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, "")  # put back afterwards
    with ThreadPoolExecutor(8) as starts:
        folders = list(starts.map(lambda _: name_folder(None, ["CNNGRU", "fold1"]), range(24)))
    assert len(set(folders)) == len(list((tmp_path / "runs").iterdir())) == 24
    assert name_folder(str(folders[0]), []) == folders[0], "what a killed start has left can be used"
    (folders[0] / "identity.json").touch()
    for folder in folders:
        drop_unused(folder)
    assert os.listdir("runs") == [folders[0].name]
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert name_folder(None, []).is_absolute(), "other processes write where the first one does"
