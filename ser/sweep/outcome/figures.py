"""A study's figures, readable in black and white, and what they are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from math import ceil

import numpy as np
import optuna
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial

from ser.report.page.blocks import Picture, percent
from ser.report.sections.figures import drawing, styles
from ser.results.lambda_curve import PAPER_LAMBDA
from ser.sweep.outcome.routing import Cell
from ser.sweep.outcome.trials import best_trial, complete
from ser.sweep.study.plan import Plan
from ser.sweep.workers.launcher import short

FEWEST_FOR_IMPORTANCE = 10
GOOD_TRIALS = 5  # Optuna advises at least so many above the quantile
PANELS_PER_ROW = 3
DOTS = {"linestyle": "none", "marker": "o", "color": "black", "markersize": 5}
BEST = {"linestyle": "none", "marker": "*", "color": "#d55e00", "markeredgecolor": "black", "markersize": 15}
PRUNED = {"linestyle": "none", "marker": "x", "color": "#777777", "markersize": 6}


def name_of(option: str) -> str:
    """An option as a figure names it.

    Example:
        >>> name_of("model.routing_iterations"), name_of("model"), name_of("model.lambda_")
        ('routing iterations', 'system', 'lambda')
    """
    return "system" if option == "model" else option.split(".")[-1].strip("_").replace("_", " ")


def value_of(option: str, value: object) -> str:
    """A value as a figure names it; a system without its module."""
    return str(value).rsplit(".", 1)[-1] if option == "model" else short(value)


def importances(plan: Plan, results: dict[int, FrozenTrial]) -> dict[str, float] | str:
    """How much each option decides whether a trial is among the best.

    The best are the top tenth, or the top five of fewer than fifty trials.

    Returns:
        Shares that add up to 1 by option, the largest first; or in words why they cannot be told.

    Source:
        PED-ANOVA (Watanabe et al., IJCAI 2023), Optuna's.
    """
    rows = list(complete(results).values())
    if len(plan.space.dimensions) < 2:
        return "Importances compare options; this study varies one."
    if len(rows) < FEWEST_FOR_IMPORTANCE:
        return f"Importances need at least {FEWEST_FOR_IMPORTANCE} complete trials; there are {len(rows)}."
    quantile = max(0.1, GOOD_TRIALS / len(rows))
    values = sorted((row.value for row in rows), reverse=True)
    if values[-1] >= values[ceil(quantile * len(values)) - 1]:
        return "Importances cannot be told: too many trials are equally good."
    study = optuna.create_study(direction="maximize")
    study.add_trials(rows)
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=quantile))


def draw_history(plan: Plan, results: dict[int, FrozenTrial]) -> Picture:
    """Every trial's score in the order in which they ended, and the best so far."""
    rows = sorted(results.items(), key=lambda item: item[1].datetime_complete)
    places = {place: number for number, (place, _) in enumerate(rows, start=1)}
    done = {place: 100 * row.value for place, row in rows if place in complete(results)}
    best = best_trial(plan, results)
    with drawing(7, 3.8) as sheet:
        axes = sheet.figure.subplots()
        order = [places[place] for place in done]
        axes.plot(order, list(done.values()), label="trial", **DOTS)
        edges = [*order, len(rows) + 0.5]
        so_far = list(accumulate(done.values(), max))
        axes.plot(edges, [*so_far, *so_far[-1:]], "k-", drawstyle="steps-post", linewidth=1.2, label="best so far")
        axes.plot([places[best]], [done[best]], label=f"best: trial {best}", **BEST)
        axes.margins(y=0.12)
        _mark_pruned(axes, [places[place] for place in places if place not in done])
        axes.set_xlabel("trials in the order in which they ended")
        axes.set_ylabel(_score(plan))
        axes.set_xlim(0, len(rows) + 1)
        axes.xaxis.get_major_locator().set_params(integer=True)
        sheet.figure.legend(loc="outside upper center", ncols=4, fontsize=9)
        words = f"{len(done)} complete trials of {len(rows)}; the best, trial {best}, has {done[best]:.1f} %."
        return sheet.picture("history", f"Optimisation history: {_score(plan)} of every trial.", words)


