"""The folder of a report: written beside its place and moved there whole; an earlier report may be replaced."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser.errors import InputError
from ser.files import write_text

MARKER = "report.json"  # names the files of a report, so that nothing else is ever removed
KIND = "report"


def check_folder(out: str) -> Path:
    """Where a report may be written: a new place, an empty folder, or an earlier report.

    Raises:
        InputError: if the place holds something else.
    """
    folder = Path(out).resolve()
    parent = next(each for each in folder.parents if each.exists())
    if not parent.is_dir():
        raise InputError(f"--out {out}: {parent} is a file; choose a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"--out {out}: {parent} is not yours to write to; choose another folder")
    if not folder.exists():
        return folder
    if not folder.is_dir():
        raise InputError(f"--out {out} is a file; choose a folder")
    try:
        found = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}") from error
    if others := sorted(found - _files_of_report(folder)):
        raise InputError(
            f"--out {out} holds {', '.join(others[:3])}{' and more' if len(others) > 3 else ''}, "
            "which no earlier report wrote; choose a new folder"
        )
    return folder


def _files_of_report(folder: Path) -> set[str]:
    try:
        about = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return {MARKER, *about["files"]} if about["kind"] == KIND else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, and put it in the place of `folder` when everything is there.

    An earlier report stays as it was if writing fails.

    Raises:
        InputError: if the place cannot be written to.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        beside.mkdir(parents=True)
        yield beside
        if folder.exists():
            check_folder(str(folder))  # nobody else has written there meanwhile
            folder.rename(old)
        beside.rename(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise InputError(f"--out {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def write_marker(folder: Path, about: dict) -> None:
    """`report.json`: what the report is about, and which files are its own."""
    files = sorted(path.name for path in folder.iterdir())
    text = json.dumps({"kind": KIND, **about, "files": files}, indent=2)
    write_text(folder / MARKER, text + "\n")
