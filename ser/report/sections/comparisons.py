"""Differences between results, with intervals and tests corrected for their number."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from typing import Any

from ser.errors import InputError
from ser.report.page.blocks import Table
from ser.report.page.values import Column, points, points_interval, probability
from ser.report.reported_results import Entry
from ser.results.speaker_counts import counted
from ser.results.statistics import Comparison, compare, compare_unpaired

LEVEL = 0.05
MEASURES = ("WA", "UA")
SESSIONS = "sign-flip over sessions"  # not decisive: with few sessions it cannot find a difference
HOLM = (
    "p (Holm): corrected together for WA and UA of all rows ({tests}); this p and the interval decide. McNemar's test "
    "and the test over sessions do not decide and are not corrected."
)


@dataclass(frozen=True)
class Pair:
    """Two results, compared or not. Differences are second minus first, shares.

    Attributes:
        comparison: None if they are not compared; `reason` says why.
        adjusted: the p values of WA and UA, corrected together with those of all pairs (Holm), by name of the test.
        tests: number of p values corrected together.
        label: name of the pair in a table, if not "second - first".
        independent: the test assumes independent utterances, which is wrong: it can show that a difference is within
            noise, but not that it is larger.
    """

    first: str
    second: str
    comparison: Comparison | None = None
    reason: str = ""
    adjusted: dict[str, float] | None = None
    tests: int = 1
    label: str = ""
    independent: bool = False

    @property
    def name(self) -> str:
        return self.label or f"{self.second} - {self.first}"

    def difference(self, measure: str) -> float:
        """Difference in WA or UA."""
        return getattr(self.comparison, f"{measure.lower()}_difference")

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % interval of the difference."""
        return getattr(self.comparison, f"{measure.lower()}_interval")

    def test(self, measure: str) -> str:
        """Name of the test that decides on WA or UA; it ends with "(WA)" or "(UA)"."""
        names = (name for name in self.comparison.p_values if name.endswith(f"({measure})"))
        return next(name for name in names if not name.startswith(SESSIONS))

    def p_value(self, measure: str) -> float:
        """Corrected p value of the difference in WA or UA; NaN if no test is possible."""
        return (self.adjusted or self.comparison.p_values)[self.test(measure)]

    def testable(self, measure: str) -> bool:
        """Whether there are a test and an interval; a single speaker has none."""
        return not isnan(self.comparison.p_values[self.test(measure)]) and not isnan(self.interval(measure)[0])

    def distinguishable(self, measure: str) -> bool:
        """Whether both the interval and the test exclude a difference of zero."""
        low, high = self.interval(measure)
        return (low > 0 or high < 0) and self.p_value(measure) < LEVEL

    def finding(self) -> str:
        """The finding, one sentence for WA and one for UA."""
        if self.comparison is None:
            return f"{self.second} and {self.first} are not compared: {self.reason}."
        how = "" if self.comparison.paired else " (unpaired)"
        found = f"{self.second} minus {self.first}{how}: {self._found('WA')}. {self._found('UA')}."
        return found[0].upper() + found[1:]

    def _found(self, measure: str) -> str:
        p, found = self.p_value(measure), f"95 % interval {points_interval(self.interval(measure))}"
        if not isnan(p):
            relation = "" if p < 0.001 else "= "
            found += f"; p {relation}{probability(p)}{' after Holm' if self.adjusted else ''}"
        return f"{measure} {points(self.difference(measure))} points ({found}): {self._verdict(measure)}"

    def _verdict(self, measure: str) -> str:
        if not self.testable(measure):
            return "too few speakers to tell"
        if self.distinguishable(measure):
            return f"distinguishable{' only if utterances were independent' if self.independent else ''}"
        swapped = self.comparison.swapped
        if swapped and self.tests * 2 / 2**swapped >= LEVEL:
            return (
                f"not distinguishable, as {counted(swapped, 'speaker')} are too few for {counted(self.tests, 'test')}"
            )
        return "not distinguishable"


