"""Configurations and studies by name: `--config reccap` is conf/reccap.yaml, in a checkout and an installed package."""

import os
import re
from itertools import pairwise
from pathlib import Path

from ser.errors import InputError, nearest

NAME = re.compile(r"\w[\w-]*")  # without slash and suffix, so not a path
OPTIONS = ("-c", "--config", "--trainer", "--data")  # accept a name; --model takes class names instead


def folder_of(kind: str) -> Path:
    """The folder "conf" or "sweeps": in the installed package, or next to it in a checkout."""
    package = Path(__file__).parents[2]
    return package / kind if (package / kind).is_dir() else package.parent / kind


CONF, SWEEPS = folder_of("conf"), folder_of("sweeps")


def names_in(folder: Path) -> list[str]:
    """The names that `find_file` accepts."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_file(option: str, word: str, folder: Path, beside: Path = Path()) -> str:
    """The path for an option's value: a path or an existing file as given, else the file of that name in a folder.

    Args:
        beside: folder that relative paths start from.

    Raises:
        InputError: if there is no file of that name.
    """
    place = beside / word
    if not NAME.fullmatch(word) or (os.path.exists(place) and not os.path.isdir(place)):
        return word
    if word not in (names := names_in(folder)):
        raise InputError(
            f"{option} {word}: neither a file nor a known name{nearest(word, names)}\n"
            f"(names: {', '.join(names)}; a path works too)"
        )
    return str(folder / f"{word}.yaml")


def files_of(words: list[str]) -> list[str]:
    """A run's command line with the names of files in conf replaced by their paths."""
    found = []
    for before, word in pairwise(["", *words]):
        option, equals, value = word.partition("=")
        if equals and option in OPTIONS:
            found.append(f"{option}={find_file(option, value, CONF)}")
        else:
            found.append(find_file(before, word, CONF) if before in OPTIONS else word)
    return found
