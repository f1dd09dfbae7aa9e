"""The routing table: what a study found for each system and number of routing iterations."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from optuna.trial import FrozenTrial

from ser.report.page.blocks import Column, Table
from ser.results.lambda_curve import apply
from ser.results.statistics import Intervals, bootstrap_speakers, ua_note
from ser.sweep.outcome.trials import best_trial, complete
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.workers.trial import Trial

ITERATIONS = "model.routing_iterations"


class Cell(NamedTuple):
    """The best trial of one system with one number of iterations."""

    system: str
    iterations: int
    trials: int  # complete ones, of which it is the best
    scores: dict[str, float]  # validation "wa" and "ua", shares
    intervals: Intervals | None  # of the scores; None where the trial was trained on another machine


def trial_validation(shared: SharedStudy, folder: Path, row: FrozenTrial) -> pd.DataFrame | None:
    """Validation predictions of a trial's folds, with its lambda; None if they are not in this study's folder."""
    trial = Trial(shared.plan, folder, row.params, row.number, shared.identity)
    if not trial.is_validated_here():
        return None
    table = trial.validation()
    return apply(table, row.user_attrs["lambda_"]) if "lambda_" in row.user_attrs else table


def routing_cells(shared: SharedStudy, folder: Path, system: str) -> list[Cell]:
    """The best trial for each system and number of iterations, by the study's objective.

    Args:
        shared: the study.
        folder: of the study.
        system: class of the runs, where the study does not vary it.
    """
    groups: dict[tuple[str, int], dict[int, FrozenTrial]] = {}
    for place, row in complete(shared.results()).items():
        name = str(row.params.get("model", system)).rsplit(".", 1)[-1]
        groups.setdefault((name, row.params[ITERATIONS]), {})[place] = row
    cells = []
    for (name, iterations), rows in sorted(groups.items()):
        best = rows[best_trial(shared.plan, rows)]
        table = trial_validation(shared, folder, best)
        intervals = None if table is None else bootstrap_speakers(table)
        scores = {score: best.user_attrs[score] for score in ("wa", "ua")}
        cells.append(Cell(name, iterations, len(rows), scores, intervals))
    return cells


def routing_table(cells: list[Cell], folds: int) -> Table:
    """Iterations downwards, systems side by side; the scores are pooled over so many folds."""
    found = {(cell.system, cell.iterations): cell for cell in cells}
    systems = list(dict.fromkeys(cell.system for cell in cells))
    several = any(cell.trials > 1 for cell in cells)
    columns = [Column("iterations", "count")]
    for system in systems:
        columns += [Column("trials", "count", system)] if several else []
        for score in ("WA", "UA"):
            columns += [Column(score, "percent", system), Column(f"{score} interval", "interval", system)]
    rows = []
    for iterations in sorted({cell.iterations for cell in cells}):
        row: list = [iterations]
        for system in systems:
            cell = found.get((system, iterations))
            row += [cell and cell.trials] if several else []
            for score in ("wa", "ua"):
                row += [cell and cell.scores[score], cell and cell.intervals and cell.intervals[score]]
        rows.append(row)
    notes = ["95 % intervals: bootstrap over the validation speakers, who are few; true intervals are wider."]
    notes += dict.fromkeys(note for cell in cells if cell.intervals and (note := ua_note(cell.intervals)))
    if several:
        notes.append("Each row is the best of its trials, so that a row with more trials is favoured.")
    return Table("routing", f"Validation over routing iterations, % (pooled over {folds} folds)", columns, rows, notes)
