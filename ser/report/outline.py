"""What stands in a report, in order."""

from __future__ import annotations

from collections.abc import Callable

from ser.errors import InputError
from ser.report.page.blocks import Commands, Listing, Paragraph, Section
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import (
    Pair,
    compare_epochs,
    compare_pairs,
    comparison_table,
    correct,
    describe_tests,
    holm_notes,
)
from ser.report.sections.figures import draw_differences, draw_matrices, draw_recalls, draw_scores, draw_speakers
from ser.report.sections.findings import cautions, compare_matrices_of_paper, headline
from ser.report.sections.folds import epoch_table, fold_table, same_tests, seed_table, speaker_table
from ser.report.sections.lambdas import lambda_blocks
from ser.report.sections.learning import draw_learning
from ser.report.sections.options import difference_table, recipe_note, recipe_table
from ser.report.sections.paper_tables import matrix_tables, recall_table, table_1
from ser.report.sections.settings import protocol_table, report_versions, settings_table, shared_sentence
from ser.results.speaker_counts import counted

Say = Callable[[str], None]


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
                recipe_table(entries),
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
        notes += holm_notes(pairs)
        if any(pair.comparison and pair.comparison.paired for pair in pairs):
            notes.append(
                "p, sessions: whole sessions are swapped, as one training answers both speakers of a session. "
                f"{_fewest_sessions(entries, pairs)}, so that it cannot decide alone, and it is not corrected."
            )
        notes += [pair.finding() for pair in pairs if not pair.comparison]
        notes += [pair.comparison.caution for pair in pairs if pair.comparison and not pair.comparison.paired]
        blocks.append(comparison_table("comparisons", "Every two results", pairs, notes))
        if any(pair.comparison for pair in pairs):
            blocks.append(difference_table(entries, pairs))
        if picture := draw_differences(pairs):
            blocks.append(picture)
    else:
        blocks.append(Paragraph("One result was given; there is nothing to compare it with."))
    paper = compare_matrices_of_paper(entries)
    notes = [f"Tests: {describe_tests(paper)}.", *holm_notes(paper), paper[0].comparison.caution]
    if len(paper) > 1:
        notes.append(
            "Ours and the paper's row are of the same utterances, but the paper's single predictions are not known: "
            "the test cannot use the pairing and is the weaker for it."
        )
        named = {pair.second.removeprefix("our ") for pair in paper}
        notes.append(recipe_note(entry for entry in entries if entry.title in named))
    return [*blocks, comparison_table("comparison-paper", "With the paper's Tables 2 and 3", paper, notes)]


def _fewest_sessions(entries: list[Entry], pairs: list[Pair]) -> str:
    """How small the test over sessions can get, for every number of sessions that was compared."""
    paired = {
        name for pair in pairs if pair.comparison and pair.comparison.paired for name in (pair.first, pair.second)
    }
    numbers = {entry.predictions.session.nunique() for entry in entries if entry.title in paired}
    # Rounded as the table's own p values are: the note must not forbid what stands in the table.
    least = {number: round(2 / 2**number, 4) for number in sorted(numbers)}
    limits = [f"with {counted(number, 'session')} it is never below {p:g}" for number, p in least.items()]
    return f"{limits[0][0].upper()}{', '.join(limits)[1:]}"


def _folds(entries: list[Entry], groups: list[tuple[str, list[Entry]]]) -> list:
    blocks: list = [fold_table(members, suffix) for suffix, members in groups]
    seeds = seed_table(entries)
    return [*blocks, seeds or Paragraph("Every result has one seed; there is no spread over seeds to show.")]


def _epochs(entries: list[Entry]) -> list[Section]:
    table = epoch_table(entries)
    if not table:
        return []
    pairs = correct(list(compare_epochs(entries)))
    notes = [f"Tests: {describe_tests(pairs)}.", *holm_notes(pairs)]
    difference = comparison_table("epochs-difference", "What averaging changes", pairs, notes)
    return [Section("epochs", "Best epoch and mean of the last epochs", [table, difference])]


def _speakers(members: list[Entry], suffix: str) -> list:
    return [speaker_table(members, suffix), draw_speakers(members, suffix)]


def _lambda(entries: list[Entry], say: Say) -> list[Section]:
    blocks: list = []
    for entry in entries:
        if entry.about["lambda"] is not None:
            say(f"lambda curve of {entry.title}")
            try:
                blocks += lambda_blocks(entry)
            except InputError as error:
                raise InputError(f"{entry.pooled.folder}: {error}") from error
    return [Section("lambda", "Lambda, the weight of the capsules", blocks)] if blocks else []


def _protocol(groups: list[tuple[str, list[Entry]]]) -> list:
    blocks: list = []
    for suffix, members in groups:
        blocks += [Paragraph(shared_sentence(members[0])), protocol_table(members, suffix)]
    return blocks
