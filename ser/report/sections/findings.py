"""The findings of a report in sentences, and their limitations."""

from ser.report.page.values import percent, percent_interval
from ser.report.reported_results import Entry, has_papers_emotions
from ser.report.sections.comparisons import MEASURES, Pair, correct, incomparable
from ser.report.sections.paper_tables import comparability, same_test_set
from ser.report.sections.settings import unlike, unrecorded
from ser.results.matrices import compare_matrices
from ser.results.paper import TABLE_1
from ser.results.predictions import of_emotions
from ser.results.speaker_counts import EXACT, counted

MOST_LISTED = 3  # differences that are not distinguishable; if there are more, they are only counted
ONE = "That says nothing about other speakers, and there is no interval."
FEW = "A bootstrap over so few speakers is optimistic: its intervals are too narrow."
CAUTIONS = (
    "Utterances of one speaker are not independent. Intervals and tests that draw or swap whole speakers allow for "
    "that; McNemar's test, the paper's Wilson and multinomial intervals and the comparisons with the paper's "
    "matrices do not.",
    "One training predicts both speakers of a session, so they are not quite independent. The bootstrap and the tests "
    "over speakers assume that they are: intervals are somewhat too narrow and p values too small.",
    "Training sets of different folds overlap, and another seed gives another number: the intervals cover only the "
    "choice of test speakers, not this variation.",
)


def compare_matrices_of_paper(entries: list[Entry]) -> list[Pair]:
    """Compare the paper's CNN_SeqCap and CNN_RecCap, and ours with each if it was measured on the same utterances.

    None if our results have other emotions.
    """
    if not has_papers_emotions(entries):
        return []
    first, second = (row for row in TABLE_1 if row.confusion)
    found = compare_matrices(first.confusion, second.confusion)
    names = (f"the paper's {first.name}", f"the paper's {second.name}")
    pairs = [Pair(*names, found, label=f"paper: {second.name} - {first.name}", independent=True)]
    for row, name in zip((first, second), names, strict=True):
        for entry in (each for each in entries if each.about["system"] == row.system):
            if same_test_set(entry, row)[0] != "yes":
                continue
            if entry.num_seeds > 1:
                reason = "ours pools several seeds, and the paper's predictions are not known"
                pairs.append(Pair(name, f"our {entry.title}", reason=reason))
            else:
                found = compare_matrices(row.confusion, entry.scores["confusion"])
                pairs.append(Pair(name, f"our {entry.title}", found, independent=True))
    return correct(pairs)


def headline(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """The findings, one or two sentences each; differences that are not distinguishable are only counted if many."""
    lines = [*_best(entries), *([comparability(entries)] if has_papers_emotions(entries) else [])]
    lines += [
        f"{entry.title} is incomplete, {entry.named_folds}: its scores cover only these folds, not all of protocol "
        f"{entry.protocol}."
        for entry in entries
        if entry.is_incomplete
    ]
    lines += [
        f"{entry.title} was tested on a split that leaks, which was allowed: {'; '.join(leaks)}. Its scores say little "
        "about new speakers."
        for entry in entries
        if (leaks := entry.about.get("leaks"))
    ]
    tested = [pair for pair in pairs if pair.comparison and any(map(pair.testable, MEASURES))]
    found = [pair for pair in tested if any(map(pair.distinguishable, MEASURES))]
    if len(tested) > 1:
        lines.append(
            f"Distinguishable from 0 in WA or UA after Holm's correction for all {max(pair.tests for pair in pairs)} "
            f"tests: {len(found)} of {len(tested)} differences."
        )
    few = len(tested) - len(found) <= MOST_LISTED
    lines += [pair.finding() for pair in pairs if few or pair in found or pair not in tested]
    return [*lines, *unlike(entries, pairs), *(pair.finding() for pair in compare_matrices_of_paper(entries))]


def _best(entries: list[Entry]) -> list[str]:
    """The highest WA among results on the same utterances."""
    groups: list[list[Entry]] = []
    for entry in entries:
        alike = [group for group in groups if not any(incomparable(entry, other) for other in group)]
        if alike:
            alike[0].append(entry)
        else:
            groups.append([entry])
    lines = [_highest(group) for group in groups]
    if len(groups) > 1:
        lines.insert(0, "The results are on different test utterances, so none of them is the best of all.")
    return lines


def _highest(entries: list[Entry]) -> str:
    """All results that tie for the highest WA, and the WA of a constant answer."""
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
    """The limitations of the results."""
    by_number: dict[int, list[str]] = {}
    for entry in entries:
        by_number.setdefault(len(entry.test_set["speakers"]), []).append(entry.title)
    lines = [
        f"{', '.join(titles)}: {counted(number, 'tested speaker')}. {FEW if number > 1 else ONE}"
        for number, titles in sorted(by_number.items())
    ]
    lines += CAUTIONS
    if all(entry.num_seeds == 1 for entry in entries):
        lines.append("One seed per result: the spread between trainings is unknown.")
    lines += [
        f"{entry.title} is standardised by {entry.about['statistics']}: it used test audio, but not its labels."
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
