"""Writing a file whole or not at all, and knowing it again."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ser.errors import InputError

LOCK = ".lock"  # held by the process that works in a folder
PART = ".part"  # ends the name of a file that is being written
ABSOLUTE = re.compile(r"(?<![\w/.:~-])(?:~\w*)?/(?:[^\s/'\",;:()]+/)*([^\s/'\",;:()]+)")


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file; whoever reads it sees the old one or the new one, never a part, whatever happens meanwhile.

    Args:
        path: of the file; its folder is made where it is missing.
        write: receives the open file, which can be sought in.

    Raises:
        InputError: if the file cannot be written; the old one is left as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(3).hex()}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):  # no folder, or one that nothing can be removed from: then nothing was written there
            temporary.unlink()
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def make_folder(folder: Path) -> None:
    """Make the folder of a run where it is missing.

    Raises:
        InputError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name, say
        raise InputError(f"--out {str(folder)!r}: {error}") from error


def is_in_use(folder: Path) -> bool:
    """Whether a folder holds anything but what a killed process may have left before it wrote its first file."""
    return folder.exists() and any(path.name != LOCK and path.suffix != PART for path in folder.iterdir())


def _flush_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_whole` does.

    Raises:
        InputError: if the file cannot be written; the old one is left as it was.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as `write_whole` does.

    Raises:
        InputError: if the file cannot be written; the old one is left as it was.
    """
    write_whole(path, lambda file: file.write(content))


def sweep_leftovers(folders: Iterable[Path], older_than_seconds: float = 0) -> None:
    """Remove what writers that were killed have left behind.

    Args:
        folders: to be looked at, not those below them.
        older_than_seconds: 0 where nobody else writes; elsewhere more than any writer takes.
    """
    for folder in folders:
        for path in folder.glob(f".*{PART}"):
            try:
                if time.time() - path.stat().st_mtime >= older_than_seconds:
                    path.unlink()
            except OSError:
                continue  # gone meanwhile, or not ours to remove: it is never read


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_folders(value: object) -> object:
    """A value, or lists and mappings of values, with the last name alone of every absolute path.

    Example:
        >>> without_folders({"csv": "/data/my corpus/a.csv", "out": "runs/1", "error": "'/home/me/x.wav': empty"})
        {'csv': 'a.csv', 'out': 'runs/1', 'error': "'x.wav': empty"}
    """
    if isinstance(value, dict):
        return {name: without_folders(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each) for each in value]
    if isinstance(value, Path) or (isinstance(value, str) and value.startswith(("/", "~")) and "\n" not in value):
        return Path(value).name
    return ABSOLUTE.sub(r"\1", value) if isinstance(value, str) else value
