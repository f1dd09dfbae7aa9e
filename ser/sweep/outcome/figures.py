"""A study's figures: Optuna's, and those of routing iterations and lambda."""

from __future__ import annotations

import io
import warnings
from math import ceil

import matplotlib
import numpy as np
import optuna
import pandas as pd
from matplotlib import pyplot
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances, plot_slice

from ser.report.page.blocks import Picture
from ser.report.sections.figures import DOTS_PER_INCH, drawing, styles
from ser.results.lambda_curve import PAPER_LAMBDA
from ser.sweep.outcome.routing import Cell
from ser.sweep.outcome.trials import complete
from ser.sweep.study.plan import Plan

FEWEST_FOR_IMPORTANCE = 10
GOOD_TRIALS = 5  # Optuna advises at least so many above the quantile
BEST = {"linestyle": "none", "marker": "*", "color": "#d55e00", "markeredgecolor": "black", "markersize": 15}

OPTUNAS = {
    "history": (plot_optimization_history, "every complete trial, and the best so far"),
    "slices": (plot_slice, "every complete trial over each option"),
    "importances": (plot_param_importances, "which options decide whether a trial is among the best (PED-ANOVA)"),
}


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
    """One of Optuna's figures, named as in `OPTUNAS`; it draws with pyplot, in a style that it leaves behind."""
    plot, words = OPTUNAS[name]
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


def draw_routing(cells: list[Cell]) -> Picture:
    """WA and UA over the number of routing iterations, a line for each system."""
    systems = list(dict.fromkeys(cell.system for cell in cells))
    shifts = 0.12 * (np.arange(len(systems)) - (len(systems) - 1) / 2)
    with drawing(8.5, 3.9) as sheet:
        panels = sheet.figure.subplots(1, 2)
        for axes, score in zip(panels, ("wa", "ua"), strict=True):
            for system, look, shift in zip(systems, styles(len(systems)), shifts, strict=True):
                rows = [cell for cell in cells if cell.system == system]
                values = np.array([100 * cell.scores[score] for cell in rows])
                limits = [cell.intervals and cell.intervals[score] for cell in rows]
                ends = np.array([100 * np.array(pair or (np.nan, np.nan)) for pair in limits])
                errors = np.abs(ends.T - values)
                spots = [cell.iterations + shift for cell in rows]
                axes.errorbar(spots, values, yerr=errors, capsize=3, elinewidth=1, markersize=6, label=system, **look)
            axes.set_xticks(sorted({cell.iterations for cell in cells}))
            axes.set_xlabel("routing iterations")
            axes.set_ylabel(f"validation {score.upper()} (%), 95 % interval")
            axes.grid(axis="x", visible=False)
        sheet.figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(systems))
        title = "Validation WA and UA over routing iterations, 95 % intervals by a bootstrap over speakers."
        return sheet.picture("routing", title, f"{title} The numbers are in the table.")


def draw_lambda(curve: pd.DataFrame, chosen: float, others: list[float], whose: str) -> Picture:
    """Validation WA and UA over lambda.

    Args:
        curve: `ser.results.lambda_curve.curve`.
        chosen: the best lambda.
        others: lambdas of other trials, as ticks at the foot.
        whose: what the curve is of.
    """
    with drawing(8.5, 3.6) as sheet:
        panels = sheet.figure.subplots(1, 2)
        for axes, score in zip(panels, ("wa", "ua"), strict=True):
            limits = [100 * curve[f"{score}_{end}"] for end in ("low", "high")]
            axes.fill_between(curve.lambda_, *limits, color="0.85", label="95 % interval")
            axes.plot(curve.lambda_, 100 * curve[score], "k-", label="validation")
            height = curve.loc[(curve.lambda_ - chosen).abs().idxmin(), score]
            axes.plot([chosen], [100 * height], label=f"chosen: {chosen:.2f}", **BEST)
            axes.axvline(PAPER_LAMBDA, color="0.4", linestyle="--", linewidth=1, label="0.6, the paper's")
            if others:
                foot = axes.get_xaxis_transform()
                axes.plot(others, np.full(len(others), 0.03), "k|", markersize=9, transform=foot, label="other trials'")
            axes.set(xlabel="lambda (0: GRU alone, 1: capsules alone)", ylabel=f"validation {score.upper()} (%)")
        sheet.figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=9)
        words = f"The curve of {whose}; lambda {chosen:.2f} was chosen."
        return sheet.picture("lambda", f"Validation WA and UA of {whose} over lambda, with 95 % intervals.", words)
