"""Writing a report: everything is computed before the first file is written."""

from pathlib import Path

from ser.errors import InputError
from ser.files import write_bytes, write_text
from ser.report.page.blocks import Commands, Picture, Section, Table
from ser.report.page.folder import MARKER, new_folder, write_marker
from ser.report.page.rendering import html_page, markdown_page
from ser.report.reported_results import Entry, has_papers_emotions
from ser.report.sections.comparisons import Pair, compare_epochs, compare_pairs, comparison_table, correct
from ser.report.sections.figures import draw_differences, draw_learning, draw_matrices, draw_scores, draw_speakers
from ser.report.sections.findings import cautions, compare_matrices_of_paper, headline
from ser.report.sections.folds import epoch_table, fold_table, same_tests, seed_table, speaker_table
from ser.report.sections.lambdas import lambda_blocks
from ser.report.sections.paper_tables import matrix_tables, recall_table, table_1
from ser.report.sections.settings import protocol_table, recipe_table, report_versions, settings_table, shared_sentence
from ser.results.speaker_counts import counted

WITH_PAPER = (
    "Our result is compared with the paper's row if both are on the same utterances. The paper's single predictions "
    "are unknown, so the test is unpaired and weaker than a paired one. Options in which our results differ from the "
    "paper's recipe are listed under Table 1."
)


def write_report(folder: Path, entries: list[Entry], unpaired: bool, command: str) -> list[str]:
    """Write the report that `command` makes; returns lines for the terminal: the findings and the files."""
    commands = [*dict.fromkeys(entry.about["command"] for entry in entries), command]
    sections = _sections(entries, unpaired, commands)
    corpus = entries[0].about["corpus"]
    and_paper = " and the paper" if has_papers_emotions(entries) else ""
    title = f"Capsule networks for speech emotion recognition: {corpus}{and_paper}"
    subtitle = f"{_what(entries)} The paper: Wu et al., ICASSP 2019."
    results = [{"name": entry.name, "test_set": entry.test_set["digest"]} for entry in entries]
    about = {"results": results, "corpus": corpus, "command": command}
    return write_pages(folder, title, subtitle, sections, about)


def write_pages(folder: Path, title: str, subtitle: str, sections: list[Section], about: dict) -> list[str]:
    """Write the sections as a page, as Markdown, and each table and figure as a file.

    Args:
        about: entries of the report's marker.

    Returns:
        Lines for the terminal: the findings, which are the first list, and the files.
    """
    blocks = [block for section in sections for block in section.blocks]
    with new_folder(folder) as place:
        write_text(place / "index.html", html_page(title, subtitle, sections, ["tables.md", MARKER], about))
        write_text(place / "tables.md", markdown_page(title, subtitle, sections))
        for block in blocks:
            if isinstance(block, Table):
                write_text(place / f"{block.name}.csv", block.csv())
            elif isinstance(block, Picture):
                write_bytes(place / f"{block.name}.png", block.png)
        write_marker(place, about)
    files = [f"{folder}/index.html  the report", f"{folder}/tables.md  its tables"]
    findings = next(block for block in blocks if type(block) is list)
    return ["", *findings, "", *files, f"{folder}/*.csv, *.png  every table and figure"]


def _what(entries: list[Entry]) -> str:
    sentences = []
    for _, members in same_tests(entries):
        first, titles = members[0], ", ".join(entry.title for entry in members)
        folds = f"only {first.named_folds}, " if first.is_incomplete else ""
        utterances = counted(first.test_set["utterances"], "test utterance")
        tested = f"{utterances} of {counted(len(first.test_set['speakers']), 'speaker')}"
        sentences.append(f"{titles}: corpus {first.about['corpus']}, protocol {first.protocol}, {folds}{tested}.")
    return " ".join(sentences)


def _sections(entries: list[Entry], unpaired: bool, commands: list[str]) -> list[Section]:
    """Compute and draw everything; `unpaired` compares results on different test sets as well."""
    pairs = correct(list(compare_pairs(entries, unpaired)))
    folds, speakers, protocols = [], [], []
    for suffix, members in same_tests(entries):
        folds.append(fold_table(members, suffix))
        speakers += [draw_speakers(members, suffix), speaker_table(members, suffix)]
        protocols += [shared_sentence(members[0]), protocol_table(members, suffix)]
    seeds = seed_table(entries) or "Every result has one seed."
    matrices = [draw_matrices(entries), *matrix_tables(entries)]
    settings = [settings_table(entries), report_versions(), "The commands that made the results and this report:"]
    table_1_title, matrices_title = "The paper's Table 1 and ours", "Confusion matrices, the paper's Tables 2 and 3"
    if not has_papers_emotions(entries):
        table_1_title, matrices_title = "WA and UA", "Confusion matrices"
    sections = [
        Section("findings", "Findings", [draw_scores(entries), headline(entries, pairs)]),
        Section("table-1", table_1_title, [table_1(entries), recipe_table(entries)]),
        Section("comparisons", "Comparisons", _comparisons(entries, pairs)),
        Section("matrices", matrices_title, matrices),
        Section("recall", "Recall of each emotion", [recall_table(entries)]),
        Section("folds", "Folds and seeds", [*folds, seeds]),
        Section("epochs", "Best epoch and mean of the last epochs", _epochs(entries)),
        Section("speakers", "Speakers", speakers),
        Section("learning", "Learning curves", [draw_learning(entry) for entry in entries]),
        Section("lambda", "Lambda, the weight of the capsules", _lambda(entries)),
        Section("protocol", "Protocol", protocols),
        Section("settings", "Settings, versions and commands", [*settings, Commands(commands)]),
        Section("cautions", "Cautions", [cautions(entries)]),
    ]
    return [section for section in sections if section.blocks]


def _comparisons(entries: list[Entry], pairs: list[Pair]) -> list:
    with_paper = []
    if paper := compare_matrices_of_paper(entries):
        notes = [paper[0].comparison.caution, WITH_PAPER]
        with_paper = [comparison_table("comparison-paper", "With the paper's Tables 2 and 3", paper, notes)]
    if not pairs:
        return ["One result was given; there is nothing to compare it with.", *with_paper]
    compared = [pair for pair in pairs if pair.comparison]
    notes = list(dict.fromkeys(pair.comparison.caution for pair in compared))
    table = comparison_table("comparisons", "All pairs of results", pairs, notes)
    return [*([draw_differences(compared)] if compared else []), table, *with_paper]


def _epochs(entries: list[Entry]) -> list:
    if not (table := epoch_table(entries)):
        return []
    pairs = correct(list(compare_epochs(entries)))
    return [table, comparison_table("epochs-difference", "Effect of averaging", pairs, [])]


def _lambda(entries: list[Entry]) -> list:
    blocks: list = []
    for entry in (each for each in entries if each.about["lambda"] is not None):
        try:
            blocks += lambda_blocks(entry)
        except InputError as error:
            raise InputError(f"{entry.pooled.folder}: {error}") from error
    return blocks
