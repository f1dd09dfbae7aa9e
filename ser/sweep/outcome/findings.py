"""Everything a study shows: its trials, figures and routing table, as files and as sections of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from optuna.importance import get_param_importances

from ser.files import write_bytes, write_text
from ser.report.page.blocks import Column, Picture, Section, Table
from ser.results.lambda_curve import curve
from ser.sweep.outcome.figures import (
    draw_lambda,
    draw_routing,
    draw_with_optuna,
    importance_evaluator,
    study_of,
)
from ser.sweep.outcome.lambdas import Saved
from ser.sweep.outcome.routing import ITERATIONS, routing_cells, routing_table, trial_validation
from ser.sweep.outcome.trials import BEST, best_trial, complete, trials_table, write_outcome
from ser.sweep.study.plan import LAMBDA
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.workers.launcher import short

MOST_ROWS = 10


def name_of(option: str) -> str:
    """An option as a table names it.

    Example:
        >>> name_of("model.routing_iterations"), name_of("model"), name_of("model.lambda_")
        ('routing iterations', 'system', 'lambda')
    """
    return "system" if option == "model" else option.split(".")[-1].strip("_").replace("_", " ")


def value_of(option: str, value: object) -> str:
    """A value as a table names it; a system without its module."""
    return str(value).rsplit(".", 1)[-1] if option == "model" else short(value)


@dataclass
class Findings:
    """Everything a study shows, computed once for its folder, its report and W&B."""

    shared: SharedStudy
    folder: Path
    config: dict | None  # of the best trial
    saved: Saved | None = None
    trials: pd.DataFrame = field(init=False)
    pictures: list[Picture] = field(default_factory=list)
    importances: dict[str, float] | str = ""
    curve: pd.DataFrame | None = None
    routing: Table | None = None
    best: int | None = field(init=False)

    def __post_init__(self) -> None:
        plan, results = self.shared.plan, self.shared.results()
        self.trials, self.best = trials_table(self.shared), best_trial(plan, results)
        if self.best is None:
            return
        study, self.importances = study_of(results), importance_evaluator(plan, results)
        self.pictures = [draw_with_optuna("history", plan, study)]
        if not self.saved:  # the lambda curve is its slice
            self.pictures.append(draw_with_optuna("slices", plan, study))
        if not isinstance(self.importances, str):
            self.pictures.append(draw_with_optuna("importances", plan, study, evaluator=self.importances))
            self.importances = get_param_importances(study, evaluator=self.importances)
        if ITERATIONS in plan.space.dimensions:
            cells = routing_cells(self.shared, self.folder, self.config["model"]["class_path"])
            self.routing = routing_table(cells, len(plan.folds))
            self.pictures.append(draw_routing(cells))
        self._draw_lambda(results)

    def _draw_lambda(self, results: dict) -> None:
        row, others = results[self.best], []
        if self.saved:
            table, chosen, whose = self.saved.validation, row.params[LAMBDA], str(self.saved.folder)
        elif self.shared.plan.choose_lambda:
            table, chosen = trial_validation(self.shared, self.folder, row), row.user_attrs["lambda_"]
            whose = f"trial {self.best}"
            others = [each.user_attrs["lambda_"] for place, each in complete(results).items() if place != self.best]
        else:
            return
        if table is not None:
            self.curve = curve(table)
            self.pictures.append(draw_lambda(self.curve, chosen, others, whose))

    @property
    def counts(self) -> str:
        """How many trials the choice was made from."""
        states = self.trials.state.value_counts()
        return f"{len(self.trials)} trials ({', '.join(f'{number} {state}' for state, number in states.items())})"

    @property
    def choice(self) -> str:
        """Which trial is the best, and of how many."""
        plan, row = self.shared.plan, self.trials[self.trials.trial == self.best].iloc[0]
        point = ", ".join(f"{name_of(name)} {value_of(name, row[name])}" for name in plan.space.dimensions)
        chosen = f", lambda {row.lambda_:.2f}" if pd.notna(row.lambda_) else ""
        return f"trial {self.best} of {self.counts}, by {plan.objective}: {point}{chosen}"

    def write(self, folder: Path) -> list[str]:
        """Tables, figures and the best configuration; the names of the files."""
        about = f"study {self.shared.plan.study}: {self.choice}" if self.config else ""
        write_outcome(folder, self.trials, self.config, about)
        tables = (
            {"routing.csv": self.routing.csv(), "routing.md": self.routing.markdown() + "\n"} if self.routing else {}
        )
        for name, text in tables.items():
            write_text(folder / name, text)
        pictures = {f"{each.name}.png": each.png for each in self.pictures}
        for name, png in pictures.items():
            write_bytes(folder / name, png)
        return ["trials.csv", *([BEST] if self.config else []), *tables, *pictures]

    def sections(self) -> list[Section]:
        """Trials, figures and the routing table for the report."""
        plan = self.shared.plan
        done = self.trials.sort_values(plan.metric, ascending=False, kind="stable", na_position="last")
        shown = done.astype(object).where(done.notna(), None).head(MOST_ROWS)
        names = list(plan.space.dimensions)
        columns = [Column("trial", "count"), Column("state"), *(Column(name_of(name)) for name in names)]
        columns += [Column(f"validation {name}", "percent") for name in ("WA", "UA")]
        rows = [
            [row.trial, row.state, *(value_of(name, row[name]) for name in names), row.wa, row.ua]
            for _, row in shown.iterrows()
        ]
        title = f"The best {len(rows)} trials of {len(done)}" if len(done) > len(rows) else "All trials"
        trials = Table("trials", title, columns, rows, ["All of them, with errors and workers, are in trials.csv."])
        why = [self.importances] if isinstance(self.importances, str) else []
        return [
            Section("trials", "Trials", [trials]),
            *([Section("routing", "Routing iterations", [self.routing])] if self.routing else []),
            Section("figures", "Figures", [*self.pictures, *why]),
        ]
