"""A user's own split of a corpus, read from a CSV file."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser.data.corpora.corpus import one_line_a_label
from ser.data.corpora.csv_lines import read_lines
from ser.errors import CorpusError

MOST_DIGITS = 9  # a fold with more digits is a name
SET_OF_WORD = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}


@dataclass(frozen=True)
class SplitFile:
    """A user's own split, as read from its file.

    Attributes:
        lines: line number, fold, utterance and set.
        problems: "file:line: cause" for lines that cannot be read.
    """

    file: Path
    lines: list[tuple[int, int | str, str, str]]
    problems: list[str]

    @property
    def folds(self) -> list[int | str]:
        """The names of the folds: numbers in their order, then other names in theirs."""
        return sorted({fold for _, fold, _, _ in self.lines}, key=lambda fold: (isinstance(fold, str), fold))

    def sets(self, utterances: pd.DataFrame, known: Collection[str] = ()) -> dict[int | str, pd.Series]:
        """For each fold, the set of every utterance of a corpus's table; "" if the file does not list it.

        Args:
            known: further utterances of the corpus, which the file can list, since they have other labels.

        Raises:
            CorpusError: with every unreadable line, unknown set or utterance, and utterance repeated in a fold.
        """
        row_of = {utterance: row for row, utterance in enumerate(utterances.utterance)}
        problems = list(self.problems)
        columns = {fold: [""] * len(utterances) for fold in self.folds}
        first: dict[tuple[int | str, str], int] = {}
        for number, fold, utterance, word in self.lines:
            place = f"{self.file}:{number}"
            if (before := first.setdefault((fold, utterance), number)) != number:
                problems.append(f"{place}: utterance {utterance} was already given in line {before}")
            elif utterance in row_of:
                columns[fold][row_of[utterance]] = SET_OF_WORD.get(word)
            elif utterance not in known:
                problems.append(f"{place}: unknown utterance {utterance!r}")
            if word not in SET_OF_WORD:
                problems.append(f"{place}: unknown set {word!r} (known: {', '.join(SET_OF_WORD)})")
        if problems:
            problems.sort(key=lambda line: int(line.removeprefix(f"{self.file}:").split(":", 1)[0]))
            raise CorpusError(f"split {self.file}", one_line_a_label(problems))
        return {fold: pd.Series(column, index=utterances.index, dtype=object) for fold, column in columns.items()}


def _fold(name: str) -> int | str:
    """A fold's number or name; a whole number can end in .0, as in spreadsheets."""
    whole, _, rest = name.partition(".")
    return int(whole) if whole.isdecimal() and len(whole) <= MOST_DIGITS and not rest.strip("0") else name


def read_split(file: Path) -> SplitFile:
    """Read a split: CSV (UTF-8) with the columns `utterance`, `set` and optionally `fold`; others are ignored.

    Raises:
        CorpusError: the file is unreadable, lacks a column, or has no line below the header.
    """
    lines, problems = [], []
    for number, row in read_lines(file, ("utterance", "set"), problems, ("fold",)):
        fold = row.get("fold", "1")
        if not fold:
            problems.append(f"{file}:{number}: column fold is empty")
        lines.append((number, _fold(fold), row["utterance"], row["set"]))
    if not lines:
        raise CorpusError(f"split {file}", problems or [f"{file}: no line with an utterance"])
    return SplitFile(file, lines, problems)
