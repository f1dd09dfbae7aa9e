"""Atomic file writes, checks of output paths, and file digests."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ser.errors import InputError

LOCK = ".lock"  # locked by the process that uses a folder
PART = ".part"  # suffix of a file that is being written
ABSOLUTE = re.compile(r"(?<![\w/.:~-])(?:~\w*)?/(?:[^\s/'\",;:()]+/)*([^\s/'\",;:()]+)")


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file atomically: readers see the old file or the new one, even after a crash.

    Args:
        path: its folder is created if missing.
        write: receives the open file, which is seekable.

    Raises:
        InputError: if the file cannot be written; the old file is kept.
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
        with suppress(OSError):  # no temporary file if the folder is missing or read-only
            temporary.unlink()
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def _flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new file name survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file with `write_whole`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes with `write_whole`."""
    write_whole(path, lambda file: file.write(content))


def new_file(
    option: str, path: str | Path, endings: tuple[str, ...] = (), own: bytes = b"", make_folder: bool = False
) -> Path:
    """Check that a command may write a file: a new one, or one that replaces its own earlier output.

    Args:
        option: name of the option, for messages.
        endings: allowed suffixes; empty allows any.
        own: regular expression for the first bytes of the command's own files; empty replaces no file.
        make_folder: accept a missing folder, because writing the file creates it.

    Raises:
        InputError: if the suffix is not allowed, the folder is missing, or the name is taken.
    """
    file = Path(path)
    if endings and file.suffix not in endings:
        raise InputError(f"{option} is {path}, but must end in {' or '.join(endings)}")
    if not make_folder and not file.parent.is_dir():
        raise InputError(f"{option} {file}: there is no folder {file.parent}")
    if os.path.lexists(file) and not (own and file.is_file() and re.match(own, _beginning(file), re.DOTALL)):
        foreign = " and was not written by this command" if own else ""
        raise InputError(f"{option} {file} exists already{foreign}; choose another name")
    return file


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(1000)


@contextmanager
def about_out(folder: Path) -> Iterator[None]:
    """Turn system errors inside into an InputError that names `--out`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror or error}") from error
    except ValueError as error:
        if "null byte" not in str(error):
            raise
        raise InputError(f"--out {str(folder)!r}: {error}") from error


def make_folder(folder: Path) -> None:
    """Create the folder of a run if it is missing.

    Raises:
        InputError: if it cannot be created.
    """
    with about_out(folder):
        folder.mkdir(parents=True, exist_ok=True)


def is_in_use(folder: Path) -> bool:
    """Whether a folder holds more than a lock and unfinished files, which a killed process can leave behind."""
    return folder.exists() and any(path.name != LOCK and path.suffix != PART for path in folder.iterdir())


def sweep_leftovers(folders: Iterable[Path], older_than_seconds: float = 0) -> None:
    """Remove the unfinished files of killed writers from folders, but not from their subfolders.

    Args:
        older_than_seconds: 0 if no other process writes there, otherwise longer than any write takes.
    """
    for folder in folders:
        for path in folder.glob(f".*{PART}"):
            try:
                if time.time() - path.stat().st_mtime >= older_than_seconds:
                    path.unlink()
            except OSError:
                continue  # already removed, or no permission; unfinished files are never read


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_folders(value: object) -> object:
    """Reduce every absolute path to its last name, in a value or in nested lists and mappings.

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
