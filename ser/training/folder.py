"""The folder of a run or a cross-validation: its name, and that it holds one run alone."""

import os
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from ser.errors import InputError
from ser.files import about_out, is_in_use, make_folder, sweep_leftovers, write_text
from ser.results.identity import IDENTITY, check_identity, read_identity, write_identity
from ser.training.options.configuration import to_yaml


def check_folder(folder: Path, now: dict | None = None) -> None:
    """Refuse a folder that holds something else than the run or cross-validation of this identity, or than any run.

    Raises:
        InputError: if it does, or cannot be read.
    """
    with about_out(folder):
        if not (folder / IDENTITY).is_file():
            if is_in_use(folder):
                raise InputError(f"--out {folder} holds something else already; choose a new folder")
        elif now is not None:
            check_identity(read_identity(folder), now, f"--out {folder} holds something that was")


def claim_folder(folder: Path, config: dict, now: dict) -> None:
    """Begin a run or a cross-validation in a folder, or go on with the same one.

    It then holds `config.yaml`, complete and ready for `--config`, and `identity.json`.

    Raises:
        InputError: if the folder holds something else, or cannot be made.
    """
    check_folder(folder, now)
    make_folder(folder)
    sweep_leftovers([folder, folder / "checkpoints"])
    kept = {key: value for key, value in config.items() if key not in ("config", "out", "out_swapped", "ckpt_path")}
    write_identity(folder, now)  # first: it marks the folder as a run's
    write_text(folder / "config.yaml", to_yaml(kept))


FOLDER_VARIABLE = "SER_RUN_FOLDER"  # tells the processes that Lightning starts where the first one writes


def name_folder(out: str | None, words: list[str]) -> Path:
    """Choose the folder of a new run in the first process and tell the others; without `out` it is made at once.

    Args:
        out: what the user asked for; without it a new folder under `runs/`.
        words: the name of such a new folder, before the time.

    Raises:
        InputError: if the folder holds anything but a run that was interrupted.
    """
    if int(os.environ.get("LOCAL_RANK", 0)) or int(os.environ.get("SLURM_PROCID", 0)):
        if named := os.environ.get(FOLDER_VARIABLE, out):
            return Path(named)
        raise InputError("where several processes are started from outside, --out FOLDER is needed")
    folder = Path(out or Path("runs") / "-".join([*words, datetime.now().strftime("%Y%m%d-%H%M%S")]))
    with about_out(folder):
        folder = folder if out else _make_new(folder)
        if (folder / "result.json").exists():
            raise InputError(f"--out {folder} holds a finished run already; choose a new folder")
        check_folder(folder)
        os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    return folder


def _make_new(folder: Path) -> Path:
    """Make a folder of this name, or of the next free one: another run may have begun in the same second."""
    folder.parent.mkdir(parents=True, exist_ok=True)  # refused here, not taken for a folder that is there
    new, numbers = folder, count(2)
    while True:
        try:
            new.mkdir()
            return new
        except FileExistsError:
            new = folder.with_name(f"{folder.name}-{next(numbers)}")


def drop_unused(folder: Path) -> None:
    """Remove the folder of a run that could not begin, and `runs/` with it, if they are empty."""
    with suppress(OSError):
        os.removedirs(folder)
