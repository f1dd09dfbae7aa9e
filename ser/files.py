"""Writing a result's files whole or not at all, and knowing them again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ser.errors import InputError

LOCK = ".lock"  # held by the process that works in a folder


def write_text(path: Path, text: str) -> None:
    """Write a text file; whoever reads it sees the old one or the new one, never a part.

    Raises:
        InputError: if the file cannot be written; the old one is left as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: {error.strerror}") from error


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
