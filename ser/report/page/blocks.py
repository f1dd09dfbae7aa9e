"""What a report is made of: sections of text, tables and figures, and a table as Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from math import isnan
from typing import Any

UNKNOWN = "not available"  # what cannot be computed, as an interval over a single speaker


def percent(share: float, digits: int = 2) -> str:
    """A share as a percentage without its sign: 0.69858 is "69.86"."""
    return f"{100 * share:.{digits}f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, signed: "+1.2"."""
    return f"{100 * difference:+.1f}"


def percent_interval(interval: tuple[float, float]) -> str:
    """An interval of a share: "67.1 to 72.5"."""
    return UNKNOWN if _is_nan(interval) else f"{percent(interval[0], 1)} to {percent(interval[1], 1)}"


def points_interval(interval: tuple[float, float]) -> str:
    """An interval of a difference of shares: "-2.0 to +4.1"."""
    return UNKNOWN if _is_nan(interval) else f"{points(interval[0])} to {points(interval[1])}"


def probability(p: float) -> str:
    """A p value: three digits after the point, four where the smallest possible ones lie, as 0.0625 of five sessions.

    Example:
        >>> [probability(p) for p in (0.0002, 0.0625, 0.25)]
        ['< 0.001', '0.0625', '0.250']
    """
    return "< 0.001" if p < 0.001 else f"{p:.{4 if p < 0.1 else 3}f}"


@dataclass(frozen=True)
class Kind:
    """How the values of a column are written.

    Args:
        text: a value for people.
        numbers: the same for a CSV file, one or two numbers.
        suffixes: what distinguishes the CSV file's columns.
    """

    text: Callable[[Any], str]
    numbers: Callable[[Any], tuple]
    suffixes: tuple[str, ...] = ("",)


def _hundredfold(*shares: float) -> tuple[float, ...]:
    return tuple(round(100 * share, 4) for share in shares)


KINDS = {
    "text": Kind(str, lambda value: (value,)),
    "count": Kind(lambda value: f"{value:d}", lambda value: (value,)),
    "number": Kind(lambda value: f"{value:g}", lambda value: (value,)),
    "percent": Kind(percent, lambda value: _hundredfold(value), (" %",)),
    "short percent": Kind(lambda value: percent(value, 1), lambda value: _hundredfold(value), (" %",)),
    "interval": Kind(
        percent_interval,
        lambda value: _hundredfold(*value),
        (" low %", " high %"),
    ),
    "difference": Kind(points, lambda value: _hundredfold(value), (" points",)),
    "difference interval": Kind(
        points_interval,
        lambda value: _hundredfold(*value),
        (" low points", " high points"),
    ),
    "p": Kind(probability, lambda value: (float(f"{value:.6g}"),)),
    "count and percent": Kind(
        lambda value: f"{value[0]} ({percent(value[1])})",
        lambda value: (value[0], *_hundredfold(value[1])),
        (" count", " %"),
    ),
    "hits": Kind(
        lambda value: f"{percent(value[0] / value[1], 1)} ({value[0]}/{value[1]})",
        lambda value: (value[0], value[1]),
        (" correct", " of"),
    ),
}


def _is_nan(value: Any) -> bool:
    return any(isinstance(each, float) and isnan(each) for each in (value if isinstance(value, tuple) else (value,)))


@dataclass(frozen=True)
class Column:
    """A column: its head, the kind of its values, and a head above that it shares with its neighbours."""

    name: str
    kind: str = "text"
    group: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.group}: {self.name}" if self.group else self.name

    def text(self, value: Any) -> str:
        """A value for people; words stand for themselves, nothing is a dash."""
        if value is None:
            return "-"
        if isinstance(value, str):
            return value
        return UNKNOWN if _is_nan(value) else KINDS[self.kind].text(value)

    def csv_names(self) -> list[str]:
        return [self.full_name.removesuffix(suffix) + suffix for suffix in KINDS[self.kind].suffixes]

    def csv_values(self, value: Any) -> list:
        width = len(KINDS[self.kind].suffixes)
        if value is None or _is_nan(value) or (isinstance(value, str) and self.kind != "text"):
            return [""] * width  # words would make text of a column of numbers
        return list(KINDS[self.kind].numbers(value))


