"""Which training gets which device."""

import pytest

from ser.devices import slots
from ser.errors import InputError


def test_every_device_gets_its_share(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,7")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert slots("2", None) == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "5"}]
    assert slots("0,2", 4) == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "7"}] * 2
    with pytest.raises(InputError, match="3 GPU"):
        slots("4", None)
