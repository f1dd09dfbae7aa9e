"""Base class of corpora: one validated table of utterances."""

import math
import re
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, NamedTuple

import pandas as pd

from ser.audio.decoding import digits_of
from ser.data.labels import Labels
from ser.errors import CorpusError

COLUMNS = (
    *("utterance", "path", "session", "speaker", "gender", "dialog_half", "emotion", "start", "end"),
    *("seconds", "recording"),
)
OPTIONAL = {"session": "", "gender": "", "dialog_half": "", "start": math.nan, "end": math.nan}


class Listing(NamedTuple):
    """The labelled utterances of a corpus, before any audio is read.

    Args:
        rows: `COLUMNS` but `seconds` and `recording`, those of `OPTIONAL` only if known; `emotion` is the label in the
            field's words.
        sources: "file:line" of each row; None if a row's path is enough.
        problems: "file:line: cause" for every other line.
    """

    rows: list[dict]
    sources: list[str] | None
    problems: list[str]


class Reading(NamedTuple):
    """A corpus as read: usable rows, problems of the others ("file:line: cause"), left-out utterances by label."""

    table: pd.DataFrame
    problems: list[str]
    left_out: dict[str, int]


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
    def listed(self) -> Listing:
        """Every labelled utterance, without reading audio."""

    def note(self, table: pd.DataFrame) -> str | None:
        """A note on a valid but incomplete corpus: folds are counted over the sessions present."""
        present, whole = table.session.nunique(), self.sessions_of_release
        if whole is None or present >= whole:
            return None
        names = ", ".join(map(str, sorted(table.session.unique())))
        return f"{present} of the {whole} sessions of {self.name} are present ({names}); folds are counted over these"

    def read(self, labels: Labels | None = None) -> Reading:
        """Select utterances and check their audio, without raising.

        Args:
            labels: the labels to use; None uses all as they are.

        Returns:
            A table of `COLUMNS` and the columns that `ser.data.corpora.release.check_audio` adds.
        """
        from ser.data.corpora.release import check_audio  # it imports this module

        rows, sources, problems = self.listed()
        chosen, left_out = [], {}
        for row, source in zip(rows, sources or [None] * len(rows), strict=True):
            emotion = labels.emotion_of(row["emotion"]) if labels else row["emotion"]
            if emotion is None:
                left_out[row["emotion"]] = left_out.get(row["emotion"], 0) + 1
            else:
                chosen.append((OPTIONAL | row | {"emotion": emotion}, source))
        if labels and rows and not problems:
            problems = [*problems, *labels.unknown(row["emotion"] for row in rows)]
        places = [source for _, source in chosen] if sources else None
        table, unusable = check_audio([row for row, _ in chosen], places, corpus=self.title)
        return Reading(table, problems + unusable, dict(sorted(left_out.items())))

    def select(self, labels: Labels | None = None) -> tuple[pd.DataFrame, dict[str, int]]:
        """The utterances of some labels as one table, sorted by utterance name, and the number of the others.

        Args:
            labels: by default the paper's four emotions.

        Returns:
            A table of `COLUMNS`: path absolute; session an integer or a string, "" without sessions; gender "F", "M"
            or another word, "" if unknown; dialog_half "F", "M" or "" if the corpus has no dialogs; emotion one of
            `labels.emotions`; start and end in seconds for a part of a recording, NaN for a whole one; recording a
            digest of the whole recording. And the left-out utterances by label. A warning about recordings beyond full
            scale goes to standard error.

        Raises:
            CorpusError: with every problem found.
        """
        table, problems, left_out = self.read(labels or Labels())
        problems = one_line_a_label(
            problems + ([] if problems and table.empty else table_problems(table, self.location))
        )
        if problems:
            raise CorpusError(f"{self.name} in {self.location}", problems)
        _warn_of_loud(table)
        return table.sort_values("utterance", ignore_index=True)[list(COLUMNS)], left_out

    def names(self) -> set[str]:
        """The names of all labelled utterances, also of labels that are not used."""
        return {row["utterance"] for row in self.listed().rows}

    def utterances(self, labels: Labels | None = None) -> pd.DataFrame:
        """The table of `select`."""
        return self.select(labels)[0]


def table_problems(table: pd.DataFrame, location: str) -> list[str]:
    """Problems that make the table of any corpus unusable: no rows, repeated names."""
    if table.empty:
        return [f"{location}: no labelled utterance found"]
    problems = []
    repeated = table[table.utterance.duplicated(keep=False)]
    for name, paths in repeated.groupby("utterance").path:
        problems.append(f"{', '.join(paths.astype(str))}: the utterance name {name} is used for several recordings")
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
