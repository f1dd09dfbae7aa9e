"""Everything a study shows: its trials, Optuna's figures and the routing table, as files and as a report."""

from __future__ import annotations

import io
import warnings
from math import ceil
from pathlib import Path

import matplotlib
import numpy as np
import optuna
import pandas as pd
from matplotlib import pyplot
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances, plot_slice

from ser.files import write_bytes, write_text
from ser.report.page.blocks import Column, Commands, Listing, Paragraph, Picture, Section, Table
from ser.report.page.rendering import markdown_page
from ser.report.sections.figures import DOTS_PER_INCH
from ser.sweep.outcome.lambdas import Saved, best_saved_config
from ser.sweep.outcome.routing import ITERATIONS, routing_cells, routing_table
from ser.sweep.outcome.trials import best_config, best_trial, complete, for_crossval, trials_table
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import SharedStudy, short
from ser.training.options.configuration import to_yaml

TRIALS, BEST = "trials.csv", "best.yaml"
MOST_ROWS = 10
FEWEST_FOR_IMPORTANCE = 10
GOOD_TRIALS = 5  # Optuna advises at least so many above the quantile
FIGURES = {
    "history": (plot_optimization_history, "every complete trial, and the best so far"),
    "slices": (plot_slice, "every complete trial over each option"),
    "importances": (plot_param_importances, "which options decide whether a trial is among the best (PED-ANOVA)"),
}


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


class Findings:
    """Everything a study shows, computed once for its folder, its report and W&B.

    Args:
        shared: the study.
        folder: of the study.
        saved: the posteriors that it weighs, where nothing is trained.

    Attributes:
        trials: `trials_table`.
        best: number of the best trial; None without a complete one, and then there is nothing else.
        config: of the best trial, as `ser crossval` takes it.
        importances: share of each option, or why that cannot be told.
        routing: the routing table, where the number of iterations is varied.
    """

    def __init__(self, shared: SharedStudy, folder: Path, saved: Saved | None = None) -> None:
        self.shared, self.folder, self.saved = shared, folder, saved
        plan, results = shared.plan, shared.results()
        self.trials, self.best = trials_table(shared), best_trial(plan, results)
        self.config: dict | None = None
        self.pictures: list[Picture] = []
        self.importances: dict[str, float] | str = ""
        self.routing: Table | None = None
        if self.best is None:
            return
        row = results[self.best]
        self.config = (
            for_crossval(plan, best_saved_config(saved, row.params[LAMBDA])) if saved else best_config(plan, row)
        )
        study, evaluator = study_of(results), importance_evaluator(plan, results)
        self.pictures = [draw_with_optuna(name, plan, study) for name in ("history", "slices")]
        if isinstance(evaluator, str):
            self.importances = evaluator
        else:
            self.importances = get_param_importances(study, evaluator=evaluator)
            self.pictures.append(draw_with_optuna("importances", plan, study, evaluator=evaluator))
        if ITERATIONS in plan.space.dimensions:
            cells = routing_cells(shared, folder, self.config["model"]["class_path"])
            self.routing = routing_table(cells, len(plan.folds))

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
        """Write tables, figures and the best configuration; the names of the files."""
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
        why = [Paragraph(self.importances)] if isinstance(self.importances, str) else []
        return [
            Section("trials", "Trials", [trials]),
            *([Section("routing", "Routing iterations", [self.routing])] if self.routing else []),
            Section("figures", "Figures", [*self.pictures, *why]),
        ]


def write_report(folder: Path, findings: Findings, result: Table | None, commands: list[str]) -> list[str]:
    """Write `report.md`, the tables and the figures; the names of the files.

    Args:
        folder: a new one.
        findings: of the study.
        result: `claim`, or None where nothing was tested.
        commands: those that made the report.
    """
    plan = findings.shared.plan
    first = [result] if result else [Paragraph("The test set was left out (--no-test): nothing is claimed.")]
    described = [f"{name}: {text}" for name, text in plan.space.described().items()]
    described.append(f"folds {', '.join(map(str, plan.folds))}, seeds {', '.join(map(str, plan.seeds))}")
    sections = [
        Section("result", "Result", [Paragraph(f"Best: {findings.choice}."), *first]),
        Section("study", "What was tried", [Listing(described), Commands(commands)]),
        *findings.sections(),
    ]
    files = findings.write(folder)
    if result:
        write_text(folder / "claim.csv", result.csv())
    subtitle = f"{len(findings.trials)} planned trials by {plan.sampler}, {plan.objective} on validation utterances."
    write_text(folder / "report.md", markdown_page(f"Study {plan.study}", subtitle, sections))
    return ["report.md", *(["claim.csv"] if result else []), *files]


def study_of(results: dict[int, FrozenTrial]) -> optuna.Study:
    """The accepted trials alone, under their numbers in the plan."""
    study = optuna.create_study(direction="maximize")
    nothing = optuna.trial.create_trial(state=TrialState.FAIL)
    study.add_trials(results.get(place, nothing) for place in range(max(results) + 1))
    return study


def importance_evaluator(plan: Plan, results: dict[int, FrozenTrial]) -> PedAnovaImportanceEvaluator | str:
    """Tells how much each option decides whether a trial is among the best; or in words why that cannot be told.

    The best are the top tenth, or the top five of fewer than fifty trials.

    Source:
        PED-ANOVA (Watanabe et al., IJCAI 2023), Optuna's.
    """
    values = sorted((row.value for row in complete(results).values()), reverse=True)
    if len(plan.space.dimensions) < 2:
        return "Importances compare options; this study varies one."
    if len(values) < FEWEST_FOR_IMPORTANCE:
        return f"Importances need at least {FEWEST_FOR_IMPORTANCE} complete trials; there are {len(values)}."
    quantile = max(0.1, GOOD_TRIALS / len(values))
    if values[-1] >= values[ceil(quantile * len(values)) - 1]:
        return "Importances cannot be told: too many trials are equally good."
    return PedAnovaImportanceEvaluator(target_quantile=quantile)


def draw_with_optuna(name: str, plan: Plan, study: optuna.Study, **settings) -> Picture:
    """One of Optuna's figures, named as in `FIGURES`; it draws with pyplot, in a style that it leaves behind."""
    plot, words = FIGURES[name]
    title = f"Validation {plan.metric.upper()}: {words}."
    matplotlib.use("agg")
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an experimental interface, and of axes of a single value
        figure = np.ravel(plot(study, target_name=plan.objective, **settings))[0].figure
        for axes in figure.axes if plot is plot_slice else ():  # names of classes are long, numbers on a log scale many
            axes.tick_params(axis="x", which="both", labelrotation=90)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})
        pyplot.close(figure)
    return Picture(name, title, f"{title} The numbers are in trials.csv.", out.getvalue(), figure.get_figwidth())
