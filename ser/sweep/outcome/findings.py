"""Findings of a study: its trials, figures, importances and the routing table, as files."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial

from ser.files import write_bytes, write_text
from ser.report.page.blocks import Picture, Table
from ser.report.page.values import Column
from ser.results.lambda_curve import apply
from ser.results.statistics import Intervals, bootstrap_speakers, ua_note
from ser.sweep.outcome.figures import draw_history, draw_importances, draw_slices
from ser.sweep.outcome.lambdas import Saved, best_saved_config
from ser.sweep.outcome.trials import best_config, best_trial, complete, for_crossval, trials_table
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import SharedStudy, describe_point
from ser.sweep.workers.trial import Trial
from ser.training.options.configuration import to_yaml

TRIALS, BEST = "trials.csv", "best.yaml"
ITERATIONS = "model.routing_iterations"
FEWEST_FOR_IMPORTANCE = 10
GOOD_TRIALS = 5  # Optuna advises at least this number above the quantile
UNTOLD = (
    f"Importances need two options and {FEWEST_FOR_IMPORTANCE} complete trials, some of them better than the others."
)


class Findings:
    """Findings of a study, computed once for its folder, its report and W&B.

    Attributes:
        saved: the posteriors of a study of lambda, else None.
        trials: `trials_table`.
        best: number of the best trial; None without a complete trial, and then the other attributes are empty.
        config: of the best trial, for `ser crossval`.
        importances: share of each option; empty if they cannot be computed (`importance_evaluator`).
        routing: the routing table, if the number of iterations is varied.
    """

    def __init__(self, shared: SharedStudy, folder: Path, saved: Saved | None = None) -> None:
        self.shared, self.folder, self.saved = shared, folder, saved
        plan, results = shared.plan, shared.results()
        self.trials, self.best = trials_table(shared), best_trial(plan, results)
        self.config: dict | None = None
        self.pictures: list[Picture] = []
        self.importances: dict[str, float] = {}
        self.routing: Table | None = None
        if self.best is None:
            return
        row = results[self.best]
        self.config = (
            for_crossval(plan, best_saved_config(saved, row.params[LAMBDA])) if saved else best_config(plan, row)
        )
        self.pictures = [draw_history(plan, results, self.best), draw_slices(plan, results, self.best)]
        if evaluator := importance_evaluator(plan, results):
            self.importances = get_param_importances(study_of(results), evaluator=evaluator)
            self.pictures.append(draw_importances(plan, self.importances))
        if ITERATIONS in plan.space.dimensions:
            cells = routing_cells(shared, folder, self.config["model"]["class_path"])
            self.routing = routing_table(cells, len(plan.folds))

    @property
    def counts(self) -> str:
        """Number of trials, by state."""
        states = self.trials.state.value_counts()
        return f"{len(self.trials)} trials ({', '.join(f'{number} {state}' for state, number in states.items())})"

    @property
    def choice(self) -> str:
        """The best trial, the number of trials it was chosen from, and its options."""
        row = self.trials.set_index("trial").loc[self.best]
        point = describe_point(row[list(self.shared.plan.space.dimensions)].to_dict())
        chosen = f", lambda {row.lambda_:.2f}" if pd.notna(row.lambda_) else ""
        return f"trial {self.best} of {self.counts}, by {self.shared.plan.objective}: {point}{chosen}"

    def write(self, folder: Path) -> list[str]:
        """Write tables, figures and the best configuration; return the names of the files."""
        files = {TRIALS: self.trials.to_csv(index=False)}
        if self.config:
            files[BEST] = f"# study {self.shared.plan.study}: {self.choice}\n{to_yaml(self.config)}"
        if self.routing:
            files |= {"routing.csv": self.routing.csv(), "routing.md": self.routing.markdown() + "\n"}
        for name, text in files.items():
            write_text(folder / name, text)
        for picture in self.pictures:
            write_bytes(folder / f"{picture.name}.png", picture.png)
        return [*files, *(f"{picture.name}.png" for picture in self.pictures)]


def study_of(results: dict[int, FrozenTrial]) -> optuna.Study:
    """An in-memory study of the accepted trials."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(results.values())
    return study


def importance_evaluator(plan: Plan, results: dict[int, FrozenTrial]) -> PedAnovaImportanceEvaluator | None:
    """Evaluator of how much each option decides whether a trial is among the best; None if not computable (`UNTOLD`).

    The best are the top tenth, or the top five of fewer than fifty trials.

    Source:
        PED-ANOVA (Watanabe et al., IJCAI 2023), Optuna's.
    """
    values = sorted((row.value for row in complete(results).values()), reverse=True)
    if len(plan.space.dimensions) < 2 or len(values) < FEWEST_FOR_IMPORTANCE:
        return None
    quantile = max(0.1, GOOD_TRIALS / len(values))
    equally_good = values[-1] == values[ceil(quantile * len(values)) - 1]
    return None if equally_good else PedAnovaImportanceEvaluator(target_quantile=quantile)


class Cell(NamedTuple):
    """The best trial of one system with one number of iterations."""

    system: str
    iterations: int
    trials: int  # number of complete trials that it is the best of
    scores: dict[str, float]  # validation "wa" and "ua", as fractions
    intervals: Intervals | None  # of the scores; None if the trial was trained on another machine


def trial_validation(shared: SharedStudy, folder: Path, row: FrozenTrial) -> pd.DataFrame | None:
    """Validation predictions of a trial's folds at its lambda; None if the study's folder does not have them."""
    trial = Trial(shared.plan, folder, row.params, row.number, shared.identity)
    if not trial.is_validated_here():
        return None
    table = trial.validation()
    return apply(table, row.user_attrs["lambda_"]) if "lambda_" in row.user_attrs else table


def routing_cells(shared: SharedStudy, folder: Path, system: str) -> list[Cell]:
    """The best trial of each system and number of iterations; `system` is used if the study varies none."""
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
    """Table with a row per number of iterations and columns per system; scores are pooled over `folds` folds."""
    found = {(cell.system, cell.iterations): cell for cell in cells}
    systems = list(dict.fromkeys(cell.system for cell in cells))
    several = any(cell.trials > 1 for cell in cells)
    columns = [Column("iterations", "count")]
    for system in systems:
        columns += [Column("trials", "count", system)] if several else []
        for score in ("WA", "UA"):
            columns += [Column(f"{score} %", "percent", system), Column(f"{score} interval", "interval", system)]
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
        notes.append("Each row is the best of its trials, which favours rows with more trials.")
    return Table("routing", f"Validation over routing iterations (pooled over {folds} folds)", columns, rows, notes)
