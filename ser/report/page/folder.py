"""The folder of a report: written under a temporary name and renamed; it replaces an earlier report."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser.errors import InputError
from ser.files import about_out, write_text

KIND = "report"
MARKER = "report.json"  # lists the files of a report, so that no other file is removed; "KIND.json" for another page


def check_folder(out: str, kind: str = KIND) -> Path:
    """The folder to write a page to; it must be new, empty, or an earlier page of this kind.

    Raises:
        InputError: if it has other files, or cannot be written to.
    """
    folder = Path(out).resolve()
    parent = next(each for each in folder.parents if each.exists())
    for place in (parent, folder):
        if place.exists() and not place.is_dir():
            raise InputError(f"--out {out}: {place} is a file; choose a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"--out {out}: no permission to write to {parent}; choose another folder")
    with about_out(folder):
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if others := sorted(found - _files_of_page(folder, kind)):
        listed = ", ".join(others[:3]) + (" and more" if others[3:] else "")
        raise InputError(f"--out {out} holds {listed}, which no earlier {kind} wrote; choose a new folder")
    return folder


def _files_of_page(folder: Path, kind: str) -> set[str]:
    marker = f"{kind}.json"
    try:
        about = json.loads((folder / marker).read_text(encoding="utf-8"))
        return {marker, *about["files"]} if about["kind"] == kind else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextmanager
def new_folder(folder: Path, kind: str = KIND) -> Iterator[Path]:
    """Yield a temporary folder, and rename it to `folder` when everything is written.

    If writing fails, an earlier report is unchanged.

    Raises:
        InputError: if the folder cannot be written to.
    """
    partial, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("partial", "old"))
    try:
        with about_out(folder):
            partial.mkdir(parents=True)
            yield partial
            if folder.exists():
                check_folder(str(folder), kind)  # another process may have written there meanwhile
                folder.rename(old)
            partial.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def write_marker(folder: Path, about: dict, kind: str = KIND) -> None:
    """Write `report.json` with `about` and the list of the page's files, or the same for another kind."""
    files = sorted(path.name for path in folder.iterdir())
    text = json.dumps({"kind": kind, **about, "files": files}, indent=2)
    write_text(folder / f"{kind}.json", text + "\n")
