"""The folder of a run or a cross-validation: its name, and checks that it holds nothing else."""

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
    """Refuse a folder with other files or, given the identity `now`, with another run or cross-validation.

    Raises:
        InputError: if the folder is refused or cannot be read.
    """
    with about_out(folder):
        if not (folder / IDENTITY).is_file():
            if is_in_use(folder):
                raise InputError(f"--out {folder} already holds other files; choose a new folder")
        elif now is not None:
            check_identity(read_identity(folder), now, f"--out {folder} holds a run or cross-validation that was")


def claim_folder(folder: Path, config: dict, now: dict) -> None:
    """Write `identity.json` and `config.yaml` of a new run or cross-validation, or of the same one.

    `config.yaml` is complete, for use with `--config`.

    Raises:
        InputError: if the folder holds something else, or cannot be created.
    """
    check_folder(folder, now)
    make_folder(folder)
    sweep_leftovers([folder, folder / "checkpoints"])
    kept = {key: value for key, value in config.items() if key not in ("config", "out", "outs", "ckpt_path")}
    write_identity(folder, now)  # first, since it marks the folder as a run's
    write_text(folder / "config.yaml", to_yaml(kept))


FOLDER_VARIABLE = "SER_RUN_FOLDER"  # passes the folder to the processes that Lightning starts


def name_folder(out: str | None, words: list[str]) -> Path:
    """Choose the run's folder in the first process and pass it to the others.

    Args:
        out: the option `--out`; None creates a new folder under `runs/`.
        words: the name of that new folder, followed by the time.

    Raises:
        InputError: if the folder holds anything but an interrupted run.
    """
    if int(os.environ.get("LOCAL_RANK", 0)) or int(os.environ.get("SLURM_PROCID", 0)):
        if named := os.environ.get(FOLDER_VARIABLE, out):
            return Path(named)
        raise InputError("--out FOLDER is required if torchrun or srun starts several processes")
    folder = Path(out or Path("runs") / "-".join([*words, datetime.now().strftime("%Y%m%d-%H%M%S")]))
    with about_out(folder):
        folder = folder if out else _make_new(folder)
        if (folder / "result.json").exists():
            raise InputError(f"--out {folder} already holds a finished run; choose a new folder")
        check_folder(folder)
        os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    return folder


def _make_new(folder: Path) -> Path:
    """Create the folder, with a number appended if another run began in the same second."""
    folder.parent.mkdir(parents=True, exist_ok=True)  # raises FileExistsError for a file `runs`
    new, numbers = folder, count(2)
    while True:
        try:
            new.mkdir()
            return new
        except FileExistsError:
            new = folder.with_name(f"{folder.name}-{next(numbers)}")


def drop_unused(folder: Path) -> None:
    """Remove the folder of a run that could not start, and `runs/`, if they are empty."""
    with suppress(OSError):
        os.removedirs(folder)
