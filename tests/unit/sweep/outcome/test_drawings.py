"""A study's figures, read from the axes, for given rows."""

import io

import pytest
from matplotlib import rcParams
from matplotlib.image import imread
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from ser.sweep.outcome.findings import draw_with_optuna, study_of
from ser.sweep.study.plan import Plan
from ser.sweep.study.space import Space

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


@pytest.fixture
def optunas(monkeypatch):
    """The axes of one of Optuna's figures."""
    figures = []
    monkeypatch.setattr("ser.sweep.outcome.findings.pyplot.close", figures.append)

    def run(name, **settings):
        picture = draw_with_optuna(name, PLAN, study_of(ROWS), **settings)
        assert imread(io.BytesIO(picture.png)).std() > 0.02  # the picture is not blank
        return figures.pop().axes

    yield run
    assert rcParams["axes.facecolor"] == "white", "pyplot's style is restored"


def lines(axes):
    return {
        str(line.get_label()): (list(map(float, line.get_xdata())), list(map(float, line.get_ydata())))
        for line in axes.get_lines()
    }


def spots(axes):
    """The points of a figure, one row each."""
    return [list(map(float, spot)) for spot in axes.collections[0].get_offsets()]


def test_the_history_has_every_complete_trial_under_its_number_and_the_best_so_far(optunas):
    (axes,) = optunas("history")
    assert spots(axes) == [[0, 0.6], [1, 0.7], [2, 0.5], [5, 0.65]]
    assert lines(axes)["Best Value"] == ([0, 1, 2, 3, 4, 5], [0.6, 0.7, 0.7, 0.7, 0.7, 0.7])


def test_a_slice_has_every_complete_trial_over_its_own_value(optunas):
    panels = {axes.get_xlabel(): axes for axes in optunas("slices")}
    assert spots(panels["model.dropout"]) == [[0.1, 0.6], [0.2, 0.7], [0.3, 0.5], [0.5, 0.65]]
    assert spots(panels["model"]) == [[0, 0.6], [0, 0.5], [1, 0.7], [1, 0.65]]
    assert [label.get_text() for label in panels["model"].get_xticklabels()] == ["'x.A'", "'x.B'"]


def test_the_bars_are_the_importances(optunas):
    evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25)
    (axes,) = optunas("importances", evaluator=evaluator)
    bars = {label.get_text(): bar.get_width() for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)}
    assert bars == get_param_importances(study_of(ROWS), evaluator=evaluator)
