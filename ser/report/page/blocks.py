"""The blocks of a page: sections of text, tables and figures; a table as text, Markdown and CSV."""

import re
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import fill

import pandas as pd
from markupsafe import Markup

from ser.report.page.values import Column

LINE = 110  # characters per line of text in a terminal
LONG = 40  # characters of a cell that wraps


@dataclass(frozen=True)
class Table:
    """A table. The first column names the rows.

    Attributes:
        name: stem of its CSV file.
        rows: one value per column; None for no value, a string for words in place of a number.
        notes: sentences under it.
        summary_rows: number of last rows that summarise the others.
        csv_rows: rows of the CSV file, if the page shows only some of them.
        filter: the page has a box that shows only rows with a text.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[list]
    notes: list[str] = field(default_factory=list)
    summary_rows: int = 0
    csv_rows: list[list] | None = None
    filter: bool = False

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The group headings with the number of columns under each."""
        return [(group, len(list(columns))) for group, columns in groupby(column.group for column in self.columns)]

    @property
    def texts(self) -> list[list[str]]:
        """All cells as text."""
        return [[column.text(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]

    @property
    def num_characters(self) -> int:
        """Its width in characters, about: headings and long texts wrap, and three characters part two columns."""
        heads = [max(map(len, column.heading.split())) + 2 for column in self.columns]
        cells = zip(*([min(len(text), LONG) for text in texts] for texts in self.texts), strict=True)
        return sum(max(widths) + 3 for widths in zip(heads, *zip(*cells, strict=True), strict=True))

    def csv(self) -> str:
        """The table as CSV: two columns for an interval or a count with its percentage, four decimals."""
        names = [name for column in self.columns for name in column.csv_names()]
        rows = [
            [number for column, value in zip(self.columns, row, strict=True) for number in column.csv_values(value)]
            for row in self.csv_rows or self.rows
        ]
        return pd.DataFrame(rows, columns=names, dtype=object).to_csv(index=False, lineterminator="\n")

    def text(self) -> str:
        """The table as text for a terminal, with its title and notes."""
        heads = pd.MultiIndex.from_tuples([(column.group, column.name) for column in self.columns])
        lines = pd.DataFrame(self.texts, columns=heads).to_string(index=False).splitlines()
        return "\n".join([self.title, *map(str.rstrip, lines), *(fill(note, LINE) for note in self.notes)])

    def markdown(self) -> str:
        """The table as Markdown with its title and notes."""
        head = [column.full_name for column in self.columns]
        rule = ["---:" if column.is_number else "---" for column in self.columns]
        lines = ["| " + " | ".join(escape(cell) for cell in cells) + " |" for cells in [head, *self.texts]]
        lines.insert(1, "|" + "|".join(rule) + "|")
        return "\n\n".join([f"**{escape(self.title)}**", "\n".join(lines), *map(escape, self.notes)])


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        name: stem of its PNG file.
        alt: alternative text.
        inches: its width on paper; a small screen scrolls it instead of making it too small to read.
    """

    name: str
    title: str
    alt: str
    png: bytes
    inches: float


@dataclass(frozen=True)
class Line:
    """A line of a figure of curves: the row of its run in the table of runs, and how it is drawn."""

    row: int
    name: str
    colour: str
    dashes: str
    glyph: str


@dataclass(frozen=True)
class Curves:
    """A figure of curves inside a page, with a list of its lines.

    Attributes:
        svg: an element in which each line is in a group with the attribute `data-row`.
    """

    title: str
    svg: Markup
    lines: list[Line]


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix in per cent of the row; None for an emotion without utterances.

    Attributes:
        row: of its run in the table of runs.
        part: the set that it was computed on.
    """

    row: int
    name: str
    part: str
    emotions: list[str]
    percents: list[list[int] | None]


@dataclass(frozen=True)
class Matrices:
    """Small confusion matrices side by side."""

    matrices: list[Matrix]


class Commands(list):
    """Lines for a terminal."""


@dataclass(frozen=True)
class Section:
    """A section of the report; links lead to its anchor. A string is a paragraph, a list of strings a bulleted list."""

    anchor: str
    title: str
    blocks: list[Table | Picture | Curves | Matrices | Commands | list[str] | str]


def escape(text: str) -> str:
    """Escape text that Markdown would read as markup: underscores in names, pipes in cells, tags."""
    return re.sub(r"([\\|_*`<&\[\]])", r"\\\1", text).replace("\n", " ")
