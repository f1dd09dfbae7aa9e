"""A user's own corpus, described by a CSV file."""

import math
import os
from pathlib import Path

from ser.data.corpora.corpus import Corpus, Listing
from ser.data.corpora.csv_lines import read_lines
from ser.data.corpora.release import absolute, not_given, use_instead
from ser.errors import InputError

MOST_DIGITS = 9  # longer numbers are treated as names
UNNAMED = "manifest"  # older versions recorded every manifest under this name
REQUIRED = ("path", "speaker", "emotion")
OPTIONAL = ("utterance", "session", "gender", "dialog_half", "start", "end")
GENDERS = {"f": "F", "female": "F", "m": "M", "male": "M"}


class Manifest(Corpus):
    """A corpus described by a CSV file (UTF-8; commas, semicolons or tabs), one line per utterance.

    Its columns are:

    - `path`: the audio file, absolute or relative to the CSV file's folder;
    - `speaker`: compared as text ("03" is not "3");
    - `emotion`: the label, in any words;
    - `utterance` (optional): a unique name; by default the file's name without its ending;
    - `session` (optional): a group of speakers that is left out together under some protocols;
    - `gender` (optional): F or female, M or male, or another word;
    - `start`, `end` (optional): seconds, for an utterance inside a longer recording;
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

    def listed(self) -> Listing:
        file = self.place()
        problems: list[str] = []
        rows, sources = [], []
        first: dict[tuple, int] = {}
        real: dict[str, str] = {}  # a recording has one label, even if several links lead to it
        for number, cells in read_lines(file, REQUIRED, problems, OPTIONAL):
            row, causes = _row(cells, file.parent)
            path = row["path"]
            if path not in real:
                real[path] = path if "\0" in path else os.path.realpath(path)
            part = (str(_start(row)), str(row["end"])) if _start(row) or not math.isnan(row["end"]) else ()
            keys = {("utterance", row["utterance"]): row["utterance"]}
            if cells["path"]:
                keys["path", real[path], *part] = f"{path} {' to '.join(part)} s" if part else path
            for key, given in keys.items():
                if given and first.setdefault(key, number) != number:
                    causes.append(f"{key[0]} {given} was already given in line {first[key]}" + _remedy(key, cells))
            problems += [f"{file}:{number}: {cause}" for cause in causes]
            if not causes:
                rows.append(row)
                sources.append(f"{file}:{number}")
        problems += _without_session(rows, sources)
        numbers = _numbers({row["session"] for row in rows})
        for row in rows:
            row["session"] = numbers.get(row["session"], row["session"])
        return Listing(rows, sources, problems)


def _row(cells: dict[str, str], folder: Path) -> tuple[dict, list[str]]:
    """The row of one line, and its problems, regardless of the other lines."""
    causes = [f"column {column} is empty" for column in REQUIRED if not cells[column]]
    row = {
        **{column: cells[column] for column in ("speaker", "emotion")},
        "path": os.path.abspath(folder / cells["path"]),
        "session": cells.get("session", ""),
        "dialog_half": cells.get("dialog_half", ""),
        "gender": GENDERS.get(cells.get("gender", "").lower(), cells.get("gender", "")),
    }
    for column in ("start", "end"):
        row[column], cause = _seconds(column, cells.get(column, ""))
        causes += cause
    if row["end"] <= _start(row):
        causes.append(f"end is {cells['end']}, but must be after start, {cells.get('start') or 0}")
    part = [text for column in ("start", "end") if (text := cells.get(column))]
    row["utterance"] = cells.get("utterance", "-".join([Path(cells["path"]).stem, *part]))
    if not row["utterance"] and "utterance" in cells:
        causes.append("column utterance is empty")
    if row["dialog_half"] not in ("F", "M", ""):
        causes.append(f"dialog_half is {row['dialog_half']!r}, but must be F, M or empty")
    return row, causes


def _start(row: dict) -> float:
    return 0.0 if math.isnan(row["start"]) else row["start"]


def _seconds(column: str, text: str) -> tuple[float, list[str]]:
    """Seconds from a cell, NaN for an empty one, and the problem with it, if any."""
    try:
        seconds = float(text or "nan")
    except ValueError:
        seconds = math.inf
    if text and not 0 <= seconds < math.inf:
        return math.nan, [f"{column} is {text!r}, but must be a number of seconds, such as 1.5"]
    return seconds, []


def _remedy(key: tuple, cells: dict[str, str]) -> str:
    if key[0] == "utterance" and "utterance" not in cells:
        return "; files of the same name need a column utterance with unique names"
    return ""


def _without_session(rows: list[dict], sources: list[str]) -> list[str]:
    """Lines without a session in a file that gives sessions to others."""
    if not any(row["session"] for row in rows):
        return []
    return [
        f"{source}: column session is empty" for row, source in zip(rows, sources, strict=True) if not row["session"]
    ]


def _numbers(sessions: set[str]) -> dict[str, int]:
    """Integers for session names if all are distinct integers, else {}: "1" and "01" stay two names."""
    if not all(session.isascii() and session.isdigit() and len(session) <= MOST_DIGITS for session in sessions):
        return {}
    numbers = {session: int(session) for session in sessions}
    return numbers if len(set(numbers.values())) == len(sessions) else {}
