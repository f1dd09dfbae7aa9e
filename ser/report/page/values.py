"""Values of a report's tables: their text for people, and their numbers for files and for sorting."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ser.paths import text_of

UNKNOWN = "not available"  # shown for NaN, such as an interval over a single speaker


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


@dataclass(frozen=True)
class Link:
    """A link to a file, by its path from the folder of the page."""

    text: str
    path: str

    @property
    def href(self) -> str:
        return quote(os.fsencode(self.path))


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
    "count and percent": (lambda value: f"{value[0]} ({percent(value[1])} %)", [" count", " %"]),
    "hits": (lambda value: f"{percent(value[0] / value[1], 1)} % ({value[0]}/{value[1]})", [" correct", " of"]),
    "links": (lambda links: ", ".join(link.text for link in links), [""]),
}
PERCENTAGES = ("percent", "short percent", "interval")


def without_unit(name: str) -> str:
    """A heading without its "%"."""
    return name.removesuffix("%").rstrip(" ,") or name


@dataclass(frozen=True)
class Column:
    """A column: its heading, the kind of its values, and a group heading that it shares with its neighbours."""

    name: str
    kind: str = "text"
    group: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.group}: {self.name}" if self.group else self.name

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "links")

    def order(self, value: Any) -> float | str:
        """The number by which a page sorts a value, "" if there is none: a share, the low end of an interval."""
        first = self.csv_values(value)[0]
        if self.kind == "hits" and first is not None:
            return value[0] / value[1]
        return "" if first is None else first

    def text(self, value: Any) -> str:
        """A value as text; a string is unchanged, None is a dash."""
        if value is None or isinstance(value, str):
            return "-" if value is None else value
        return UNKNOWN if _is_nan(value) else KINDS[self.kind][0](value)

    @property
    def heading(self) -> str:
        """Its name on a page, where percentages have their unit in the cell and differences in the heading."""
        return f"{self.name} in points" if self.kind == "difference" else without_unit(self.name)

    def cell(self, value: Any) -> str:
        """A value as text on a page, a percentage with its unit."""
        unit = " %" if self.kind in PERCENTAGES and self.csv_values(value)[0] is not None else ""
        return self.text(value) + unit

    def csv_names(self) -> list[str]:
        return [self.full_name.removesuffix(ending) + ending for ending in KINDS[self.kind][1]]

    def csv_values(self, value: Any) -> list:
        """One or two numbers, shares in per cent; None for a string in a column of numbers."""
        endings = KINDS[self.kind][1]
        if self.kind == "links":
            return [" ".join(text_of(link.path) for link in value or ())]
        if value is None or _is_nan(value) or (isinstance(value, str) and self.kind != "text"):
            return [None] * len(endings)
        values = zip(value if isinstance(value, tuple) else (value,), endings, strict=True)
        return [_number(each, ending) for each, ending in values]


def _number(value: Any, ending: str) -> Any:
    if ending.endswith(("%", "points")):
        return round(100 * value, 4)
    return float(f"{value:.6g}") if isinstance(value, float) else value
