"""Find runs in folders: of `ser fit`, `ser crossval`, `ser sweep`, `ser transfer` and `ser test`."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ser.paths import text_of

FOLD = re.compile(r"seed\d+-fold\d+")
FILES_OF_RUN = {"result.json", "identity.json", "metrics.csv"}
PARTS_OF_RUN = ("checkpoints", "csv", "slurm", "tensorboard", "wandb")  # folders that hold no run


@dataclass(frozen=True)
class Place:
    """A run's folder.

    Args:
        folder: absolute.
        name: the path below the folder that contains all runs of the page.
        is_several: whether it holds folds in folders of their own.
    """

    folder: Path
    name: str
    is_several: bool

    @property
    def is_of_trial(self) -> bool:
        return self.folder.parent.parent.name == "trials" and FOLD.fullmatch(self.folder.name) is not None

    @property
    def is_fold(self) -> bool:
        """Whether it is a fold of a cross-validation, finished or not."""
        return FOLD.fullmatch(self.folder.name) is not None and _is_run(self.folder.parent)


def find_runs(folders: Iterable[str | Path]) -> tuple[list[Place], dict[str, str]]:
    """Every run in these folders and below, each once, and the folders that could not be searched, with the cause.

    Links to folders are followed. Nothing is searched below a training.
    """
    found: dict[Path, bool] = {}
    unread: dict[str, str] = {}
    seen: set[str] = set()
    for folder in folders:
        for path, is_several in _search(Path(os.path.abspath(folder)), seen, unread):
            found[path] = is_several
    common = os.path.commonpath([path.parent for path in found]) if found else ""
    return [Place(path, text_of(os.path.relpath(path, common)), found[path]) for path in found], unread


def _search(folder: Path, seen: set[str], unread: dict[str, str]) -> Iterator[tuple[Path, bool]]:
    if (real := os.path.realpath(folder)) in seen:
        return
    seen.add(real)
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
        files = {entry.name for entry in listed if not entry.is_dir()}
        below = [entry.name for entry in listed if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        unread[text_of(str(folder))] = error.strerror or str(error)
        return
    is_run = bool(FILES_OF_RUN & files) and "study.yaml" not in files
    if is_run:
        yield folder, any(map(FOLD.fullmatch, below))
    if "metrics.csv" not in files:
        for name in below:
            if not (is_run and name in PARTS_OF_RUN):
                yield from _search(folder / name, seen, unread)


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES_OF_RUN)
