"""A user's own corpus, described by a CSV file."""

import os
from pathlib import Path

import pandas as pd

from ser.data.corpora.corpus import Corpus
from ser.data.corpora.csv_lines import read_lines
from ser.data.corpora.release import absolute, check_audio, not_given, use_instead
from ser.emotions import EMOTIONS
from ser.errors import InputError

MOST_DIGITS = 9  # longer numbers are treated as names
UNNAMED = "manifest"  # older versions recorded every manifest under this name
REQUIRED = ("utterance", "path", "session", "speaker", "emotion")


class Manifest(Corpus):
    """A corpus described by a CSV file (UTF-8; commas, semicolons or tabs), one line per utterance.

    Its columns are:

    - `utterance`: a unique name;
    - `path`: the audio file, absolute or relative to the CSV file's folder;
    - `session`: each holds exactly two speakers; folds leave one session out;
    - `speaker`: compared as text ("03" is not "3");
    - `emotion`: neutral, angry, happy or sad;
    - `dialog_half` (optional): F or M, as in IEMOCAP; needed by protocol `wu2019` only.

    Other columns are ignored.

    Args:
        csv: path of the CSV file.
        name: name of the corpus in results and speaker identities; by default the file name without ".csv".

    Raises:
        InputError: if the name contains a colon.
    """

    title = "a manifest"
    looks_like = "a CSV file"
    option = "csv"

    def __init__(self, csv: str | None = None, name: str | None = None) -> None:
        if name and ":" in name:
            raise InputError(
                f"data.corpus.name is {name!r}, but must not contain a colon, which separates it from speaker names"
            )
        self.csv = csv
        self._name = name

    @property
    def name(self) -> str:
        return self._name or (Path(self.csv).stem.replace(":", "-") if self.csv else UNNAMED)

    @classmethod
    def holds(cls, place: Path) -> bool:
        return place.is_file()

    def place(self) -> Path:
        if not self.csv:
            raise not_given("the manifest", "CSV file", "csv")
        path = absolute(self.csv)
        if not os.path.isfile(path):
            cause = "not a file" if os.path.exists(path) else "no such file"
            raise InputError(f"manifest not found in {path}: {cause}\n{use_instead(path)}")
        return path

    def read(self) -> tuple[pd.DataFrame, list[str]]:
        file = self.place()
        problems: list[str] = []
        rows, sources = [], []
        first: dict[tuple[str, str], int] = {}
        for number, cells in read_lines(file, REQUIRED, problems):
            row = {column: cells[column] for column in REQUIRED} | {"dialog_half": cells.get("dialog_half", "")}
            path = os.path.abspath(file.parent / row["path"])
            causes = _causes(row)
            # A recording has one label, even if several links lead to it.
            recording = path if "\0" in path else os.path.realpath(path)
            for column, key in (("utterance", row["utterance"]), ("path", recording)):
                if row[column] and first.setdefault((column, key), number) != number:
                    given = row["utterance"] if column == "utterance" else path
                    causes.append(f"{column} {given} was already given in line {first[column, key]}")
            problems += [f"{file}:{number}: {cause}" for cause in causes]
            if not causes:
                rows.append(row | {"path": path})
                sources.append(f"{file}:{number}")
        numbers = _numbers({row["session"] for row in rows})
        rows = [row | {"session": numbers.get(row["session"], row["session"])} for row in rows]
        table, unusable = check_audio(rows, sources, corpus=self.name)
        return table, problems + unusable


def _numbers(sessions: set[str]) -> dict[str, int]:
    """Integers for session names if all are distinct integers, else {}: "1" and "01" stay two names."""
    if not all(session.isascii() and session.isdigit() and len(session) <= MOST_DIGITS for session in sessions):
        return {}
    numbers = {session: int(session) for session in sessions}
    return numbers if len(set(numbers.values())) == len(sessions) else {}


def _causes(row: dict[str, str]) -> list[str]:
    """Problems of one line, regardless of the others."""
    causes = [f"column {column} is empty" for column in REQUIRED if not row[column]]
    if row["emotion"] and row["emotion"] not in EMOTIONS:
        causes.append(f"unknown emotion {row['emotion']!r} (known: {', '.join(EMOTIONS)})")
    if row["dialog_half"] not in ("F", "M", ""):
        causes.append(f"dialog_half is {row['dialog_half']!r}, but must be F, M or empty")
    return causes
