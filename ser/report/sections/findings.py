"""The findings of a report in sentences, and what a reader must know before believing them."""

from __future__ import annotations

from ser.report.page.blocks import percent, percent_interval
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair, correct, incomparable
from ser.report.sections.options import unlike, unrecorded
from ser.report.sections.paper_tables import comparability, is_comparable
from ser.results.matrices import compare_matrices
from ser.results.paper import TABLE_1
from ser.results.predictions import of_emotions
from ser.results.speaker_counts import EXACT, counted

MOST_LISTED = 3  # differences that cannot be told from 0, each with a sentence of its own
FEW = "A bootstrap over so few speakers is optimistic, its intervals are too narrow."
CAUTIONS = (
    "Utterances of one speaker are not independent. Intervals and tests that draw or swap whole speakers allow for "
    "that; McNemar's test, the paper's Wilson and multinomial intervals and the comparisons with the paper's "
    "matrices do not.",
    "The two speakers of a session are answered by one training and resemble one another by that: the bootstrap "
    "and the tests over speakers, which take them for independent, are somewhat too sure.",
    "Training sets of different folds overlap, and one training with another seed gives another number: intervals "
    "here are about which speakers were tested, not about that.",
)


def compare_matrices_of_paper(entries: list[Entry]) -> list[Pair]:
    """The paper's CNN_SeqCap and CNN_RecCap, and ours with either where it was measured on the same utterances."""
    first, second = (row for row in TABLE_1 if row.confusion)
    names = (f"the paper's {first.name}", f"the paper's {second.name}")
    label = f"paper: {second.name} - {first.name}"
    found = compare_matrices(first.confusion, second.confusion)
    pairs = [Pair(*names, found, label=label, independent=True)]
    for row in (first, second):
        for entry in (each for each in entries if each.about["system"] == row.system and is_comparable(each, row)):
            names = (f"the paper's {row.name}", f"our {entry.title}")
            if entry.num_seeds > 1:
                pairs.append(Pair(*names, reason="ours pools several seeds, and the paper's predictions are not known"))
            else:
                found = compare_matrices(row.confusion, entry.scores["confusion"])
                pairs.append(Pair(*names, found, independent=True))
    return correct(pairs)


def headline(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """The findings, one sentence or two each."""
    lines = [*_best(entries), comparability(entries)]
    lines += [
        f"{entry.title} is incomplete, {entry.named_folds}: its scores are not those of protocol {entry.protocol}, but "
        "of those who were tested."
        for entry in entries
        if entry.is_incomplete
    ]
    tested = [pair for pair in pairs if _is_tested(pair)]
    differing = [pair for pair in tested if _differs(pair)]
    if len(tested) > 1:
        lines.append(
            f"Distinguishable from 0 in WA or UA after Holm's correction for all {max(pair.tests for pair in pairs)} "
            f"tests: {len(differing)} of {len(tested)} differences."
        )
    shown = pairs
    if len(tested) - len(differing) > MOST_LISTED:  # what is found in none of them is one sentence, not many
        lines[-1] += " The comparisons below have every difference with its interval."
        shown = [pair for pair in pairs if not _is_tested(pair) or _differs(pair)]
    lines += [*(pair.finding() for pair in shown), *unlike(entries, pairs)]
    return lines + [pair.finding() for pair in compare_matrices_of_paper(entries)]


def _is_tested(pair: Pair) -> bool:
    return bool(pair.comparison) and (pair.testable("WA") or pair.testable("UA"))


def _differs(pair: Pair) -> bool:
    return pair.distinguishable("WA") or pair.distinguishable("UA")


def _best(entries: list[Entry]) -> list[str]:
    """The highest WA among results on the same utterances, all of them that tie, and what a constant answer reaches."""
    groups: list[list[Entry]] = []
    for entry in entries:
        alike = [group for group in groups if not any(incomparable(entry, other) for other in group)]
        if alike:
            alike[0].append(entry)
        else:
            groups.append([entry])
    different = "The results were not all made from the same test utterances: there is no common winner."
    return [*([different] if len(groups) > 1 else []), *map(_highest, groups)]


def _highest(entries: list[Entry]) -> str:
    highest, size = max(entry.scores["wa"] for entry in entries), entries[0].test_set["utterances"]
    best = [
        f"{entry.title}, WA {percent(entry.scores['wa'], 1)} % (95 % interval "
        f"{percent_interval(entry.intervals['wa'])}), UA {percent(entry.scores['ua'], 1)} %{of_emotions(entry.scores)}"
        for entry in entries
        if highest - entry.scores["wa"] < EXACT
    ]
    counts = entries[0].test_set["counts"]
    emotion = max(counts, key=counts.get)
    return (
        f"Highest WA on {counted(size, 'test utterance')}, of {counted(len(entries), 'result')}: {'; '.join(best)}. "
        f"Always answering {emotion} would reach a WA of {percent(counts[emotion] / size, 1)} %."
    )


def cautions(entries: list[Entry]) -> list[str]:
    """What a reader must know before believing a number."""
    lines = [*_few_speakers(entries), *CAUTIONS]
    if all(entry.num_seeds == 1 for entry in entries):
        lines.append("One seed per result: nothing is known about the spread between trainings.")
    lines += [
        f"{entry.title} standardised by {entry.about['statistics']}: it heard test audio, though no labels."
        for entry in entries
        if not str(entry.about["statistics"]).startswith("train")
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
    return lines + [f"{entry.title}, {line}." for entry in entries for line in entry.about.get("warnings") or []]


def _few_speakers(entries: list[Entry]) -> list[str]:
    by_number: dict[int, list[str]] = {}
    for entry in entries:
        by_number.setdefault(len(entry.test_set["speakers"]), []).append(entry.title)
    return [
        f"{', '.join(titles)}: {counted(number, 'tested speaker')}. "
        + ("That says nothing about others, and there is no interval." if number == 1 else FEW)
        for number, titles in sorted(by_number.items())
    ]
