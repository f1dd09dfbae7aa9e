"""Figures of a study, drawn from its complete trials in the style of the report."""

import re
from itertools import accumulate

from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial

from ser.report.page.blocks import Picture
from ser.report.page.drawing import drawing, label, styles
from ser.report.page.values import percent
from ser.results.speaker_counts import counted
from ser.sweep.outcome.trials import complete
from ser.sweep.study.plan import Plan
from ser.sweep.study.shared_study import short

CLASS = re.compile(r"(?:[a-z_]\w*\.)+([A-Z]\w*)")
COLUMNS = 4  # of the figure of slices
HOLLOW = {"marker": "o", "color": "black", "markerfacecolor": "white", "linestyle": "none", "label": "complete trial"}
BEST = {**HOLLOW, "markerfacecolor": "black", "markersize": 8, "label": "the best"}


def draw_history(plan: Plan, results: dict[int, FrozenTrial], best: int) -> Picture:
    """Every complete trial, and the best so far."""
    rows = complete(results)
    scores = [100 * row.value for row in rows.values()]
    last = max(results)
    with drawing(8.5, 3.4) as sheet:
        axes = sheet.figure.subplots()
        axes.plot(list(rows), scores, **HOLLOW)
        look = {**styles(2)[1], "marker": None, "drawstyle": "steps-post", "label": "best so far"}
        axes.plot([*rows, last], [*accumulate(scores, max), max(scores)], **look)
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axes.set(xlabel="trial", ylabel=_label(plan))
        axes.plot([best], [100 * results[best].value], **BEST)
        sheet.figure.legend(loc="outside upper right", ncols=3, fontsize=9)
        name = f"Validation {plan.metric.upper()}"
        highest = f"trial {best} is the best, {percent(results[best].value, 1)} %"
        alt = f"{name} of {counted(len(rows), 'complete trial')}; {highest}."
        return sheet.picture("history", f"{name}: every complete trial, and the best so far.", alt)


def draw_slices(plan: Plan, results: dict[int, FrozenTrial], best: int) -> Picture:
    """Every complete trial over each option."""
    dimensions, rows = plan.space.dimensions, complete(results)
    columns = min(COLUMNS, len(dimensions))
    with drawing(2.4 * columns + 0.8, 2.9 * -(-len(dimensions) // columns)) as sheet:
        panels = sheet.figure.subplots(-(-len(dimensions) // columns), columns, sharey=True, squeeze=False).flat
        for place, (axes, (name, dimension)) in enumerate(zip(panels, dimensions.items(), strict=False)):
            found = {number: row for number, row in rows.items() if name in row.params}
            places = [_place(dimension, row.params[name]) for row in found.values()]
            axes.plot(places, [100 * row.value for row in found.values()], **HOLLOW)
            if best in found:
                axes.plot([_place(dimension, found[best].params[name])], [100 * found[best].value], **BEST)
            if isinstance(dimension, CategoricalDistribution):
                names = [label(_category(choice), 24) for choice in dimension.choices]
                axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 4 else 0)
                axes.set_xlim(-0.5, len(names) - 0.5)
            elif dimension.log:
                axes.set_xscale("log")
                axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
                axes.xaxis.set_major_formatter("{x:g}")
                axes.xaxis.set_minor_locator(NullLocator())
            elif isinstance(dimension, IntDistribution):
                axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
            axes.set_xlabel(label(name, 30), fontsize=9)
            axes.set_ylabel("" if place % columns else _label(plan), fontsize=9)
            axes.tick_params(labelsize=8)
        for axes in panels[len(dimensions) :]:
            axes.remove()
        name = f"Validation {plan.metric.upper()}"
        alt = f"{name} of {counted(len(rows), 'complete trial')} over {', '.join(dimensions)}; see trials.csv."
        title = f"{name}: every complete trial over each option; the best is filled."
        return sheet.picture("slices", title, alt)


def draw_importances(plan: Plan, importances: dict[str, float]) -> Picture:
    """The share of each option in the choice of the best trials, the largest at the top."""
    names, shares = list(importances), list(importances.values())
    with drawing(8.5, 0.9 + 0.35 * len(names)) as sheet:
        axes = sheet.figure.subplots()
        bars = axes.barh(range(len(names)), [100 * share for share in shares], color="#9a9a9a", edgecolor="black")
        axes.bar_label(bars, [f"{percent(share, 0)} %" for share in shares], padding=4)
        axes.set_yticks(range(len(names)), [label(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 112 * max(shares) or 1)
        axes.set_xlabel("importance (%)")
        axes.grid(axis="y", visible=False)
        title = f"Validation {plan.metric.upper()}: which options decide whether a trial is among the best (PED-ANOVA)."
        values = "; ".join(f"{name} {percent(share, 0)} %" for name, share in importances.items())
        return sheet.picture("importances", title, f"Importance of each option: {values}.")


def _label(plan: Plan) -> str:
    return f"validation {plan.metric.upper()} (%)"


def _place(dimension: BaseDistribution, value: object) -> float:
    """A value's place on its axis: a category's number, or itself."""
    return dimension.to_internal_repr(value) if isinstance(dimension, CategoricalDistribution) else value


def _category(choice: object) -> str:
    """A category as text, a class without its module.

    Example:
        >>> [_category(choice) for choice in ("ser.systems.CNNGRU", 0.001, "first.yaml")]
        ['CNNGRU', '0.001', 'first.yaml']
    """
    text = short(choice)
    return found[1] if (found := CLASS.fullmatch(text)) else text
