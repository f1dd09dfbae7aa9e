"""Writing the page of `ser compare`: everything is computed before the first file is written."""

from collections import Counter
from pathlib import Path

from ser.files import write_text
from ser.report.page.blocks import Commands, Section, Table
from ser.report.page.folder import new_folder, write_marker
from ser.report.page.rendering import html_page
from ser.report.page.values import Column
from ser.report.runs.compared_run import ComparedRun
from ser.report.runs.curves import draw_curves
from ser.report.runs.matrices import small_matrices
from ser.report.runs.options import divide, options_of
from ser.report.runs.table import ABOUT, alike_table, runs_table
from ser.report.runs.test_sets import TestSet, group_sets, test_sets_section
from ser.results.speaker_counts import counted

KIND = "compare"
MATRICES = (
    "Actual emotions in rows, answers in columns, per cent of the row; a stronger shade means more. Of runs that "
)
MATRICES += "were not tested, the validation."


def write_comparison(folder: Path, runs: list[ComparedRun], unread: dict[str, str], command: str) -> list[str]:
    """Write the page that `command` makes.

    Args:
        unread: folders that could not be searched, and the causes.

    Returns:
        Lines for the terminal: what was found, what is wrong with it, and the files.
    """
    sets = group_sets(runs)
    problems = [*unread.items(), *((run.name, problem) for run in runs for problem in run.problems)]
    found = found_line(runs)
    sections = [
        Section("runs", "Runs", [runs_table(runs, sets, folder), *_problems(problems)]),
        Section("curves", "Learning curves", [draw_curves(runs) or "No run has a metrics.csv."]),
        test_sets_section(runs, sets, Path.cwd()),
        Section("matrices", "Confusion matrices", _matrices(runs)),
        Section("options", "Options", [alike_table(runs), "The command that made this page:", Commands([command])]),
    ]
    listed = [{"folder": name, "problem": problem} for name, problem in problems]
    about = {"command": command, **records(runs, sets), "problems": listed}
    tables = [block for section in sections for block in section.blocks if isinstance(block, Table)]
    with new_folder(folder, KIND) as place:
        page = html_page("Runs side by side", found, sections, [f"{KIND}.json"], about)
        write_text(place / "index.html", page)
        for table in tables:
            write_text(place / f"{table.name}.csv", table.csv())
        write_marker(place, about, KIND)
    wrong = [f"  {_printable(name)}: {_printable(problem)}" for name, problem in problems]
    heading = ["", f"{counted(len(wrong), 'problem')}:"] if wrong else []
    return [found, *heading, *wrong, "", f"{folder}/index.html  the page", f"{folder}/runs.csv  its table"]


def _printable(text: str) -> str:
    """One line of text, escaped if it has characters that must not be written to a terminal."""
    line = " ".join(text.split())
    return line if line.isprintable() else ascii(line)


def found_line(runs: list[ComparedRun]) -> str:
    """What was found, as a sentence."""
    kinds = Counter(run.kind for run in runs)
    states = Counter(run.state for run in runs)
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    other = "".join(f"; {states[state]} {state}" for state in ("unfinished", "damaged") if states[state])
    return f"{counted(len(runs), 'run')}: {listed}{other}."


def _problems(problems: list[tuple[str, str]]) -> list[Table]:
    columns = [Column("folder"), Column("problem")]
    return [Table("problems", "What could not be read", columns, [*map(list, problems)])] if problems else []


def _matrices(runs: list[ComparedRun]) -> list:
    matrices, notes = small_matrices(runs)
    return [" ".join([MATRICES, *notes]), matrices] if matrices else [" ".join(["No run has a matrix.", *notes])]


def records(runs: list[ComparedRun], sets: list[TestSet]) -> dict:
    """The page's numbers, for programs."""
    options = [options_of(run) | run.origin for run in runs]
    names, alike = divide(options)
    labels = {id(run): each.label for each in sets for run in each.runs}
    return {
        "runs": [
            {
                "name": run.name,
                **{name: getattr(run, name) or None for name in ABOUT},
                "epochs": run.epochs,
                "best_epoch": run.best_epoch,
                "validation": run.validation or None,
                "test": {name: run.test[name] for name in ("wa", "ua")} if run.test else None,
                "test_set": labels.get(id(run)),
                "options": {name: found[name] for name in names if name in found},
            }
            for run, found in zip(runs, options, strict=True)
        ],
        "options": alike,
        "test_sets": [
            {"label": each.label, "corpus": each.runs[0].corpus, **each.about, "runs": [run.name for run in each.runs]}
            for each in sets
        ],
    }
