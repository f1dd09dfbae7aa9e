"""Find the checkpoints of a run, of a cross-validation, or a single one."""

import os
from pathlib import Path

from ser.checkpoint.reading import read_checkpoint
from ser.checkpoint.trained import read_checkpoints, read_trained
from ser.errors import InputError


def find_checkpoints(path: str | Path) -> dict[Path, dict]:
    """Path and contents of each checkpoint.

    Args:
        path: folder of a finished `ser fit` or `ser crossval`, a checkpoint, or exported weights.

    Raises:
        InputError: if there is none, it is not finished, or it cannot be used.
    """
    if not os.fspath(path):
        raise InputError("no run was given; give the folder of a run, or a checkpoint")
    place = Path(path)
    if not place.is_dir():
        return {place: read_checkpoint(place)}
    if not (place / "result.json").is_file():
        found = sorted(place.glob("**/checkpoints/*.ckpt"))
        if not found:
            raise InputError(f"{place}: there is no trained system (no result.json, no checkpoint)")
        newest = max(found, key=lambda each: each.stat().st_mtime)
        raise InputError(
            f"{place}: not finished (no result.json). The command that began it continues it; a checkpoint can be used "
            f"as it is: {newest}"
        )
    return dict(read_checkpoints(place, read_trained(place)).values())
