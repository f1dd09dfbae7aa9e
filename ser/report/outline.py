"""What stands in a report, in order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from ser.errors import InputError
from ser.report.page.blocks import Commands, Listing, Paragraph, Section
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import (
    Pair,
    compare_epochs,
    compare_pairs,
    comparison_table,
    correct,
)
from ser.report.sections.figures import draw_differences, draw_matrices, draw_recalls, draw_scores, draw_speakers
from ser.report.sections.findings import cautions, compare_matrices_of_paper, headline
from ser.report.sections.folds import epoch_table, fold_table, same_tests, seed_table, speaker_table
from ser.report.sections.lambdas import lambda_blocks
from ser.report.sections.learning import draw_learning
from ser.report.sections.options import difference_table, recipe_table
from ser.report.sections.paper_tables import matrix_tables, recall_table, table_1
from ser.report.sections.settings import protocol_table, report_versions, settings_table, shared_sentence

Say = Callable[[str], None]
WITH_PAPER = (
    "Ours stands beside the paper's row where both are of the same utterances; as the paper's single predictions are "
    "not known, the test cannot use the pairing and is the weaker for it. The options in which ours differ from the "
    "paper's recipe are listed under Table 1."
)


def write_sections(entries: list[Entry], unpaired: bool, commands: list[str], say: Say) -> list[Section]:
    """Compute and draw everything; `unpaired` compares results on different test sets as well."""
    say("intervals and comparisons")
    pairs = correct(list(compare_pairs(entries, unpaired)))
    groups = list(same_tests(entries))
    folds = [fold_table(members, suffix) for suffix, members in groups]
    speakers = [(speaker_table(members, suffix), draw_speakers(members, suffix)) for suffix, members in groups]
    protocols = [
        (Paragraph(shared_sentence(members[0])), protocol_table(members, suffix)) for suffix, members in groups
    ]
    say("figures")
    return [
        Section("findings", "Findings", [Listing(headline(entries, pairs)), draw_scores(entries)]),
        Section("table-1", "The paper's Table 1 and ours", [table_1(entries), recipe_table(entries)]),
        Section("comparisons", "Comparisons", _comparisons(entries, pairs)),
        Section(
            "matrices",
            "Confusion matrices, the paper's Tables 2 and 3",
            [*matrix_tables(entries), draw_matrices(entries)],
        ),
        Section("recall", "Recall of each emotion", [recall_table(entries), draw_recalls(entries)]),
        Section("folds", "Folds and seeds", [*folds, seed_table(entries) or Paragraph("Every result has one seed.")]),
        *_epochs(entries),
        Section("speakers", "Speakers", [*chain(*speakers)]),
        Section("learning", "Learning curves", [draw_learning(entry) for entry in entries]),
        *_lambda(entries, say),
        Section("protocol", "Protocol", [*chain(*protocols)]),
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
        Section("cautions", "Cautions", [Listing(cautions(entries))]),
    ]


def _comparisons(entries: list[Entry], pairs: list[Pair]) -> list:
    paper = compare_matrices_of_paper(entries)
    with_paper = comparison_table(
        "comparison-paper", "With the paper's Tables 2 and 3", paper, [paper[0].comparison.caution, WITH_PAPER]
    )
    if not pairs:
        return [Paragraph("One result was given; there is nothing to compare it with."), with_paper]
    compared = [pair for pair in pairs if pair.comparison]
    known = dict.fromkeys(pair.comparison.caution for pair in compared)
    blocks: list = [comparison_table("comparisons", "Every two results", pairs, list(known))]
    if compared:
        blocks += [difference_table(entries, pairs), draw_differences(compared)]
    return [*blocks, with_paper]


def _epochs(entries: list[Entry]) -> list[Section]:
    table = epoch_table(entries)
    if not table:
        return []
    pairs = correct(list(compare_epochs(entries)))
    difference = comparison_table("epochs-difference", "What averaging changes", pairs, [])
    return [Section("epochs", "Best epoch and mean of the last epochs", [table, difference])]


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
