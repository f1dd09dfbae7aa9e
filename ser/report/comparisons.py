"""Which differences between results mean anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan

from ser.errors import InputError
from ser.report.document import Column, Table, points_interval, probability
from ser.report.entries import Entry
from ser.statistics import Comparison, compare, compare_unpaired

LEVEL = 0.05
MEASURES = ("WA", "UA")


@dataclass(frozen=True)
class Pair:
    """Two results, compared or not.

    Args:
        first: name of the one that the difference is subtracted from.
        second: name of the other.
        comparison: None where they are not compared.
        reason: why not.
        adjusted: the p values corrected for the number of pairs (Holm), by the test's name.
        label: what a table calls the pair, where that is not "second - first".
    """

    first: str
    second: str
    comparison: Comparison | None = None
    reason: str = ""
    adjusted: dict[str, float] | None = None
    label: str = ""

    def p_value(self, measure: str) -> float | None:
        """Corrected p value of the difference in WA or UA, where a test of it was made."""
        name = name_of_test(self.comparison, measure)
        return None if name is None else (self.adjusted or self.comparison.p_values)[name]

    def distinguishable(self, measure: str) -> bool:
        """Whether both the interval and the test, where there is one, exclude a difference of zero."""
        low, high = interval_of(self.comparison, measure)
        p = self.p_value(measure)
        return (low > 0 or high < 0) and (p is None or p < LEVEL)

    def finding(self) -> str:
        """What was found, as a sentence for WA and one for UA."""
        if self.comparison is None:
            return f"{self.second} and {self.first} are not compared: {self.reason}."
        how = "" if self.comparison.paired else " (unpaired)"
        wa, ua = self._position("WA", self.first), self._position("UA", "")
        low, high = interval_of(self.comparison, "WA")
        touches = "" if isnan(low) else ", excludes 0" if low > 0 or high < 0 else ", includes 0"
        return (
            f"{self.second} is {wa} in WA; the 95 % interval of the difference{how}, {points_interval((low, high))}"
            f"{touches}{self._verdict('WA')}. In UA it is {ua}, {points_interval(interval_of(self.comparison, 'UA'))}"
            f"{self._verdict('UA')}."
        )

    def _position(self, measure: str, other: str) -> str:
        difference = difference_of(self.comparison, measure)
        size = f"{abs(100 * difference):.1f}"
        if size == "0.0":
            return f"level with {other}" if other else "level"
        return f"{size} points {'above' if difference > 0 else 'below'} {other}".rstrip()

    def _verdict(self, measure: str) -> str:
        p = self.p_value(measure)
        tested = "" if p is None else f" (p {_relation(p)}{' after Holm' if self.adjusted else ''})"
        if isnan(interval_of(self.comparison, measure)[0]) or (p is not None and isnan(p)):
            return ": too few speakers to tell"
        return f"{tested}: {'' if self.distinguishable(measure) else 'not '}distinguishable"


def _relation(p: float) -> str:
    return probability(p) if p < 0.001 else f"= {probability(p)}"


def difference_of(comparison: Comparison, measure: str) -> float:
    """Second minus first, a share."""
    return comparison.wa_difference if measure == "WA" else comparison.ua_difference


def interval_of(comparison: Comparison, measure: str) -> tuple[float, float]:
    """95 % interval of the difference, shares."""
    return comparison.wa_interval if measure == "WA" else comparison.ua_interval


def name_of_test(comparison: Comparison, measure: str) -> str | None:
    """Name of the test of the difference in WA or UA, which its name ends with."""
    return next((name for name in comparison.p_values if name.endswith(f"({measure})")), None)


def holm(p_values: list[float]) -> list[float]:
    """Correct p values for their number by Holm's step-down method.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def compare_pairs(entries: list[Entry], unpaired: bool = False) -> Iterator[Pair]:
    """Compare every two results.

    Args:
        entries: the results.
        unpaired: compare results on different test sets as well, without pairing.

    Returns:
        One pair after the other, in the results' order, not yet corrected for their number.
    """
    for first, second in combinations(entries, 2):
        try:
            if first.test_set["digest"] == second.test_set["digest"]:
                yield Pair(first.title, second.title, compare(first.predictions, second.predictions))
            elif unpaired:
                yield Pair(first.title, second.title, compare_unpaired(first.predictions, second.predictions))
            else:
                yield Pair(first.title, second.title, reason=_difference_of_test_sets(first, second))
        except InputError as error:
            yield Pair(first.title, second.title, reason=str(error).rstrip("."))


