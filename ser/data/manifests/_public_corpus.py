"""Read the names of a public corpus's recordings into rows of a manifest, without reading audio."""

import os
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NoReturn

from ser.errors import InputError

MOST_LINES = 10  # recordings of another naming that a message lists


class PublicCorpus(ABC):
    """A released corpus on disk. Subclasses say what its file names mean; this class finds and reads the files.

    Args:
        folder: contains the recordings (.wav), at any depth. Other files are ignored.

    Raises:
        InputError: there is no such folder.
    """

    title: ClassVar[str]
    reference: ClassVar[str]  # authors and year; in full in the class's docstring
    licence: ClassVar[str | None] = None  # None where sources disagree
    example: ClassVar[str]  # name of a recording
    form: ClassVar[str]  # regular expression of its path's end, without ".wav", with the groups speaker and emotion
    left_out: ClassVar[dict[str, str]] = {}  # other recordings of the release: adjective, regular expression
    emotions: ClassVar[dict[str, tuple[str, int]]]  # code in file names: the field's name, recordings in the release

    def __init__(self, folder: str) -> None:
        self.folder = Path(os.path.abspath(folder))
        if not self.folder.is_dir():
            cause = "not a folder" if self.folder.exists() else "no such folder"
            raise InputError(f"{self.title} not found in {self.folder}: {cause}")

    @abstractmethod
    def speaker(self, form: re.Match) -> tuple[str, str]:
        """Name and gender ("F", "M" or "") of the speaker of a recording, from the match of its name."""

    def rows(self) -> tuple[list[dict[str, str]], Counter[str]]:
        """Rows of a manifest (utterance, path, speaker, gender, emotion), sorted by path, and the number left out.

        Paths are absolute. An utterance is named like its file, or like folder and file where `form` has both.

        Raises:
            InputError: a recording has another name, two have the same name, or there are none.
        """
        rows, left_out, others = [], Counter(), []
        for path in wav_files(self.folder):
            if form := self._ends_in(self.form, path):
                speaker, gender = self.speaker(form)
                emotion, _ = self.emotions[form["emotion"]]
                name = form[0].replace("/", "_")
                rows.append({"utterance": name, "path": path, "speaker": speaker, "gender": gender, "emotion": emotion})
            elif kind := next((kind for kind, form in self.left_out.items() if self._ends_in(form, path)), None):
                left_out[kind] += 1
            else:
                others.append(path)
        self._refuse(rows, others)
        return rows, left_out

    @staticmethod
    def _ends_in(form: str, path: str) -> re.Match | None:
        return re.search(rf"(?<=/)(?:{form})\Z", os.path.splitext(path)[0])

    def _refuse(self, rows: list[dict[str, str]], others: list[str]) -> None:
        place = f"{self.title} in {self.folder}"
        if others:
            noun = "recording" if len(others) == 1 else "recordings"
            lines = [f"{place}: {len(others)} {noun} not named like {self.example}", *others[:MOST_LINES]]
            if len(others) > MOST_LINES:
                lines.append(f"... and {len(others) - MOST_LINES} more")
            raise InputError("\n  ".join(lines))
        if not rows:
            raise InputError(f"{place}: no recording named like {self.example}")
        paths: dict[str, list[str]] = {}
        for row in rows:
            paths.setdefault(row["utterance"], []).append(row["path"])
        if repeated := [same for same in paths.values() if len(same) > 1]:
            names = "1 name is" if len(repeated) == 1 else f"{len(repeated)} names are"
            cause = f"{names} used more than once; give a folder that holds each recording once"
            raise InputError("\n  ".join([f"{place}: {cause}", *repeated[0]]))


def wav_files(folder: Path) -> list[str]:
    """WAV files in a folder and its subfolders, without hidden ones; a folder with several links is read once.

    Raises:
        OSError: a folder cannot be read.
    """

    def paths() -> Iterator[str]:
        seen = set()
        for inside, folders, files in os.walk(folder, onerror=_fail, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if (real := os.path.realpath(inside)) in seen:
                folders.clear()
                continue
            seen.add(real)
            yield from (os.path.join(inside, name) for name in files if re.fullmatch(r"[^.].*\.[wW][aA][vV]", name))

    return sorted(paths())


def _fail(error: OSError) -> NoReturn:
    raise error
