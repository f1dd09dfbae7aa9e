"""Configurations and studies by name: `--config reccap` is conf/reccap.yaml, in a checkout and an installed package."""

import os
import re
from itertools import pairwise
from pathlib import Path

from ser.errors import InputError
from ser.training.options.arguments import nearest

NAME = re.compile(r"\w[\w-]*")  # no path: neither a slash nor a suffix
OPTIONS = ("-c", "--config", "--trainer", "--data")  # take a name; after --model it is a class


def folder_of(kind: str) -> Path:
    """Where "conf" or "sweeps" is: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[2]
    return package / kind if (package / kind).is_dir() else package.parent / kind


CONF, SWEEPS = folder_of("conf"), folder_of("sweeps")


def names_in(folder: Path) -> list[str]:
    """The names that `find_file` knows."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_file(option: str, word: str, folder: Path, beside: Path = Path()) -> str:
    """The file that a word means: itself if it is a path or such a file exists, else the file of that name in a folder.

    Args:
        option: for the message.
        beside: paths are relative to it.

    Raises:
        InputError: if there is no file of that name.
    """
    place = beside / word
    if not NAME.fullmatch(word) or (os.path.exists(place) and not os.path.isdir(place)):
        return word
    if word not in (names := names_in(folder)):
        raise InputError(
            f"{option} {word}: no such file and no such name{nearest(word, names)}\n"
            f"(names: {', '.join(names)}; a path works too)"
        )
    return str(folder / f"{word}.yaml")


def files_of(words: list[str]) -> list[str]:
    """A run's command line with the files of conf in place of their names."""
    found = []
    for before, word in pairwise(["", *words]):
        option, equals, value = word.partition("=")
        if equals and option in OPTIONS:
            found.append(f"{option}={find_file(option, value, CONF)}")
        else:
            found.append(find_file(before, word, CONF) if before in OPTIONS else word)
    return found
