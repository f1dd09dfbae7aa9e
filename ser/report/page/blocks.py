"""The blocks of a report: sections of text, tables and figures; a table as text, Markdown and CSV."""

import re
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import fill
from typing import Any

import pandas as pd

UNKNOWN = "not available"  # shown for NaN, such as an interval over a single speaker
LINE = 110  # characters per line of text in a terminal


def percent(share: float, digits: int = 2) -> str:
    """A share as a percentage without the % sign: 0.69858 is "69.86"."""
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
    """A p value with three decimals, or four below 0.1 (0.0625 is the smallest possible over five sessions).

    Example:
        >>> [probability(p) for p in (0.0002, 0.0625, 0.25)]
        ['< 0.001', '0.0625', '0.250']
    """
    return "< 0.001" if p < 0.001 else f"{p:.{4 if p < 0.1 else 3}f}"


def _is_nan(value: Any) -> bool:
    return any(each != each for each in (value if isinstance(value, tuple) else (value,)))


# For each kind of value: its text, and the suffixes of its columns in a CSV file.
KINDS = {
    "text": (str, [""]),
    "count": ("{:d}".format, [""]),
    "number": ("{:g}".format, [""]),
    "percent": (percent, [" %"]),
    "short percent": (lambda share: percent(share, 1), [" %"]),
    "interval": (percent_interval, [" low %", " high %"]),
    "difference": (points, [" points"]),
    "difference interval": (points_interval, [" low points", " high points"]),
    "p": (probability, [""]),
    "count and percent": (lambda value: f"{value[0]} ({percent(value[1])})", [" count", " %"]),
    "hits": (lambda value: f"{percent(value[0] / value[1], 1)} ({value[0]}/{value[1]})", [" correct", " of"]),
}


@dataclass(frozen=True)
class Column:
    """A column: its heading, the kind of its values, and a group heading that it shares with its neighbours."""

    name: str
    kind: str = "text"
    group: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.group}: {self.name}" if self.group else self.name

    def text(self, value: Any) -> str:
        """A value as text; a string is unchanged, None is a dash."""
        if value is None or isinstance(value, str):
            return "-" if value is None else value
        return UNKNOWN if _is_nan(value) else KINDS[self.kind][0](value)

    def csv_names(self) -> list[str]:
        return [self.full_name.removesuffix(ending) + ending for ending in KINDS[self.kind][1]]

    def csv_values(self, value: Any) -> list:
        """One or two numbers, shares in per cent; None for a string in a column of numbers."""
        endings = KINDS[self.kind][1]
        if value is None or _is_nan(value) or (isinstance(value, str) and self.kind != "text"):
            return [None] * len(endings)
        values = zip(value if isinstance(value, tuple) else (value,), endings, strict=True)
        return [_number(each, ending) for each, ending in values]


def _number(value: Any, ending: str) -> Any:
    if ending.endswith(("%", "points")):
        return round(100 * value, 4)
    return float(f"{value:.6g}") if isinstance(value, float) else value


@dataclass(frozen=True)
class Table:
    """A table. The first column names the rows.

    Attributes:
        name: stem of its CSV file.
        rows: one value per column; None for no value, a string for words in place of a number.
        notes: sentences under it.
        summary_rows: number of last rows that summarise the others.
        csv_rows: rows of the CSV file, if the page shows only some of them.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[list]
    notes: list[str] = field(default_factory=list)
    summary_rows: int = 0
    csv_rows: list[list] | None = None

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The group headings with the number of columns under each."""
        return [(group, len(list(columns))) for group, columns in groupby(column.group for column in self.columns)]

    @property
    def texts(self) -> list[list[str]]:
        """All cells as text."""
        return [[column.text(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]

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
        rule = ["---" if column.kind == "text" else "---:" for column in self.columns]
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


class Commands(list):
    """Lines for a terminal."""


@dataclass(frozen=True)
class Section:
    """A section of the report; links lead to its anchor. A string is a paragraph, a list of strings a bulleted list."""

    anchor: str
    title: str
    blocks: list[Table | Picture | Commands | list[str] | str]


def escape(text: str) -> str:
    """Escape text that Markdown would read as markup: underscores in names, pipes in cells, tags."""
    return re.sub(r"([\\|_*`<&\[\]])", r"\\\1", text).replace("\n", " ")
