"""The findings of a report in sentences, and what a reader must know before believing them."""

from __future__ import annotations

from math import isnan

from ser.report.page.blocks import percent, percent_interval
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair, correct, incomparable
from ser.report.sections.options import unlike, unrecorded
from ser.report.sections.paper_tables import comparability, is_comparable
from ser.results.matrices import compare_matrices
from ser.results.paper import TABLE_1
from ser.results.predictions import of_emotions
from ser.results.speaker_counts import EXACT

MOST_LISTED = 3  # differences that cannot be told from 0, each with a sentence of its own


def compare_matrices_of_paper(entries: list[Entry]) -> list[Pair]:
    """The paper's CNN_SeqCap and CNN_RecCap, and ours with either where it was measured on the same utterances."""
    first, second = (row for row in TABLE_1 if row.confusion)
    names = (f"the paper's {first.name}", f"the paper's {second.name}")
    label = f"paper: {second.name} - {first.name}"
    found = compare_matrices(first.confusion, second.confusion)
    pairs = [Pair(*names, found, label=label, independent=True)]
    for row in (first, second):
        for entry in entries:
            if entry.about["system"] == row.system and is_comparable(entry, row):
                names = (f"the paper's {row.name}", f"our {entry.title}")
                if entry.num_seeds > 1:
                    pairs.append(
                        Pair(*names, reason="ours pools several seeds, and the paper's predictions are not known")
                    )
                else:
                    found = compare_matrices(row.confusion, entry.scores["confusion"])
                    pairs.append(Pair(*names, found, independent=True))
    return correct(pairs)


