"""Devices of parallel trainings, and device names."""

import os
from typing import Annotated

import torch
from pydantic import Field

from ser.bounds import checked
from ser.errors import InputError
from ser.training.options.arguments import parse_numbers


@checked()
def slots(devices: str | None, jobs: Annotated[int | None, Field(ge=1, le=1024)]) -> list[dict[str, str]]:
    """The environment variables of each of the trainings that run at once.

    Args:
        devices: how many GPUs, or which, as 0,2; None assigns none.
        jobs: number of trainings at once; None for one per device.

    Raises:
        InputError: for GPUs that this machine does not have, or fewer than one training.
    """
    names = [{}]
    if devices is not None:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        there = visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]
        listed = parse_numbers("devices", devices)
        wanted = listed if "," in devices or "-" in devices else list(range(listed[0]))
        if not wanted or max(wanted) >= len(there):
            raise InputError(f"devices is {devices}, but this machine has {len(there)} GPU(s)")
        names = [{"CUDA_VISIBLE_DEVICES": there[number]} for number in wanted]
    number = jobs or len(names)
    threads = {}
    if number > 1 and "OMP_NUM_THREADS" not in os.environ:
        threads["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // number))
    return [{**names[place % len(names)], **threads} for place in range(number)]


def device_name(device: torch.device) -> str:
    """The name of a GPU, or the type of another device ("cpu")."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
