"""A study's figures show what they say: given rows, read from the axes."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from ser.sweep.outcome.figures import draw_history, draw_lambda, draw_routing, draw_slices
from ser.sweep.outcome.routing import Cell
from ser.sweep.study.plan import Plan
from ser.sweep.study.space import Space
from tests.report.entries import drawn

DIMENSIONS = {"model.dropout": FloatDistribution(0, 1), "model": CategoricalDistribution(("x.A", "x.B"))}
PLAN = Plan(study="s", space=Space(DIMENSIONS), config=["a.yaml"], options={}, trials=4)


def row(value, ended, dropout, system, state=TrialState.COMPLETE):
    times = {"datetime_start": datetime(2020, 1, 1), "datetime_complete": datetime(2020, 1, 1) + timedelta(hours=ended)}
    point = {"params": {"model.dropout": dropout, "model": system}, "distributions": DIMENSIONS}
    attributes = {"user_attrs": {"wa": value, "ua": value}, "system_attrs": {}, "intermediate_values": {}}
    return FrozenTrial(number=0, trial_id=0, state=state, value=value, **times, **point, **attributes)


# In the order in which they ended: 2, 0, 3 (pruned), 1.
ROWS = {
    0: row(0.7, 2, 0.1, "x.A"),
    1: row(0.6, 4, 0.2, "x.B"),
    2: row(0.5, 1, 0.3, "x.A"),
    3: row(0.9, 3, 0.4, "x.B", TrialState.PRUNED),
}


def lines(axes):
    return {
        str(line.get_label()): (list(map(float, line.get_xdata())), list(map(float, line.get_ydata())))
        for line in axes.get_lines()
    }


def test_the_history_has_every_trial_and_the_best_so_far():
    figure = drawn(draw_history, PLAN, ROWS)
    found = lines(figure.axes[0])
    ended, scores = found["trial"]
    assert dict(zip(ended, scores, strict=True)) == {1: 50, 2: 70, 4: 60}
    assert found["best so far"][1] == [50, 70, 70, 70]
    assert found["best: trial 0"] == ([2], [70])
    assert found["pruned"][0] == [3]


def test_a_slice_has_every_trial_over_its_own_value():
    figure = drawn(draw_slices, PLAN, ROWS)
    dropout, system = (axes.get_lines() for axes in figure.axes)
    for trials, best, pruned, spots in ((*dropout, [0.1, 0.2, 0.3, 0.4]), (*system, [0, 1, 0, 1])):
        assert list(map(float, trials.get_xdata())) == spots[:3]
        assert list(map(float, trials.get_ydata())) == pytest.approx([70, 60, 50])
        assert (*best.get_xdata(), *best.get_ydata()) == pytest.approx((spots[0], 70))
        assert list(pruned.get_xdata()) == [spots[3]]


def test_the_star_stands_on_the_curve_at_the_chosen_lambda():
    lambdas = np.arange(101) / 100
    curve = pd.DataFrame({"lambda_": lambdas, "wa": 0.5 + lambdas / 4, "ua": 0.5 - lambdas / 4})
    limits = {f"{score}_{end}": curve[score] + shift for score in ("wa", "ua") for end, shift in LIMITS.items()}
    figure = drawn(draw_lambda, curve.assign(**limits), 0.4, [0.2], "trial 3")
    for axes, height in zip(figure.axes, (60, 40), strict=True):
        found = lines(axes)
        assert found["chosen: 0.40"] == ([0.4], [pytest.approx(height)])
        assert found["0.6, the paper's"][0] == [0.6, 0.6]
        assert found["other trials'"][0] == [0.2]


LIMITS = {"low": -0.1, "high": 0.2}


def test_the_routing_figure_has_each_systems_scores_and_limits():
    limits = {"wa": (0.5, 0.9), "ua": (0.3, 0.45), "redrawn": 0}
    cells = [Cell("A", number, 1, {"wa": 0.6, "ua": 0.4}, limits) for number in (1, 2)]
    figure = drawn(draw_routing, [*cells, Cell("B", 2, 1, {"wa": 0.7, "ua": 0.2}, None)])
    for axes, middle, ends in zip(figure.axes, (60, 40), ((50, 90), (30, 45)), strict=True):
        ours, other = axes.containers
        assert ours[0].get_ydata().tolist() == pytest.approx([middle] * 2)
        assert ours[2][0].get_segments()[0][:, 1].tolist() == pytest.approx(ends)
        assert other[0].get_xdata().tolist() == pytest.approx([2], abs=0.1)
