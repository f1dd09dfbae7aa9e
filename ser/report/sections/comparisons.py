"""Which differences between results mean anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan

from ser.errors import InputError
from ser.report.page.blocks import Column, Table, points_interval, probability
from ser.report.reported_results import Entry
from ser.results.speaker_counts import counted
from ser.results.statistics import Comparison, compare, compare_unpaired

LEVEL = 0.05
MEASURES = ("WA", "UA")
SESSIONS = "sign-flip over sessions"  # with few sessions it cannot find anything: it decides nothing


@dataclass(frozen=True)
class Pair:
    """Two results, compared or not.

    Args:
        first: name of the one that the difference is subtracted from.
        second: name of the other.
        comparison: None where they are not compared.
        reason: why not.
        adjusted: the p values of WA and UA, corrected with those of all pairs (Holm), by the test's name.
        tests: how many they were corrected for.
        label: what a table calls the pair, where that is not "second - first".
        independent: the test takes utterances for independent, which they are not: it can show that a difference is
            within noise, but not that it is more.
    """

    first: str
    second: str
    comparison: Comparison | None = None
    reason: str = ""
    adjusted: dict[str, float] | None = None
    tests: int = 1
    label: str = ""
    independent: bool = False

    def p_value(self, measure: str) -> float | None:
        """Corrected p value of the difference in WA or UA, where a test of it was made."""
        name = name_of_test(self.comparison, measure)
        return None if name is None else (self.adjusted or self.comparison.p_values)[name]

    def testable(self, measure: str) -> bool:
        """Whether a difference could have been found; of a single speaker none can."""
        name = name_of_test(self.comparison, measure)
        p = 1.0 if name is None else self.comparison.p_values[name]
        return not isnan(p) and not isnan(interval_of(self.comparison, measure)[0])

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
        return (
            f"{self.second} is {wa} in WA; the 95 % interval of the difference{how}, {self._found('WA')}. "
            f"In UA it is {ua}, {self._found('UA')}.{self._limits()}"
        )

    def _position(self, measure: str, other: str) -> str:
        difference = difference_of(self.comparison, measure)
        size = f"{abs(100 * difference):.1f}"
        if size == "0.0":
            return f"level with {other}" if other else "level"
        return f"{size} points {'above' if difference > 0 else 'below'} {other}".rstrip()

    def _found(self, measure: str) -> str:
        """Interval, p values and verdict."""
        low, high = interval_of(self.comparison, measure)
        excludes = low > 0 or high < 0
        touches = "" if isnan(low) else ", excludes 0" if excludes else ", includes 0"
        found = f"{points_interval((low, high))}{touches}"
        if not self.testable(measure):
            return f"{found}: {self._untestable()}"
        p, over_sessions = self.p_value(measure), self.comparison.p_values.get(f"{SESSIONS} ({measure})")
        if p is not None:
            beside = "" if over_sessions is None else f"; over sessions p {_relation(over_sessions)}"
            found += f" (p {_relation(p)}{' after Holm' if self.adjusted else ''}{beside})"
        if self.distinguishable(measure):
            return f"{found}: distinguishable{' only if utterances were independent' if self.independent else ''}"
        return f"{found}: not distinguishable{self._although(p) if excludes else ''}"

    def _untestable(self) -> str:
        if isnan(self.comparison.wa_interval[0]):
            return "too few speakers to tell"
        return "too few speakers have every emotion to tell"

    def _although(self, p: float) -> str:
        """Why a difference whose interval excludes 0 is not distinguishable."""
        swapped = self.comparison.swapped
        if swapped and (least := min(1, self.tests * 2 / 2**swapped)) >= LEVEL:
            tests = f" and {self.tests} tests" if self.tests > 1 else ""
            return f", as the least possible p with {counted(swapped, 'speaker')}{tests} is {least:.2g}"
        return f", as p is not below {LEVEL}"

    def _limits(self) -> str:
        if not self.independent:
            return ""
        return " This takes utterances for independent, which those of a speaker are not (true intervals are wider)."


def _relation(p: float) -> str:
    return probability(p) if p < 0.001 else f"= {probability(p)}"


def difference_of(comparison: Comparison, measure: str) -> float:
    """Second minus first, a share."""
    return comparison.wa_difference if measure == "WA" else comparison.ua_difference


def interval_of(comparison: Comparison, measure: str) -> tuple[float, float]:
    """95 % interval of the difference, shares."""
    return comparison.wa_interval if measure == "WA" else comparison.ua_interval


def name_of_test(comparison: Comparison, measure: str) -> str | None:
    """Name of the test that decides on the difference in WA or UA, which its name ends with."""
    names = [name for name in comparison.p_values if name.endswith(f"({measure})") and not name.startswith(SESSIONS)]
    return names[0] if names else None


def holm(p_values: list[float]) -> list[float]:
    """Correct p values for their number by Holm's step-down method.

    NaN, where no test could be made, stays NaN and does not count.

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
    """Compare every two results.

    Args:
        entries: the results.
        unpaired: compare results on different test sets as well, without pairing.

    Returns:
        One pair after the other, in the results' order, not yet corrected for their number.
    """
    for first, second in combinations(entries, 2):
        names, reason = (first.title, second.title), incomparable(first, second)
        try:
            if not reason:
                yield Pair(*names, compare(first.predictions, second.predictions))
            elif unpaired:
                found = compare_unpaired(first.predictions, second.predictions)
                caution = f"{second.title} and {first.title} are compared on demand: {reason}. {found.caution}"
                yield Pair(*names, replace(found, caution=caution))
            else:
                yield Pair(*names, reason=f"{reason}; --unpaired forces a test without pairing")
        except InputError as error:
            yield Pair(*names, reason=str(error).rstrip("."))


