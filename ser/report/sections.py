"""What stands in a report, in order."""

from __future__ import annotations

from collections.abc import Callable

from ser.paper import TABLE_1
from ser.report.comparisons import Pair, compare_epochs, compare_pairs, comparison_table, correct, describe_tests
from ser.report.document import Commands, Listing, Paragraph, Section, percent, percent_interval
from ser.report.entries import Entry
from ser.report.figures import draw_differences, draw_matrices, draw_recalls, draw_scores, draw_speakers
from ser.report.lambdas import lambda_blocks
from ser.report.learning import draw_learning
from ser.report.setting import protocol_table, report_versions, settings_table, shared_sentence
from ser.report.spread import epoch_table, fold_table, same_tests, seed_table, speaker_table
from ser.report.tables import comparability, is_comparable, matrix_tables, recall_table, table_1
from ser.statistics import compare_matrices

Say = Callable[[str], None]


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
    return pairs


def headline(entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """The findings, one sentence or two each."""
    best = max(entries, key=lambda entry: entry.scores["wa"])
    several = len(entries) > 1
    which = f"Of {len(entries)} results {best.title} has the highest WA," if several else f"{best.title} has a WA of"
    alike = len({entry.test_set["digest"] for entry in entries}) == 1
    unlike = "" if alike else "They were not all tested on the same utterances. "
    lines = [
        f"{which} {percent(best.scores['wa'], 1)} % (95 % interval {percent_interval(best.intervals['wa'])}), with a "
        f"UA of {percent(best.scores['ua'], 1)} %. {unlike}{_majority(best)}",
        comparability(entries),
    ]
    lines += [
        f"{entry.title} is incomplete, {entry.named_folds}: who is tested in the others is not in its scores."
        for entry in entries
        if entry.is_incomplete
    ]
    tested = [pair for pair in pairs if pair.comparison and (pair.testable("WA") or pair.testable("UA"))]
    if len(tested) > 1:
        differing = sum(pair.distinguishable("WA") or pair.distinguishable("UA") for pair in tested)
        lines.append(
            f"{differing or 'None'} of {len(tested)} differences {'is' if differing == 1 else 'are'} distinguishable "
            "from 0 in WA or UA after Holm's correction for their number."
        )
    findings = [pair.finding() for pair in [*pairs, *compare_matrices_of_paper(entries)]]
    return [*lines, *(finding[0].upper() + finding[1:] for finding in findings)]


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
            "Findings about them rest on p values corrected by Holm's method; intervals, the test over sessions and "
            "the comparisons with the paper are not corrected."
        )
    heard = [entry for entry in entries if not str(entry.about["statistics"]).startswith("train")]
    lines += [
        f"{entry.title} standardised by {entry.about['statistics']}: it heard test audio, though no labels."
        for entry in heard
    ]
    codes = {entry.title: entry.about.get("code_digest") for entry in entries}
    if len({digest for digest in codes.values() if digest}) > 1:
        listed = ", ".join(f"{title} {digest or 'unknown'}" for title, digest in codes.items())
        lines.append(f"The results were made by different versions of the code (digests: {listed}).")
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


