"""What every corpus gives: one validated table of utterances."""

import re
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import pandas as pd

from ser.audio.decoding import digits_of
from ser.emotions import EMOTIONS
from ser.errors import CorpusError

COLUMNS = ("utterance", "path", "session", "speaker", "dialog_half", "emotion", "seconds")


class Corpus(ABC):
    """A corpus of labelled utterances on disk. Subclasses know a layout; this class knows what a sound table is.

    `read` collects rows and problems without raising; use `utterances`.
    """

    title: ClassVar[str]  # for messages: "EMO-DB"
    looks_like: ClassVar[str]  # what it is recognised by, for messages
    option: ClassVar[str] = "root"  # that names its place
    inner: ClassVar[str] = "."  # the folder of the release within the one that is named
    sessions_of_release: ClassVar[int | None] = None  # how many the complete corpus has, where that is known

    @classmethod
    def holds(cls, place: Path) -> bool:
        """Whether a file or a folder is this corpus, by the names in it."""
        return False

    @property
    @abstractmethod
    def name(self) -> str:
        """The corpus's name in results and speaker identities ("iemocap")."""

    @abstractmethod
    def place(self) -> Path:
        """The folder or the file, absolute.

        Raises:
            InputError: none was given, or it is something else.
        """

    @property
    def location(self) -> str:
        """Where it is read from, for messages."""
        return str(self.place())

    @abstractmethod
    def read(self) -> tuple[pd.DataFrame, list[str]]:
        """Rows of `COLUMNS` for every usable utterance, and one line for every problem ("file:line: cause").

        Columns that `ser.data.corpora.release.check_audio` adds say what is suspicious about the recordings.
        """

    def note(self, table: pd.DataFrame) -> str | None:
        """What a user must know of a sound corpus that is not complete: folds are counted over what is there."""
        there, whole = table.session.nunique(), self.sessions_of_release
        if whole is None or there >= whole:
            return None
        names = ", ".join(map(str, sorted(table.session.unique())))
        return f"{there} of the {whole} sessions of {self.name} are there ({names}); folds are counted over these"

    def utterances(self) -> pd.DataFrame:
        """The corpus as one table, sorted by utterance name.

        Returns:
            A table with the columns `utterance, path, session, speaker, dialog_half, emotion, seconds`: path absolute,
            session an integer or a string, dialog_half "F", "M" or "" where the corpus has no dialogs, emotion one of
            `ser.emotions.EMOTIONS`. Recordings beyond full scale are named on standard error.

        Raises:
            CorpusError: with every problem found.
        """
        table, problems = self.read()
        problems = one_line_a_label(problems + table_problems(table, self.location))
        if problems:
            raise CorpusError(f"{self.name} in {self.location}", problems)
        _warn_of_loud(table)
        return table.sort_values("utterance", ignore_index=True)[list(COLUMNS)]


def table_problems(table: pd.DataFrame, location: str) -> list[str]:
    """What makes a table unusable whatever corpus it came from: nothing in it, repeated names, unknown emotions,
    a speaker in two sessions, a session without exactly two speakers."""
    if table.empty:
        return [f"{location}: no utterance of the emotions {', '.join(EMOTIONS)} found"]
    problems = []
    for name in sorted(set(table.utterance[table.utterance.duplicated()])):
        paths = ", ".join(table.path[table.utterance == name].astype(str))
        problems.append(f"{paths}: the utterance name {name} stands for more than one recording")
    for row in table[~table.emotion.isin(EMOTIONS)].itertuples():
        problems.append(f"{row.path}: unknown emotion {row.emotion!r} (known: {', '.join(EMOTIONS)})")
    for speaker, sessions in table.groupby("speaker").session.unique().items():
        if len(sessions) > 1:
            names = ", ".join(map(str, sorted(sessions, key=str)))
            problems.append(f"{location}: speaker {speaker} appears in sessions {names}; folds would leak")
    for session, speakers in table.groupby("session").speaker.unique().items():
        if len(speakers) != 2:
            names = ", ".join(map(str, sorted(speakers, key=str)))
            problems.append(f"{location}: session {session} has {len(speakers)} speaker(s) ({names}), not two")
    return problems


def _warn_of_loud(table: pd.DataFrame) -> None:
    if "peak" in table and (loud := table[table.peak > 1]).size:
        loudest = loud.loc[loud.peak.idxmax()]
        noun = "recording has" if len(loud) == 1 else "recordings have"
        print(
            f"ser: warning: {len(loud)} {noun} samples beyond full scale (1), which are clipped; "
            f"the largest is {digits_of(loudest.peak)} in {loudest.path}",
            file=sys.stderr,
        )


_UNKNOWN = re.compile(r"(.*): (unknown (?:emotion|set) .*)", re.DOTALL)


def one_line_a_label(problems: list[str]) -> list[str]:
    """Problems, those of the same unknown label in one line with their number and the first three places.

    Example:
        >>> one_line_a_label(["a:2: unknown set 'x'", "a:3: column fold is empty", "a:4: unknown set 'x'"])
        ["a:2: unknown set 'x'; 2 in all, also a:4", 'a:3: column fold is empty']
    """
    places: dict[str, list[str]] = {}
    for problem in problems:
        form = _UNKNOWN.fullmatch(problem)
        places.setdefault(form[2] if form else problem, []).append(f"{form[1]}: " if form else "")
    lines = []
    for cause, (first, *others) in places.items():
        also = ", ".join(other.removesuffix(": ") for other in others[:2])
        lines.append(f"{first}{cause}" + (f"; {len(others) + 1} in all, also {also}" if also else ""))
    return lines