def draw_importances(shares: dict[str, float], number: int) -> Picture:
    """Importances as bars.

    Args:
        shares: `importances`.
        number: of the trials they were computed from.
    """
    with drawing(6, 0.9 + 0.45 * len(shares)) as sheet:
        axes = sheet.figure.subplots()
        names, values = [name_of(name) for name in shares], list(shares.values())
        bars = axes.barh(names, values, color="#bbbbbb", edgecolor="black", height=0.6)
        axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=4)
        axes.set_xlim(0, 1.12 * max(values))
        axes.set_xlabel("importance (share)")
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        words = "; ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))
        caution = f"Which options decide whether a trial is among the best: PED-ANOVA of {number} trials."
        return sheet.picture("importances", caution, f"Importances: {words}.")


def draw_slices(plan: Plan, results: dict[int, FrozenTrial]) -> Picture:
    """Every trial's score over each option."""
    dimensions = plan.space.dimensions
    done, best = complete(results), best_trial(plan, results)
    columns = min(PANELS_PER_ROW, len(dimensions))
    rows = -(-len(dimensions) // columns)
    with drawing(max(5.0, 3.2 * columns), 0.7 + 3 * rows) as sheet:
        panels = sheet.figure.subplots(rows, columns, sharey=True, squeeze=False).flat
        for axes, (name, dimension) in zip(panels, dimensions.items(), strict=False):
            spots = _spots(axes, name, dimension)
            axes.plot([spots(row) for row in done.values()], [100 * row.value for row in done.values()], **DOTS)
            axes.plot([spots(done[best])], [100 * done[best].value], **BEST)
            axes.margins(x=0.08, y=0.12)
            _mark_pruned(axes, [spots(row) for place, row in results.items() if place not in done])
            axes.set_xlabel(name_of(name))
        for axes in list(sheet.figure.axes)[len(dimensions) :]:
            axes.remove()
        for axes in sheet.figure.axes[::columns]:
            axes.set_ylabel(_score(plan))
        names = ", ".join(map(name_of, dimensions))
        title = f"{_score(plan)} of every trial over each option. Star: the best trial. Crosses at the foot: pruned."
        return sheet.picture("slices", title, f"Trials over {names}; the numbers are in trials.csv.")


def draw_routing(cells: list[Cell]) -> Picture:
    """WA and UA over the number of routing iterations, a line for each system."""
    systems = list(dict.fromkeys(cell.system for cell in cells))
    with drawing(8.5, 3.9) as sheet:
        panels = sheet.figure.subplots(1, 2)
        for axes, score in zip(panels, ("wa", "ua"), strict=True):
            for system, look, shift in zip(systems, styles(len(systems)), _shifts(len(systems)), strict=True):
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
        best = max(cells, key=lambda cell: cell.scores["wa"])
        words = f"Highest WA: {best.system} with {best.iterations}, {percent(best.scores['wa'], 1)} %; see the table."
        title = "Validation WA and UA over routing iterations, 95 % intervals by a bootstrap over speakers."
        return sheet.picture("routing", title, words)


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


def _score(plan: Plan) -> str:
    return f"validation {plan.metric.upper()} (%)"


def _shifts(number: int) -> np.ndarray:
    return np.linspace(-0.06, 0.06, number) if number > 1 else np.zeros(1)


def _mark_pruned(axes: Axes, spots: list[float]) -> None:
    if spots:
        foot = axes.get_xaxis_transform()
        axes.plot(spots, np.full(len(spots), 0.03), transform=foot, label="pruned", **PRUNED)


def _spots(axes: Axes, name: str, dimension: BaseDistribution) -> Callable[[FrozenTrial], float]:
    """Where a trial stands on the axis of an option; sets the axis up."""
    if isinstance(dimension, CategoricalDistribution):
        choices = list(dimension.choices)
        axes.set_xticks(range(len(choices)), [value_of(name, choice) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        return lambda row: choices.index(row.params[name])
    if dimension.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.xaxis.set_minor_locator(NullLocator())
    elif isinstance(dimension, optuna.distributions.IntDistribution):
        axes.xaxis.get_major_locator().set_params(integer=True)
    return lambda row: row.params[name]