def holm(p_values: list[float]) -> list[float]:
    """Correct p values for their number by Holm's step-down method.

    NaN, for a test that is impossible, stays NaN and is not counted.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
        >>> holm([float("nan"), 0.02, 0.01])
        [nan, 0.02, 0.02]

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted, largest = [float("nan")] * len(p_values), 0.0
    tested = [place for place, p in enumerate(p_values) if not isnan(p)]
    for rank, place in enumerate(sorted(tested, key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(tested) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def compare_pairs(entries: list[Entry], unpaired: bool = False) -> Iterator[Pair]:
    """Compare all pairs of results, on different test sets only if `unpaired`; p values are not corrected yet."""
    for first, second in combinations(entries, 2):
        names, reason = (first.title, second.title), incomparable(first, second)
        try:
            if not reason:
                yield Pair(*names, compare(first.predictions, second.predictions))
            elif unpaired:
                found = compare_unpaired(first.predictions, second.predictions)
                caution = f"{second.title} and {first.title} are compared as requested: {reason}. {found.caution}"
                yield Pair(*names, replace(found, caution=caution))
            else:
                yield Pair(*names, reason=f"{reason}; --unpaired compares them without pairing")
        except InputError as error:
            yield Pair(*names, reason=str(error).rstrip("."))


def incomparable(first: Entry, second: Entry) -> str:
    """Why a paired test of two results is impossible; "" if it is possible."""
    digests = [each.about.get("corpus_digest") for each in (first, second)]
    if None not in digests and digests[0] != digests[1]:
        return (
            "they were made from different audio or labels of the corpus, "
            f"{first.title} has digest {digests[0]} and {second.title} has digest {digests[1]}"
        )
    if first.test_set["digest"] == second.test_set["digest"]:
        return ""
    sizes = [f"{each.title} has {each.test_set['utterances']} (protocol {each.protocol})" for each in (first, second)]
    return f"they were tested on different utterances, {' and '.join(sizes)}"


def compare_epochs(entries: list[Entry]) -> Iterator[Pair]:
    """For every result with averaged epochs: compare the mean of the last epochs with the best epoch."""
    for entry in entries:
        if "test" in entry.pooled.averaged:
            names = ("best epoch", f"mean of the last {entry.about['averaged']['epochs']} epochs")
            label = f"{entry.title}: {names[1]} - {names[0]}"
            yield Pair(*names, compare(entry.predictions, entry.pooled.averaged["test"]), label=label)


def correct(pairs: list[Pair]) -> list[Pair]:
    """Apply Holm's correction to WA and UA of all compared pairs together.

    They are one family, so that the probability of finding any difference between equal systems, in WA or UA of any
    pair, is at most `LEVEL`. Impossible tests, McNemar's test and the test over sessions are not counted.
    """
    compared = [(place, each) for place, pair in enumerate(pairs) if pair.comparison for each in MEASURES]
    p_values = [pairs[place].p_value(each) if pairs[place].testable(each) else float("nan") for place, each in compared]
    adjusted: dict[int, dict[str, float]] = {}
    for (place, each), p in zip(compared, holm(p_values), strict=True):
        adjusted.setdefault(place, {})[pairs[place].test(each)] = p
    tests = sum(not isnan(p) for p in p_values)
    return [
        replace(pair, adjusted=adjusted[place], tests=tests) if place in adjusted else pair
        for place, pair in enumerate(pairs)
    ]


def comparison_table(name: str, title: str, pairs: list[Pair], notes: list[str]) -> Table:
    """Differences with intervals and p values, uncorrected and by Holm; columns without a value are left out."""
    cells = [_cells(pair) for pair in pairs]
    columns = dict.fromkeys(column for row in cells for column, value in row.items() if value is not None)
    tests = dict.fromkeys(test for pair in pairs if pair.comparison for test in pair.comparison.p_values)
    if tests:
        number = counted(max(pair.tests for pair in pairs), "test")
        notes = [f"Tests: {'; '.join(tests)}. {HOLM.format(tests=number)}", *notes]
    return Table(name, title, list(columns), [[row.get(column) for column in columns] for row in cells], notes)


def _cells(pair: Pair) -> dict[Column, Any]:
    cells: dict = {Column("second minus first"): pair.name}
    if not (found := pair.comparison):
        return cells | {Column("test"): "not compared"}
    cells[Column("test")] = "paired" if found.paired else "unpaired"
    for measure in MEASURES:
        test = pair.test(measure)
        cells[Column("difference", "difference", measure)] = pair.difference(measure)
        cells[Column("95 % interval", "difference interval", measure)] = pair.interval(measure)
        cells[Column("p", "p", measure)] = found.p_values[test]
        cells[Column("p (Holm)", "p", measure)] = (pair.adjusted or {}).get(test)
        cells[Column("p, sessions", "p", measure)] = found.p_values.get(f"{SESSIONS} ({measure})")
    return cells | {Column("p", "p", "McNemar"): found.p_values.get("McNemar")}
