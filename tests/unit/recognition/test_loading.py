"""Which checkpoints a path stands for, and what is said if there is none."""

import os

import pytest
import torch

from ser.errors import InputError
from ser.recognition.loading import find_checkpoints
from tests.slow.faults.hostile_files import sound


def test_a_checkpoint_is_found_by_its_path(tmp_path):
    torch.save(sound(), tmp_path / "a.ckpt")
    found = find_checkpoints(str(tmp_path / "a.ckpt"))
    assert list(found) == [tmp_path / "a.ckpt"]
    assert found[tmp_path / "a.ckpt"]["system"] == "CNNGRU"


def test_no_such_checkpoint(tmp_path):
    with pytest.raises(InputError, match="none: no such checkpoint"):
        find_checkpoints(tmp_path / "none")


def test_a_folder_without_a_system(tmp_path):
    with pytest.raises(InputError, match="there is no trained system"):
        find_checkpoints(tmp_path)


def test_an_unfinished_run_names_its_newest_checkpoint(tmp_path):
    for age, name in ((5, "seed1-fold01/checkpoints/last.ckpt"), (1, "seed1-fold02/checkpoints/a.ckpt")):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    with pytest.raises(InputError, match=r"not finished.*seed1-fold02/checkpoints/a\.ckpt$"):
        find_checkpoints(tmp_path)


def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch):
    torch.save(sound(), tmp_path / "a.ckpt")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no run was given"):
        find_checkpoints("")
