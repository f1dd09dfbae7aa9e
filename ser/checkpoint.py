"""Reading a checkpoint: data only, and the system in it."""

from __future__ import annotations

from pathlib import Path

import torch

from ser.errors import InputError
from ser.system import System
from ser.systems import SYSTEMS


def read_checkpoint(path: str | Path) -> dict:
    """What a checkpoint of this project holds, on the CPU; nothing in it is executed.

    Raises:
        InputError: if there is no such local file, or it is not one of this project's checkpoints.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint (local files only)")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises anything from KeyError to UnpicklingError on a foreign file
        raise InputError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(checkpoint, dict) or checkpoint.get("system") not in SYSTEMS:
        raise InputError(f"{path}: not a checkpoint of one of the systems {', '.join(SYSTEMS)}")
    return checkpoint


def load_weights(system: System, path: str | Path) -> None:
    """Give a system the weights and statistics of a checkpoint.

    Raises:
        InputError: as `read_checkpoint`, or if names or shapes do not fit the system.
    """
    try:
        system.load_state_dict(read_checkpoint(path)["state_dict"])
    except RuntimeError as error:
        raise InputError(f"{path} does not fit {type(system).__name__} as configured: {error}") from error


def load(path: str | Path) -> System:
    """The system of a checkpoint, ready to hear: `load(path).posterior(waveform, lengths)` needs nothing else.

    Raises:
        InputError: as `read_checkpoint`.
    """
    checkpoint = read_checkpoint(path)
    system = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
    load_weights(system, path)
    return system.eval()


def exchange_roles(path: Path, target: Path) -> None:
    """Write a checkpoint for the other direction of its session: who validated is tested, and the reverse.

    Args:
        path: of this direction, or of the other one without its roles.
        target: where the other direction's is written; one that has its roles already is left alone.
    """
    checkpoint = read_checkpoint(path)
    if path == target and checkpoint.get("exchanged"):
        return
    for entry in ("speakers", "recordings"):
        sets = checkpoint[entry]
        checkpoint[entry] = {"train": sets["train"], "val": sets["test"], "test": sets["val"]}
    checkpoint["exchanged"] = True
    temporary = target.with_suffix(".part")
    torch.save(checkpoint, temporary)
    temporary.replace(target)
