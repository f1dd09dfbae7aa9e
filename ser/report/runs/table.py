"""The table of runs, options that differ first, and the options that do not."""

import os
from pathlib import Path

from ser.paths import text_of
from ser.report.page.blocks import Table
from ser.report.page.values import Column, Link
from ser.report.runs.compared_run import ComparedRun
from ser.report.runs.finding import FOLD
from ser.report.runs.options import NOT_SET, divide, options_of
from ser.report.runs.test_sets import TestSet

FILES = ("config.yaml", "metrics.csv", "predictions.csv", "result.json")
ABOUT = ("kind", "state", "system", "corpus", "protocol", "fold", "seed")
SCORES = [
    Column("epochs", "count"),
    Column("best", "count"),
    Column("WA %", "percent", "validation"),
    Column("UA %", "percent", "validation"),
    Column("WA %", "percent", "test"),
    Column("UA %", "percent", "test"),
    Column("set", "text", "test"),
]
NOTES = [
    "Columns in which runs differ come first, those in which they agree last. A dash: not known, or the system has no "
    "such option.",
    "best: the epoch with the highest validation WA, whose scores these are; of an unfinished run, the best so far. "
    "Test scores are comparable within one test set only.",
]


def runs_table(runs: list[ComparedRun], sets: list[TestSet], out: Path) -> Table:
    """One row for each run.

    Args:
        out: the folder of the page, from which links lead to the runs' files.
    """
    options = [options_of(run) for run in runs]
    names, _ = divide(options)
    origins, _ = divide([run.origin for run in runs])
    about = [{name: getattr(run, name) or None for name in ABOUT} for run in runs]
    differing = [name for name in ABOUT if len({each[name] for each in about}) > 1]
    alike = [name for name in ABOUT if name not in differing]
    labels = {id(run): each.label for each in sets for run in each.runs}
    columns = [Column("run"), *map(Column, differing), *(Column(name, group="options") for name in names), *SCORES]
    columns += [*map(Column, alike), *(Column(name, group="made with") for name in origins), Column("files", "links")]
    rows = [
        [
            run.name,
            *(known[name] for name in differing),
            *(found.get(name) for name in names),
            *_scores(run),
            labels.get(id(run)),
            *(known[name] for name in alike),
            *(run.origin.get(name) for name in origins),
            links(run, out),
        ]
        for run, known, found in zip(runs, about, options, strict=True)
    ]
    return Table("runs", "Options, scores and files", columns, rows, NOTES, filter=True)


def _scores(run: ComparedRun) -> list:
    scores = [found.get(name) for found in (run.validation, run.test or {}) for name in ("wa", "ua")]
    return [run.epochs, run.best_epoch, *scores]


def links(run: ComparedRun, out: Path) -> list[Link]:
    """Links to a run's files, and to the log that a launcher wrote beside its folder."""
    folder = run.place.folder
    paths = [folder / name for name in FILES if name in run.files]
    logs = [Path(name) for name in sorted(run.files) if name.endswith(".log")]
    paths += [
        folder / name for name in logs if not FOLD.fullmatch(name.stem)
    ]  # those of folds are linked in their rows
    log = folder.with_name(f"{folder.name}.log")
    paths += [log] if log.is_file() else []
    return [Link(text_of(path.name), os.path.relpath(os.path.realpath(path), os.path.realpath(out))) for path in paths]


def alike_table(runs: list[ComparedRun]) -> Table | str:
    """The options in which no two runs differ."""
    _, alike = divide([options_of(run) | run.origin for run in runs])
    if not alike:
        return "No option is known of several runs."
    rows = [[name, value] for name, value in sorted(alike.items())]
    shown = [row for row in rows if row[1] != NOT_SET]
    notes = ["Of the runs whose system has the option. Options that are not set are only in the CSV file."]
    columns = [Column("option"), Column("value")]
    return Table("alike", "Options that have one value", columns, shown, notes, csv_rows=rows)
