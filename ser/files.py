"""Writing a file whole or not at all, and knowing it again."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ser.errors import InputError

LOCK = ".lock"  # held by the process that works in a folder
PART = ".part"  # ends the name of a file that is being written
ABSOLUTE = re.compile(r"(?<![\w/.:~-])(?:~\w*)?/(?:[^\s/'\",;:()]+/)*([^\s/'\",;:()]+)")


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file; a reader sees the old one or the new one, never a part, even after a crash.

    Args:
        path: its folder is made where it is missing.
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
        with suppress(OSError):  # the folder is missing or read-only: then there is no temporary file
            temporary.unlink()
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def _flush_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_whole` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as `write_whole` does."""
    write_whole(path, lambda file: file.write(content))


def new_file(
    option: str, path: str | Path, endings: tuple[str, ...] = (), own: bytes = b"", make_folder: bool = False
) -> Path:
    """Check that a command may write a file: a new one, or in place of an earlier one that it wrote.

    Args:
        option: that names the file, for the message.
        endings: of the name; without them any.
        own: how an earlier file of the command begins, as a regular expression; without it nothing is replaced.
        make_folder: whether the folder may be missing, because it is made when the file is written.

    Raises:
        InputError: if the name has another ending, the folder is missing, or the name is taken.
    """
    file = Path(path)
    if endings and file.suffix not in endings:
        raise InputError(f"{option} is {path}, but must end in {' or '.join(endings)}")
    if not make_folder and not file.parent.is_dir():
        raise InputError(f"{option} {file}: there is no folder {file.parent}")
    if os.path.lexists(file) and not (own and file.is_file() and re.match(own, _beginning(file), re.DOTALL)):
        why = "this command did not write it" if own else "nothing is overwritten"
        raise InputError(f"{option} {file} exists already; {why}, choose another name")
    return file


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(1000)


@contextmanager
def about_out(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses inside into an InputError that names `--out`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror or error}") from error
    except ValueError as error:
        if "null byte" not in str(error):
            raise
        raise InputError(f"--out {str(folder)!r}: {error}") from error


def make_folder(folder: Path) -> None:
    """Make the folder of a run where it is missing.

    Raises:
        InputError: if it cannot be made.
    """
    with about_out(folder):
        folder.mkdir(parents=True, exist_ok=True)


def is_in_use(folder: Path) -> bool:
    """Whether a folder holds anything but what a killed process may have left before it wrote its first file."""
    return folder.exists() and any(path.name != LOCK and path.suffix != PART for path in folder.iterdir())


def sweep_leftovers(folders: Iterable[Path], older_than_seconds: float = 0) -> None:
    """Remove what killed writers have left in folders, not in those below.

    Args:
        older_than_seconds: 0 where no other process writes; elsewhere more than any writer takes.
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
