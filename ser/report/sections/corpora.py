"""Tables of systems on their own and on other corpora."""

import numpy as np

from ser.emotions import by_label
from ser.report.across_corpora import Cell
from ser.report.page.blocks import Table
from ser.report.page.values import Column, percent
from ser.report.reported_results import file_stems
from ser.report.sections.folds import SCORE_COLUMNS, score_cells
from ser.report.sections.paper_tables import counts_table
from ser.results.transferred import LEFT_OUT

SCORES = {"wa": "WA", "ua": "UA"}
NOTES = [
    "Rows: trained on; columns: tested on. Diagonal: cross-validation, its folds pooled; every utterance is answered "
    "by the one system of its fold. Off the diagonal: the mean posterior of all systems of the training, on every "
    "utterance. That averages several systems, which the diagonal does not: see the scores of every system alone.",
    "Intervals: bootstrap over the tested speakers. Constant answer: always the most frequent emotion of the tested "
    "utterances. Rows below a matrix have several values if the results of a column differ in emotions or utterances.",
]


def corpora_of(cells: list[Cell]) -> tuple[list[str], list[str]]:
    """The corpora of the rows (trained on) and of the columns (tested on): first those trained on, by name."""
    trained = sorted({cell.trained for cell in cells})
    return trained, trained + sorted({cell.tested for cell in cells} - set(trained))


def by_system(cells: list[Cell]) -> dict[str, list[Cell]]:
    """The results of each system, by its name."""
    return {system: [cell for cell in cells if cell.system == system] for system in sorted({c.system for c in cells})}


def matrix_tables(cells: list[Cell], over: str = "") -> list[Table]:
    """A table of WA and one of UA for every system: rows trained on, columns tested on.

    Args:
        over: for the titles, on which emotions all results are; "" if each has its own.
    """
    trained, tested = corpora_of(cells)
    tables = []
    systems = by_system(cells)
    for stem, (system, own) in zip(file_stems(list(systems)), systems.items(), strict=True):
        places = {(cell.trained, cell.tested): cell for cell in own}
        grid = {row: [places.get((row, column)) for column in tested] for row in trained}
        for score, measure in SCORES.items():
            title = f"{measure} of {system}{over and f', over {over}'}"
            name = f"{score}-{stem}{over and '-common'}"
            tables.append(_matrix_table(name, title, tested, grid, score))
    return tables


def _matrix_table(name: str, title: str, tested: list[str], grid: dict[str, list[Cell | None]], score: str) -> Table:
    differ = len({frozenset(cell.emotions) for found in grid.values() for cell in found if cell}) > 1
    columns = [Column("trained on")]
    for corpus in tested:
        columns += [Column("%", "percent", corpus), Column("95 % interval", "interval", corpus)]
        columns += [Column("emotions", "count", corpus)] if differ else []
    rows = []
    for trained, found in grid.items():
        row: list = [next((cell.trained_name for cell in found if cell and cell.leaks), trained)]
        for cell in found:
            values = [cell.scores[score], cell.intervals[score], len(cell.emotions)] if cell else [None] * 3
            row += values[: 2 + differ]
        rows.append(row)
    below = [[name] for name in ("utterances", "speakers", "constant answer")]
    for cells in zip(*grid.values(), strict=True):
        facts = dict.fromkeys(
            (str(cell.utterances), str(cell.speakers), f"{percent(cell.constant[score])} %") for cell in cells if cell
        )
        for row, found in zip(below, zip(*facts, strict=True) if facts else [()] * 3, strict=True):
            row += [" or ".join(found if len(set(found)) > 1 else found[:1]) or None, *[""] * (1 + differ)]
    return Table(name, title, columns, rows + below, summary_rows=len(below), csv_rows=rows)


def results_table(cells: list[Cell], over: str = "") -> Table:
    """All results in one list, with what each was tested on."""
    columns = [Column("result"), *(Column(name, "count") for name in ("emotions", "utterances", "speakers"))]
    columns += SCORE_COLUMNS
    columns += [Column("WA", "percent", "constant answer, %"), Column("UA", "percent", "constant answer, %")]
    rows = [
        [
            *(cell.title, len(cell.emotions), cell.utterances, cell.speakers),
            *score_cells(cell.scores, cell.intervals),
            *cell.constant.values(),
        ]
        for cell in cells
    ]
    return Table(f"results{over and '-common'}", f"All results{over and f', over {over}'}", columns, rows)


