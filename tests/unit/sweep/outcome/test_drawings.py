"""A study's figures, read from the axes, for given rows."""

import io
from dataclasses import replace

import pytest
from matplotlib.image import imread
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from ser.sweep.outcome.figures import draw_history, draw_importances, draw_slices
from ser.sweep.outcome.findings import study_of
from ser.sweep.study.plan import Plan
from ser.sweep.study.space import Space
from tests.made_up.entries import drawn

DIMENSIONS = {"model.dropout": FloatDistribution(0, 1), "model": CategoricalDistribution(("x.A", "x.B"))}
PLAN = Plan(study="s", space=Space(DIMENSIONS), config=["a.yaml"], options={}, trials=6)


def row(value, dropout, system, state=TrialState.COMPLETE):
    point = {"model.dropout": dropout, "model": system}
    return create_trial(value=value, params=point, distributions=DIMENSIONS, state=state)


ROWS = {  # trial 3 was given up
    0: row(0.6, 0.1, "x.A"),
    1: row(0.7, 0.2, "x.B"),
    2: row(0.5, 0.3, "x.A"),
    4: row(0.9, 0.4, "x.B", TrialState.PRUNED),
    5: row(0.65, 0.5, "x.B"),
}


def lines(axes):
    return {
        line.get_label(): (list(map(float, line.get_xdata())), pytest.approx(list(map(float, line.get_ydata()))))
        for line in axes.get_lines()
    }


def test_the_history_has_every_complete_trial_under_its_number_and_the_best_so_far():
    (axes,) = drawn(draw_history, PLAN, ROWS, 1).axes
    found = lines(axes)
    assert found["complete trial"] == ([0, 1, 2, 5], [60, 70, 50, 65])
    assert found["best so far"] == ([0, 1, 2, 5, 5], [60, 70, 70, 70, 70])
    assert found["the best"] == ([1], [70])


def test_the_best_so_far_goes_on_to_the_last_trial():
    (axes,) = drawn(draw_history, PLAN, {place: ROWS[place] for place in (0, 1, 4)}, 1).axes
    assert lines(axes)["best so far"] == ([0, 1, 4], [60, 70, 70]), "trial 4 was pruned"


def test_a_slice_has_every_complete_trial_over_its_own_value():
    panels = {axes.get_xlabel(): axes for axes in drawn(draw_slices, PLAN, ROWS, 1).axes}
    assert lines(panels["model.dropout"])["complete trial"] == ([0.1, 0.2, 0.3, 0.5], [60, 70, 50, 65])
    assert lines(panels["model"])["complete trial"] == ([0, 1, 0, 1], [60, 70, 50, 65])
    assert lines(panels["model"])["the best"] == ([1], [70])
    assert [label.get_text() for label in panels["model"].get_xticklabels()] == ["A", "B"]


def test_categories_that_are_numbers_or_files_keep_their_names():
    choices = (0.001, 0.25, "first.yaml", "ser.systems.CNNGRU")
    dimensions = {"rate": CategoricalDistribution(choices)}
    rows = {
        place: create_trial(value=0.5, params={"rate": choice}, distributions=dimensions)
        for place, choice in enumerate(choices)
    }
    (axes,) = drawn(draw_slices, replace(PLAN, space=Space(dimensions)), rows, 0).axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["0.001", "0.25", "first.yaml", "CNNGRU"]


def test_an_option_on_a_log_scale_is_drawn_on_one():
    dimensions = {"optimizer.lr": FloatDistribution(1e-5, 1e-2, log=True)}
    rows = {
        place: create_trial(value=0.5, params={"optimizer.lr": 10.0**-place}, distributions=dimensions)
        for place in (3, 4)
    }
    (axes,) = drawn(draw_slices, replace(PLAN, space=Space(dimensions)), rows, 3).axes
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert [axes.xaxis.get_major_formatter()(tick) for tick in ticks] == ["0.0001", "0.0003", "0.001"]


def test_the_bars_are_the_importances():
    evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25)
    importances = get_param_importances(study_of(ROWS), evaluator=evaluator)
    (axes,) = drawn(draw_importances, PLAN, importances).axes
    bars = {label.get_text(): bar.get_width() for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)}
    assert bars == {name: pytest.approx(100 * share) for name, share in importances.items()}
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first is at the top"


def test_names_are_not_mathematics():
    picture = draw_importances(PLAN, {"model.$\\frac$": 0.75, "data.$x": 0.25})
    assert imread(io.BytesIO(picture.png)).std() > 0.02  # the picture is not blank