def headline(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """The findings, one sentence or two each."""
    lines = [*_best(entries), comparability(entries)]
    lines += [
        f"{entry.title} is incomplete, {entry.named_folds}: who is tested in the others is not in its scores."
        for entry in entries
        if entry.is_incomplete
    ]
    options = unlike(entries, pairs)
    alike = [pair for pair in pairs if _is_tested(pair) and not _differs(pair)]
    number = sum(map(_is_tested, pairs))
    if number > 1:
        differing = number - len(alike)
        lines.append(
            f"{differing or 'None'} of {number} differences {'is' if differing == 1 else 'are'} distinguishable from 0 "
            f"in WA or UA after Holm's correction for all {max(pair.tests for pair in pairs)} tests of them."
        )
    if len(alike) > MOST_LISTED:  # what is found in none of them is one sentence, not many
        lines[-1] += " The comparisons below have every difference with its interval."
        pairs = [pair for pair in pairs if not _is_tested(pair) or _differs(pair)]
    findings = [*(pair.finding() for pair in pairs), *options]
    findings += [pair.finding() for pair in compare_matrices_of_paper(entries)]
    return [*lines, *(finding[0].upper() + finding[1:] for finding in findings)]


def _is_tested(pair: Pair) -> bool:
    return bool(pair.comparison) and (pair.testable("WA") or pair.testable("UA"))


def _differs(pair: Pair) -> bool:
    return pair.distinguishable("WA") or pair.distinguishable("UA")


def _best(entries: list[Entry]) -> list[str]:
    """Who has the highest WA among those who were tested on the same utterances, all of them where they tie."""
    groups: list[list[Entry]] = []
    for entry in entries:
        alike = [group for group in groups if not any(incomparable(entry, other) for other in group)]
        if alike:
            alike[0].append(entry)
        else:
            groups.append([entry])
    lines = [f"{_highest(group)} {_majority(group[0])}" for group in groups]
    if len(groups) == 1:
        return lines
    return ["The results were not all made from the same test utterances: there is no common winner.", *lines]


def _highest(entries: list[Entry]) -> str:
    """The highest WA of results on the same test utterances, with interval and UA."""
    if len(entries) == 1:
        return f"{entries[0].title} has a WA of {_wa(entries[0])}, {_interval_and_ua(entries[0])}."
    highest = max(entry.scores["wa"] for entry in entries)
    best = [entry for entry in entries if highest - entry.scores["wa"] < EXACT]
    among = f"Of {len(entries)} results on the same {entries[0].test_set['utterances']} test utterances"
    if len(best) == 1:
        return f"{among} {best[0].title} has the highest WA, {_wa(best[0])}, {_interval_and_ua(best[0])}."
    names = f"{', '.join(entry.title for entry in best[:-1])} and {best[-1].title}"
    each = "; ".join(f"{entry.title} {_interval_and_ua(entry)}" for entry in best)
    return f"{among} {names} have the highest WA, {_wa(best[0])}: {each}."


def _wa(entry: Entry) -> str:
    return f"{percent(entry.scores['wa'], 1)} %"


def _interval_and_ua(entry: Entry) -> str:
    wa = entry.intervals["wa"]
    interval = "no interval" if isnan(wa[0]) else f"a 95 % interval of {percent_interval(wa)}"
    return f"with {interval} and a UA of {percent(entry.scores['ua'], 1)} %{of_emotions(entry.scores)}"


def _majority(entry: Entry) -> str:
    counts = entry.test_set["counts"]
    emotion = max(counts, key=counts.get)
    share = counts[emotion] / entry.test_set["utterances"]
    return f"Always answering {emotion} would reach a WA of {percent(share, 1)} % on its test set."


def cautions(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """What a reader must know before believing a number.

    Args:
        entries: the results.
        pairs: of our results, compared or not.
    """
    lines = [
        *_incomplete(entries),
        *_few_speakers(entries),
        "Utterances of one speaker are not independent. Intervals and tests that draw or swap whole speakers allow for "
        "that; McNemar's test, the paper's Wilson and multinomial intervals and the comparisons with the paper's "
        "matrices do not.",
        "The two speakers of a session are answered by one training and resemble one another by that: the bootstrap "
        "and the tests over speakers, which take them for independent, are somewhat too sure.",
        "Training sets of different folds overlap, and one training with another seed gives another number: intervals "
        "here are about which speakers were tested, not about that.",
    ]
    if all(entry.num_seeds == 1 for entry in entries):
        lines.append("One seed per result: nothing is known about the spread between trainings.")
    if (compared := sum(pair.comparison is not None for pair in pairs)) > 1:
        lines.append(
            f"{compared} pairs of our results are compared; the more there are, the likelier one differs by chance. "
            "Findings about them rest on p values corrected by Holm's method, WA and UA of all pairs together; those "
            "about the paper's matrices have a correction of their own. Intervals, McNemar's test and the test over "
            "sessions are not corrected."
        )
    heard = [entry for entry in entries if not str(entry.about["statistics"]).startswith("train")]
    lines += [
        f"{entry.title} standardised by {entry.about['statistics']}: it heard test audio, though no labels."
        for entry in heard
    ]
    lines += [
        f"result.json of {entry.title} has an interval of UA by an older method (UA over the emotions present in each "
        "draw); the one here was computed again from its predictions."
        for entry in entries
        if entry.intervals["redrawn"] and entry.about.get("intervals") and not entry.about.get("bootstrap")
    ]
    codes = {entry.title: entry.about.get("code_digest") for entry in entries}
    if len({digest for digest in codes.values() if digest}) > 1:
        listed = ", ".join(f"{title} {digest or 'unknown'}" for title, digest in codes.items())
        lines.append(f"The results were made by different versions of the code (digests: {listed}).")
    lines += unrecorded(entries)
    lines += [f"{entry.title}, {line}." for entry in entries for line in entry.about.get("warnings") or []]
    with_paper = compare_matrices_of_paper(entries)
    said = [pair.comparison.caution for pair in [*pairs, *with_paper] if pair.comparison and pair.comparison.caution]
    return [*lines, *dict.fromkeys(said)]


def _incomplete(entries: list[Entry]) -> list[str]:
    return [
        f"{entry.title} is incomplete, {entry.named_folds}: its scores are not those of protocol {entry.protocol}, but "
        "of those who were tested."
        for entry in entries
        if entry.is_incomplete
    ]


def _few_speakers(entries: list[Entry]) -> list[str]:
    lines = {}
    for number in sorted({len(entry.test_set["speakers"]) for entry in entries}):
        titles = [entry.title for entry in entries if len(entry.test_set["speakers"]) == number]
        which = "" if len(titles) == len(entries) else f" ({', '.join(titles)})"
        if number == 1:
            lines[number] = f"One speaker was tested{which}: that says nothing about others, and there is no interval."
        else:
            lines[number] = (
                f"{number} tested speakers are few{which}: a bootstrap over so few is optimistic, its intervals are "
                "too narrow."
            )
    return list(lines.values())