def compare_epochs(entries: list[Entry]) -> Iterator[Pair]:
    """For every result with averaged epochs: the mean of the last epochs against the best epoch."""
    for entry in entries:
        if "test" in entry.pooled.averaged:
            names = ("best epoch", f"mean of the last {entry.about['averaged']['epochs']} epochs")
            label = f"{entry.title}: {names[1]} - {names[0]}"
            yield Pair(*names, compare(entry.predictions, entry.pooled.averaged["test"]), label=label)


def _difference_of_test_sets(first: Entry, second: Entry) -> str:
    sizes = [f"{each.title} has {each.test_set['utterances']} (protocol {each.protocol})" for each in (first, second)]
    return f"they were tested on different utterances, {' and '.join(sizes)}; --unpaired forces a test without pairing"


def correct(pairs: list[Pair]) -> list[Pair]:
    """Holm's correction over all pairs that were compared, for WA, UA and McNemar's test each; none for one pair."""
    compared = [pair for pair in pairs if pair.comparison]
    if len(compared) < 2:
        return pairs
    adjusted: dict[int, dict[str, float]] = {id(pair): {} for pair in compared}
    for family in (*MEASURES, "McNemar"):
        names = [(pair, _family_name(pair.comparison, family)) for pair in compared]
        named = [(pair, name) for pair, name in names if name is not None]
        corrected = holm([pair.comparison.p_values[name] for pair, name in named])
        for (pair, name), p in zip(named, corrected, strict=True):
            adjusted[id(pair)][name] = p
    return [replace(pair, adjusted=adjusted[id(pair)]) if pair.comparison else pair for pair in pairs]


def _family_name(comparison: Comparison, family: str) -> str | None:
    if family in MEASURES:
        return name_of_test(comparison, family)
    return next((name for name in comparison.p_values if name.startswith(family)), None)


def comparison_table(name: str, title: str, pairs: list[Pair], notes: list[str]) -> Table:
    """Differences with intervals and p values; with several pairs also Holm's."""
    corrected = any(pair.adjusted for pair in pairs)
    columns = [Column("second minus first"), Column("test")]
    for measure in MEASURES:
        columns += [
            Column("difference", "difference", measure),
            Column("95 % interval", "difference interval", measure),
        ]
        columns += [Column("p", "p", measure), *([Column("p (Holm)", "p", measure)] if corrected else [])]
    with_mcnemar = any(pair.comparison and _family_name(pair.comparison, "McNemar") for pair in pairs)
    if with_mcnemar:
        columns += [Column("p", "p", "McNemar"), *([Column("p (Holm)", "p", "McNemar")] if corrected else [])]
    rows = []
    for pair in pairs:
        row: list = [pair.label or f"{pair.second} - {pair.first}"]
        if pair.comparison is None:
            rows.append([*row, "not compared", *[None] * (len(columns) - 2)])
            continue
        row.append("paired" if pair.comparison.paired else "unpaired")
        for family in (*MEASURES, *(["McNemar"] if with_mcnemar else [])):
            if family in MEASURES:
                row += [difference_of(pair.comparison, family), interval_of(pair.comparison, family)]
            test = _family_name(pair.comparison, family)
            row.append(pair.comparison.p_values[test] if test else None)
            if corrected:
                row.append(pair.adjusted[test] if test else None)
        rows.append(row)
    return Table(name, title, columns, rows, notes)


def describe_tests(pairs: list[Pair]) -> str:
    """Which tests the p values are of, for a note."""
    tests: dict[str, list[str]] = {}
    for pair in pairs:
        for name in pair.comparison.p_values if pair.comparison else ():
            test, _, measure = name.removesuffix(")").partition(" (")
            if measure not in tests.setdefault(test, []):
                tests[test].append(measure)
    return "; ".join(f"{test} ({', '.join(found)})" if all(found) else test for test, found in tests.items())
