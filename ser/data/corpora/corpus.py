"""Base class of corpora: one validated table of utterances."""

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
    """A corpus of labelled utterances on disk. Subclasses read a layout; this class validates the table.

    Call `utterances`; `read` collects rows and problems without raising.
    """

    title: ClassVar[str]  # for messages: "EMO-DB"
    looks_like: ClassVar[str]  # how it is recognised, for messages
    option: ClassVar[str] = "root"  # option for its path
    inner: ClassVar[str] = "."  # folder of the release within the given folder
    sessions_of_release: ClassVar[int | None] = None  # number of sessions of the complete corpus, if known

    @classmethod
    def holds(cls, place: Path) -> bool:
        """Whether a path is this corpus, by the names of its files."""
        return False

    @property
    @abstractmethod
    def name(self) -> str:
        """The corpus's name in results and speaker identities ("iemocap")."""

    @abstractmethod
    def place(self) -> Path:
        """The absolute path of the folder or file.

        Raises:
            InputError: no path was given, or it is not this corpus.
        """

    @property
    def location(self) -> str:
        """The path of the corpus, for messages."""
        return str(self.place())

    @abstractmethod
    def read(self) -> tuple[pd.DataFrame, list[str]]:
        """Rows of `COLUMNS` for every usable utterance, and one line for every problem ("file:line: cause").

        The table also has the columns that `ser.data.corpora.release.check_audio` adds.
        """

    def note(self, table: pd.DataFrame) -> str | None:
        """A note on a valid but incomplete corpus: folds are counted over the sessions present."""
        present, whole = table.session.nunique(), self.sessions_of_release
        if whole is None or present >= whole:
            return None
        names = ", ".join(map(str, sorted(table.session.unique())))
        return f"{present} of the {whole} sessions of {self.name} are present ({names}); folds are counted over these"

    def utterances(self) -> pd.DataFrame:
        """The corpus as one table, sorted by utterance name.

        Returns:
            A table with the columns `utterance, path, session, speaker, dialog_half, emotion, seconds`: path absolute,
            session an integer or a string, dialog_half "F", "M" or "" if the corpus has no dialogs, emotion one of
            `ser.emotions.EMOTIONS`. A warning about recordings beyond full scale goes to standard error.

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
    """Problems that make the table of any corpus unusable: no rows, repeated names, unknown emotions."""
    if table.empty:
        return [f"{location}: no utterance of the emotions {', '.join(EMOTIONS)} found"]
    problems = []
    for name in sorted(set(table.utterance[table.utterance.duplicated()])):
        paths = ", ".join(table.path[table.utterance == name].astype(str))
        problems.append(f"{paths}: the utterance name {name} is used for several recordings")
    for row in table[~table.emotion.isin(EMOTIONS)].itertuples():
        problems.append(f"{row.path}: unknown emotion {row.emotion!r} (known: {', '.join(EMOTIONS)})")
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
    """Merge problems with the same unknown label into one line, with their number and the first three places.

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
