"""Writing a report across corpora: everything is computed before the first file is written."""

from pathlib import Path

from ser.report.across_corpora import Cell, common_emotions
from ser.report.page.blocks import Commands, Section
from ser.report.sections.corpora import (
    NOTES,
    alone_table,
    confusion_tables,
    corpora_of,
    left_out_table,
    matrix_tables,
    recall_table,
    results_table,
    settings_table,
)
from ser.report.sections.corpora_figure import draw_matrices
from ser.report.sections.corpora_findings import cautions, findings
from ser.report.sections.settings import report_versions
from ser.report.writing import write_pages
from ser.results.speaker_counts import counted
from ser.results.test_sets import describe_test_set


def write_across_corpora(folder: Path, cells: list[Cell], command: str) -> list[str]:
    """Write the report that `command` makes; returns lines for the terminal: the findings and the files."""
    title = "Capsule networks for speech emotion recognition: across corpora"
    corpora = ", ".join(corpora_of(cells)[1])
    subtitle = f"{_number(cells)} of {', '.join(sorted({cell.system for cell in cells}))}. Corpora: {corpora}."
    results = [{"name": cell.folder.name, "test_set": describe_test_set(cell.predictions)["digest"]} for cell in cells]
    trainings_first = sorted(cells, key=lambda cell: cell.each is not None)
    commands = [*dict.fromkeys(cell.about["command"] for cell in trainings_first), command]
    about = {"results": results, "corpora": corpora_of(cells)[1], "command": command}
    return write_pages(folder, title, subtitle, _sections(cells, commands), about)


def _number(cells: list[Cell]) -> str:
    """The number of results for a sentence: "2 cross-validations and 1 test on another corpus"."""
    transfers = sum(cell.each is not None for cell in cells)
    tests = f"{counted(transfers, 'test')} on another corpus"
    own = len(cells) - transfers
    return f"{counted(own, 'cross-validation')} and {tests}" if own else tests


def _sections(cells: list[Cell], commands: list[str]) -> list[Section]:
    transfers = [cell for cell in cells if cell.each is not None]
    emotions = common_emotions(cells)
    same = all(set(cell.emotions) == set(emotions) for cell in cells)
    common = cells if same else [cell.over(emotions) for cell in cells] if len(emotions) > 1 else []
    settings = [settings_table(cells), report_versions(), "The commands that made the results and this report:"]
    return [
        Section("findings", "Findings", [draw_matrices(cells), findings(cells, common)]),
        Section(
            "matrices",
            "Trained on one corpus, tested on another",
            [*NOTES, *matrix_tables(cells), results_table(cells)],
        ),
        *([] if same else [_over_common(common, emotions)]),
        Section("alone", "Every system alone", [alone_table(transfers)]),
        Section("left-out", "Emotions left out", [left_out_table(transfers)]),
        Section("confusion", "Confusion matrices", confusion_tables(transfers)),
        Section("recall", "Recall of each emotion", [recall_table(cells)]),
        Section("settings", "Settings, versions and commands", [*settings, Commands(commands)]),
        Section("cautions", "Cautions", [cautions(cells)]),
    ]


def _over_common(common: list[Cell], emotions: list[str]) -> Section:
    """The matrices again, over the emotions of all results."""
    title, over = "The same over the emotions that all results have", ", ".join(emotions)
    if not common:
        alone = f"only {over} is" if emotions else "no emotion is"
        return Section("common", title, [f"There is no such matrix: {alone} in all results."])
    what = (
        f"Utterances of {over} only; every posterior, also of the cross-validations, is divided by its sum over these."
    )
    return Section(
        "common", title, [draw_matrices(common, over), what, *matrix_tables(common, over), results_table(common, over)]
    )