def incomparable(first: Entry, second: Entry) -> str:
    """Why two results have no test with pairing, or "" if they have."""
    if reason := _other_corpus(first, second):
        return reason
    return "" if first.test_set["digest"] == second.test_set["digest"] else _difference_of_test_sets(first, second)


def compare_epochs(entries: list[Entry]) -> Iterator[Pair]:
    """For every result with averaged epochs: the mean of the last epochs against the best epoch."""
    for entry in entries:
        if "test" in entry.pooled.averaged:
            names = ("best epoch", f"mean of the last {entry.about['averaged']['epochs']} epochs")
            label = f"{entry.title}: {names[1]} - {names[0]}"
            yield Pair(*names, compare(entry.predictions, entry.pooled.averaged["test"]), label=label)


def _other_corpus(first: Entry, second: Entry) -> str:
    """Why two results on other audio or labels are not alike; "" if nothing is known of such a difference."""
    digests = [each.about.get("corpus_digest") for each in (first, second)]
    if None in digests or digests[0] == digests[1]:
        return ""
    listed = " and ".join(
        f"{each.title} has digest {digest}" for each, digest in zip((first, second), digests, strict=True)
    )
    return f"they were made from other audio or other labels of the corpus, {listed}"


def _difference_of_test_sets(first: Entry, second: Entry) -> str:
    sizes = [f"{each.title} has {each.test_set['utterances']} (protocol {each.protocol})" for each in (first, second)]
    return f"they were tested on different utterances, {' and '.join(sizes)}"


def correct(pairs: list[Pair]) -> list[Pair]:
    """Holm's correction of WA and UA of all pairs that were compared, together.

    One family, so that the chance to find any difference between equal systems is at most `LEVEL`: a finding is "in WA
    or UA", of any pair. McNemar's test and that over sessions decide nothing and are not corrected.
    """
    named = [
        (place, name, pair.comparison.p_values[name] if pair.testable(measure) else float("nan"))
        for place, pair in enumerate(pairs)
        for measure in (MEASURES if pair.comparison else ())
        if (name := name_of_test(pair.comparison, measure))
    ]
    adjusted: dict[int, dict[str, float]] = {}
    for (place, name, _), p in zip(named, holm([p for *_, p in named]), strict=True):
        adjusted.setdefault(place, {})[name] = p
    # A pair of which nothing can be told is no chance to find a difference: it does not count.
    tests = sum(not isnan(p) for *_, p in named)
    return [
        replace(pair, adjusted=adjusted[place], tests=tests) if place in adjusted else pair
        for place, pair in enumerate(pairs)
    ]


def comparison_table(name: str, title: str, pairs: list[Pair], notes: list[str]) -> Table:
    """Differences with intervals and p values, as they are and by Holm's correction.

    The sign-flip over sessions and McNemar's test are not corrected, as nothing is decided by them.
    """
    corrected = any(pair.adjusted for pair in pairs)
    with_sessions = any(_of_sessions(pair, measure) is not None for pair in pairs for measure in MEASURES)
    columns = [Column("second minus first"), Column("test")]
    for measure in MEASURES:
        columns += [
            Column("difference", "difference", measure),
            Column("95 % interval", "difference interval", measure),
        ]
        columns += [Column("p", "p", measure), *([Column("p (Holm)", "p", measure)] if corrected else [])]
        columns += [Column("p, sessions", "p", measure)] if with_sessions else []
    with_mcnemar = any(map(_has_mcnemar, pairs))
    columns += [Column("p", "p", "McNemar")] if with_mcnemar else []
    rows = []
    for pair in pairs:
        row: list = [pair.label or f"{pair.second} - {pair.first}"]
        if pair.comparison is None:
            rows.append([*row, "not compared", *[None] * (len(columns) - 2)])
            continue
        row.append("paired" if pair.comparison.paired else "unpaired")
        for measure in MEASURES:
            test = name_of_test(pair.comparison, measure)
            row += [difference_of(pair.comparison, measure), interval_of(pair.comparison, measure)]
            row.append(pair.comparison.p_values[test] if test else None)
            if corrected:
                row.append(pair.adjusted[test] if test else None)
            if with_sessions:
                row.append(_of_sessions(pair, measure))
        row += [pair.comparison.p_values.get("McNemar")] if with_mcnemar else []
        rows.append(row)
    return Table(name, title, columns, rows, notes)


def _of_sessions(pair: Pair, measure: str) -> float | None:
    return pair.comparison.p_values.get(f"{SESSIONS} ({measure})") if pair.comparison else None


def holm_notes(pairs: list[Pair]) -> list[str]:
    """What the p values are corrected for, and which are not; nothing where no pair is compared."""
    compared = [pair for pair in pairs if pair.adjusted]
    if not compared:
        return []
    alone = " McNemar's test decides nothing and is not corrected." if any(map(_has_mcnemar, compared)) else ""
    return [f"p (Holm): corrected together, WA and UA of all rows ({counted(compared[0].tests, 'test')}).{alone}"]


def _has_mcnemar(pair: Pair) -> bool:
    return bool(pair.comparison) and "McNemar" in pair.comparison.p_values


def describe_tests(pairs: list[Pair]) -> str:
    """Which tests the p values are of, for a note."""
    tests: dict[str, list[str]] = {}
    for pair in pairs:
        for name in pair.comparison.p_values if pair.comparison else ():
            test, _, measure = name.removesuffix(")").partition(" (")
            if measure not in tests.setdefault(test, []):
                tests[test].append(measure)
    return "; ".join(f"{test} ({', '.join(found)})" if all(found) else test for test, found in tests.items())