def left_out_table(cells: list[Cell]) -> Table:
    """What each test on another corpus leaves out: labels of the corpus, and emotions of the system."""
    columns = [Column("result"), Column("emotions"), Column("labels left out"), Column("system's other emotions")]
    columns += [Column("their probability, %", "short percent")]
    rows = [
        [
            *(cell.title, ", ".join(cell.emotions)),
            by_label(cell.about["left_out"]) or None,
            ", ".join(cell.about["emotions_left_out"]) or None,
            float(cell.predictions[LEFT_OUT].mean()),
        ]
        for cell in cells
    ]
    notes = [
        "Labels left out: utterances of the tested corpus that are not among the system's emotions. The other emotions "
        "of the system are not in the corpus: the last column is the mean share of the posterior that they had before "
        "the rest was divided by its sum.",
    ]
    return Table("left-out", "What the tests on other corpora leave out", columns, rows, notes)


def alone_table(cells: list[Cell]) -> Table:
    """The systems of each test on another corpus alone: the mean, the lowest and the highest score."""
    columns = [Column("result"), Column("systems", "count")]
    kinds = ("mean posterior", "mean", "lowest", "highest")
    columns += [Column(kind, "short percent", f"{measure} %") for measure in SCORES.values() for kind in kinds]
    rows = []
    for cell in cells:
        alone = cell.alone()
        values = {score: [each[score] for each in alone] for score in SCORES}
        spread = [[cell.scores[score], float(np.mean(each)), min(each), max(each)] for score, each in values.items()]
        rows.append([cell.title, len(alone), *(value for each in spread for value in each)])
    notes = [
        "Every system, one for each fold and seed, on all utterances of the other corpus. Their mean, not the score of "
        "the mean posterior, is to be compared with the diagonal.",
    ]
    return Table("alone", "The mean posterior, and every system alone", columns, rows, notes)


def confusion_tables(cells: list[Cell]) -> list[Table]:
    """The confusion matrix of each test on another corpus."""
    notes = ["Rows actual, columns predicted; in brackets per cent of the row."]
    return [
        counts_table(
            f"confusion-{cell.stem}",
            f"Confusion matrix of {cell.title}",
            cell.emotions,
            {"": np.asarray(cell.scores["confusion"])},
            notes,
        )
        for cell in cells
    ]


def recall_table(cells: list[Cell]) -> Table:
    """Recall of every emotion of any result."""
    emotions = list(dict.fromkeys(emotion for cell in cells for emotion in cell.emotions))
    columns = [Column("result"), *(Column(emotion, "hits") for emotion in emotions)]
    rows = []
    for cell in cells:
        matrix = np.asarray(cell.scores["confusion"])
        totals = zip(cell.emotions, matrix.diagonal().tolist(), matrix.sum(1).tolist(), strict=True)
        hits = {emotion: (hit, total) for emotion, hit, total in totals if total}
        rows.append([cell.title, *(hits.get(emotion) for emotion in emotions)])
    note = "Per cent of the utterances of each emotion that were recognised; in brackets the counts."
    return Table("recall", "Recall of each emotion", columns, rows, [note])


def settings_table(cells: list[Cell]) -> Table:
    """How each result was made, one column per result."""
    settings = [_settings(cell) for cell in cells]
    columns = [Column("setting"), *(Column(cell.title) for cell in cells)]
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [[name, *(str(each[name]) if each.get(name) else None for each in settings)] for name in names]
    return Table("settings", "Settings and versions", columns, rows)


def _settings(cell: Cell) -> dict[str, object]:
    about, source, options = cell.about, cell.source, cell.about.get("options") or {}
    is_transfer = cell.each is not None
    trim = source.get("trim_silence") if is_transfer else options.get("data.trim_silence")
    merge = (about.get("merge") if is_transfer else options.get("data.merge")) or {}
    return {
        "trained on": cell.trained_name,
        "tested on": cell.tested,
        "tested by": cell.tested_by,
        **{name: ", ".join(map(str, source[name])) for name in ("folds", "seeds")},
        "emotions": ", ".join(cell.emotions),
        "merged labels": ", ".join(f"{label} as {emotion}" for label, emotion in merge.items()),
        "statistics": source["statistics"],
        "silence at the ends": "trimmed" if trim else "as recorded",
        "lambda": about.get("lambda"),
        "digest of the trained corpus": source.get("corpus_digest"),
        "digest of the tested corpus": about.get("corpus_digest"),
        "digest of the training's code": source.get("code_digest"),
        "commit": about["commit"],
        **{f"version of {name}": number for name, number in about["versions"].items()},
    }