@dataclass(frozen=True)
class Table:
    """A table. The first column names the rows.

    Args:
        name: stem of its CSV file.
        title: what it shows.
        columns: from left to right.
        rows: one value per column, None where there is none, a string where words stand in place of a number.
        notes: sentences under it.
        summary_rows: so many last rows sum up the others.
        csv_rows: what the CSV file has in place of `rows`, where the page shows only some of them.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[list]
    notes: list[str] = field(default_factory=list)
    summary_rows: int = 0
    csv_rows: list[list] | None = None
    form: str = "table"

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The upper heads with the number of columns under each; empty without any."""
        if not any(column.group for column in self.columns):
            return []
        return [(group, len(list(columns))) for group, columns in groupby(column.group for column in self.columns)]

    @property
    def texts(self) -> list[list[str]]:
        """All cells as people read them."""
        return [[column.text(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]

    def look(self, place: int) -> str:
        """Classes of a column (from 0) on the page: numbers to the right, a line where a new group begins."""
        words = ["words" if self.columns[place].kind == "text" else "number"]
        if place and self.columns[place].group != self.columns[place - 1].group:
            words.append("first")
        return " ".join(words)

    def is_aside(self, row: int, place: int) -> bool:
        """Whether words stand in place of a number."""
        return self.columns[place].kind != "text" and isinstance(self.rows[row][place], str)

    def is_summary(self, number: int) -> bool:
        """Whether a row (from 0) sums up others."""
        return number >= len(self.rows) - self.summary_rows

    def csv(self) -> str:
        """The table for programs: two columns for an interval or a count with its percentage, four decimals."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([name for column in self.columns for name in column.csv_names()])
        for row in self.csv_rows or self.rows:
            cells = zip(self.columns, row, strict=True)
            writer.writerow([number for column, value in cells for number in column.csv_values(value)])
        return out.getvalue()

    def markdown(self) -> str:
        """The table as Markdown with its title and notes."""
        head = [column.full_name for column in self.columns]
        rule = ["---" if column.kind == "text" else "---:" for column in self.columns]
        lines = ["| " + " | ".join(escape(cell) for cell in cells) + " |" for cells in [head, *self.texts]]
        lines.insert(1, "|" + "|".join(rule) + "|")
        return "\n\n".join([f"**{escape(self.title)}**", "\n".join(lines), *map(escape, self.notes)])


@dataclass(frozen=True)
class Picture:
    """A figure.

    Args:
        name: stem of its PNG file.
        title: what it shows.
        alt: the same in words, for those who cannot see it.
        png: the file's bytes.
        inches: its width on paper; a small screen shows it no smaller than it can be read.
    """

    name: str
    title: str
    alt: str
    png: bytes
    inches: float
    form: str = "picture"

    def markdown(self) -> str:
        return f"![{escape(self.alt)}]({self.name}.png)\n\n{escape(self.title)}"


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str
    form: str = "paragraph"

    def markdown(self) -> str:
        return escape(self.text)


@dataclass(frozen=True)
class Listing:
    """A list of sentences."""

    lines: list[str]
    form: str = "listing"

    def markdown(self) -> str:
        return "\n".join(f"- {escape(line)}" for line in self.lines)


@dataclass(frozen=True)
class Commands:
    """Lines for a terminal."""

    lines: list[str]
    form: str = "commands"

    def markdown(self) -> str:
        return "\n".join(["```", *self.lines, "```"])


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Args:
        anchor: what links to it.
        title: its head.
        blocks: its contents.
    """

    anchor: str
    title: str
    blocks: list[Table | Picture | Paragraph | Listing | Commands]

    def of_form(self, form: str) -> list:
        """Its tables, or its pictures."""
        return [block for block in self.blocks if block.form == form]


def escape(text: str) -> str:
    """Text that Markdown would take for markup: names with underscores, pipes in cells, tags."""
    for character in ("\\", "|", "_", "*", "`", "<", "&", "[", "]"):
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")
