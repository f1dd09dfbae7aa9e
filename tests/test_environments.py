"""What an ordinary machine does to the program: SLURM's tools, a home, closed streams, starts at the same moment."""

import warnings

import pytest
from lightning import Trainer

from ser.command import quieten


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