def write_sections(entries: list[Entry], unpaired: bool, commands: list[str], say: Say) -> list[Section]:
    """Compute and draw everything.

    Args:
        entries: the results.
        unpaired: compare results on different test sets as well.
        commands: those that made the results and the report.
        say: is told what is being done.
    """
    for entry in entries:
        say(f"intervals of {entry.title}")
        _ = entry.intervals
    pairs = []
    for pair in compare_pairs(entries, unpaired):
        say(f"compared {pair.second} with {pair.first}")
        pairs.append(pair)
    pairs = correct(pairs)
    groups = list(same_tests(entries))
    say("figures")
    return [
        Section("findings", "Findings", [Listing(headline(entries, pairs)), draw_scores(entries)]),
        Section("table-1", "The paper's Table 1 and ours", [table_1(entries)]),
        Section("comparisons", "Comparisons", _comparisons(entries, pairs)),
        Section(
            "matrices",
            "Confusion matrices, the paper's Tables 2 and 3",
            [*matrix_tables(entries), draw_matrices(entries)],
        ),
        Section("recall", "Recall of each emotion", [recall_table(entries), draw_recalls(entries)]),
        Section("folds", "Folds and seeds", _folds(entries, groups)),
        *_epochs(entries),
        Section("speakers", "Speakers", [block for suffix, members in groups for block in _speakers(members, suffix)]),
        Section("learning", "Learning curves", [draw_learning(entry) for entry in entries]),
        *_lambda(entries, say),
        Section("protocol", "Protocol", _protocol(groups)),
        Section(
            "settings",
            "Settings, versions and commands",
            [
                settings_table(entries),
                Paragraph(report_versions()),
                Paragraph("The commands that made the results and this report:"),
                Commands(commands),
            ],
        ),
        Section("cautions", "Cautions", [Listing(cautions(entries, pairs))]),
    ]


def _comparisons(entries: list[Entry], pairs: list[Pair]) -> list:
    blocks: list = []
    if pairs:
        notes = [f"Tests: {describe_tests(pairs)}."] if any(pair.comparison for pair in pairs) else []
        if any(pair.adjusted for pair in pairs):
            notes.append(
                "p (Holm): corrected for the number of pairs of which something can be told, each test by itself."
            )
        if any(pair.comparison and pair.comparison.paired for pair in pairs):
            notes.append(
                "p, sessions: whole sessions are swapped, as one training answers both speakers of a session. With "
                "five sessions it is never below 0.0625, so that it cannot decide alone, and it is not corrected."
            )
        notes += [pair.finding() for pair in pairs if not pair.comparison]
        blocks.append(comparison_table("comparisons", "Every two results", pairs, notes))
        if picture := draw_differences(pairs):
            blocks.append(picture)
    else:
        blocks.append(Paragraph("One result was given; there is nothing to compare it with."))
    paper = compare_matrices_of_paper(entries)
    notes = [f"Tests: {describe_tests(paper)}.", paper[0].comparison.caution]
    if len(paper) > 1:
        notes.append(
            "Ours and the paper's row are of the same utterances, but the paper's single predictions are not known: "
            "the test cannot use the pairing and is the weaker for it."
        )
    return [*blocks, comparison_table("comparison-paper", "With the paper's Tables 2 and 3", paper, notes)]


def _folds(entries: list[Entry], groups: list[tuple[str, list[Entry]]]) -> list:
    blocks: list = [fold_table(members, suffix) for suffix, members in groups]
    seeds = seed_table(entries)
    return [*blocks, seeds or Paragraph("Every result has one seed; there is no spread over seeds to show.")]


def _epochs(entries: list[Entry]) -> list[Section]:
    table = epoch_table(entries)
    if not table:
        return []
    pairs = list(compare_epochs(entries))
    notes = [f"Tests: {describe_tests(pairs)}. Not corrected for the number of rows."]
    difference = comparison_table("epochs-difference", "What averaging changes", pairs, notes)
    return [Section("epochs", "Best epoch and mean of the last epochs", [table, difference])]


def _speakers(members: list[Entry], suffix: str) -> list:
    return [speaker_table(members, suffix), draw_speakers(members, suffix)]


def _lambda(entries: list[Entry], say: Say) -> list[Section]:
    blocks: list = []
    for entry in entries:
        if entry.about["lambda"] is not None:
            say(f"lambda curve of {entry.title}")
            blocks += lambda_blocks(entry)
    return [Section("lambda", "Lambda, the weight of the capsules", blocks)] if blocks else []


def _protocol(groups: list[tuple[str, list[Entry]]]) -> list:
    blocks: list = []
    for suffix, members in groups:
        blocks += [Paragraph(shared_sentence(members[0])), protocol_table(members, suffix)]
    return blocks
