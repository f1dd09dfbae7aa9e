"""Device and number of threads of each training."""

import os

import pytest
import torch

from ser.errors import InputError
from ser.training.devices import slots


def test_every_device_gets_its_share(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,7")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert slots("2", None) == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "5"}]
    assert slots("0,2", 4) == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "7"}] * 2
    with pytest.raises(InputError, match="3 GPU"):
        slots("4", None)


@pytest.mark.parametrize(("jobs", "threads"), [(1, None), (2, "4"), (3, "2"), (20, "1")])
def test_trainings_at_once_share_the_processors(jobs, threads, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert slots(None, jobs) == [{} if threads is None else {"OMP_NUM_THREADS": threads}] * jobs


def test_without_a_list_of_visible_gpus_all_that_there_are_are_counted(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert slots("1-1", None) == [{"CUDA_VISIBLE_DEVICES": "1"}]
    with pytest.raises(InputError, match="2 GPU"):
        slots("3", None)
