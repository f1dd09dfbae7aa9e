"""The sections of a report, in order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from ser.errors import InputError
from ser.report.page.blocks import Commands, Section
from ser.report.reported_results import Entry
from ser.report.sections.comparisons import Pair, compare_epochs, compare_pairs, comparison_table, correct
from ser.report.sections.figures import draw_differences, draw_matrices, draw_recalls, draw_scores, draw_speakers
from ser.report.sections.findings import cautions, compare_matrices_of_paper, headline
from ser.report.sections.folds import epoch_table, fold_table, same_tests, seed_table, speaker_table
from ser.report.sections.lambdas import lambda_blocks
from ser.report.sections.learning import draw_learning
from ser.report.sections.paper_tables import matrix_tables, recall_table, table_1
from ser.report.sections.settings import (
    protocol_table,
    recipe_table,
    report_versions,
    settings_table,
    shared_sentence,
)

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
    groups = [(members, suffix) for suffix, members in same_tests(entries)]
    say("figures")
    sections = {
        "findings Findings": [headline(entries, pairs), draw_scores(entries)],
        "table-1 The paper's Table 1 and ours": [table_1(entries), recipe_table(entries)],
        "comparisons Comparisons": _comparisons(entries, pairs),
        "matrices Confusion matrices, the paper's Tables 2 and 3": [*matrix_tables(entries), draw_matrices(entries)],
        "recall Recall of each emotion": [recall_table(entries), draw_recalls(entries)],
        "folds Folds and seeds": [
            *(fold_table(*group) for group in groups),
            seed_table(entries) or "Every result has one seed.",
        ],
        "epochs Best epoch and mean of the last epochs": _epochs(entries),
        "speakers Speakers": [*chain(*((speaker_table(*group), draw_speakers(*group)) for group in groups))],
        "learning Learning curves": [draw_learning(entry) for entry in entries],
        "lambda Lambda, the weight of the capsules": _lambda(entries, say),
        "protocol Protocol": [*chain(*((shared_sentence(group[0][0]), protocol_table(*group)) for group in groups))],
        "settings Settings, versions and commands": [
            settings_table(entries),
            report_versions(),
            "The commands that made the results and this report:",
            Commands(commands),
        ],
        "cautions Cautions": [cautions(entries)],
    }
    return [Section(*name.split(" ", 1), blocks) for name, blocks in sections.items() if blocks]


def _comparisons(entries: list[Entry], pairs: list[Pair]) -> list:
    paper = compare_matrices_of_paper(entries)
    notes = [paper[0].comparison.caution, WITH_PAPER]
    with_paper = comparison_table("comparison-paper", "With the paper's Tables 2 and 3", paper, notes)
    if not pairs:
        return ["One result was given; there is nothing to compare it with.", with_paper]
    compared = [pair for pair in pairs if pair.comparison]
    notes = list(dict.fromkeys(pair.comparison.caution for pair in compared))
    table = comparison_table("comparisons", "Every two results", pairs, notes)
    return [table, *([draw_differences(compared)] if compared else []), with_paper]


def _epochs(entries: list[Entry]) -> list:
    if not (table := epoch_table(entries)):
        return []
    pairs = correct(list(compare_epochs(entries)))
    return [table, comparison_table("epochs-difference", "What averaging changes", pairs, [])]


def _lambda(entries: list[Entry], say: Say) -> list:
    blocks: list = []
    for entry in (each for each in entries if each.about["lambda"] is not None):
        say(f"lambda curve of {entry.title}")
        try:
            blocks += lambda_blocks(entry)
        except InputError as error:
            raise InputError(f"{entry.pooled.folder}: {error}") from error
    return blocks
