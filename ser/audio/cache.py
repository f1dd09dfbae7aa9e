"""The cache of converted recordings as a whole: its size, and its removal."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ser.audio.converted import CONVERTED, WRITER_SECONDS, cache_folder
from ser.errors import InputError
from ser.files import sweep_leftovers


class Contents(NamedTuple):
    """The converted recordings in a folder, and the number of other entries.

    Args:
        written: modification time of each file, in seconds since 1970.
    """

    folder: Path
    files: list[Path]
    num_bytes: int
    written: list[float]
    others: int

    def __str__(self) -> str:
        days = sorted({f"{datetime.fromtimestamp(time):%Y-%m-%d}" for time in self.written})
        written = f", written {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
        noun = "recording" if len(self.files) == 1 else "recordings"
        text = f"{len(self.files)} converted {noun} in {self.folder}, {self.num_bytes / 1e6:.1f} MB{written}"
        return text + (f"\nOther files there, which ser has not written: {self.others}" if self.others else "")


def contents(folder: Path | None = None) -> Contents:
    """List the cache; a folder that does not exist has no files.

    Args:
        folder: by default the one that `ser.audio.converted.convert` uses.

    Raises:
        InputError: the folder cannot be read.
    """
    folder = folder or cache_folder()
    files, num_bytes, written, others = [], 0, [], 0
    with _about(folder), os.scandir(folder) as entries:
        for entry in entries:
            if re.fullmatch(CONVERTED, entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                files.append(folder / entry.name)
                num_bytes += status.st_size
                written.append(status.st_mtime)
            elif not re.fullmatch(rf"\.{CONVERTED}\..*\.part", entry.name):
                others += 1
    return Contents(folder, sorted(files), num_bytes, written, others)


def empty(folder: Path | None = None) -> Contents:
    """Remove the converted recordings, and files that killed writers left unfinished; return what was removed.

    Raises:
        InputError: a file cannot be removed.
    """
    found = contents(folder)
    sweep_leftovers([found.folder], WRITER_SECONDS)
    for path in found.files:
        with _about(path):
            path.unlink()
    return found


@contextmanager
def _about(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        pass  # no cache yet, or another process has removed the file
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; the cache is chosen by the environment variable SER_CACHE"
        ) from error
