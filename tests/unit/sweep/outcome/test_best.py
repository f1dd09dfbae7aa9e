"""The best trial and its place in the tables, from given rows."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import get_param_importances
from optuna.trial import TrialState, create_trial

from ser.sweep.outcome.findings import (
    Cell,
    importance_evaluator,
    routing_cells,
    routing_table,
    study_of,
)
from ser.sweep.outcome.trials import best_trial
from ser.sweep.outcome.writing import best_trials
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import accepted
from ser.sweep.study.space import Space

ITERATIONS = "model.routing_iterations"
FLOAT = FloatDistribution(0, 1)


def make_plan(objective="val/wa", **dimensions):
    space = Space({"model.dropout": FLOAT, **dimensions})
    return Plan(study="s", space=space, config=["a.yaml"], options={}, objective=objective, trials=9)


def row(wa, ua, objective="val/wa", state=TrialState.COMPLETE, **params):
    """A settled trial; options are keywords with two underscores for a dot."""
    params = {name.replace("__", "."): value for name, value in params.items()}
    kinds = {int: IntDistribution(1, 9), float: FLOAT, str: CategoricalDistribution(("x.A", "x.B"))}
    made = {"params": params, "distributions": {name: kinds[type(value)] for name, value in params.items()}}
    value = {"val/wa": wa, "val/ua": ua}[objective]
    return create_trial(value=value, state=state, user_attrs={"wa": wa, "ua": ua}, **made)


@pytest.mark.parametrize(("objective", "best"), [("val/wa", 1), ("val/ua", 0)])
def test_the_best_by_the_objective(objective, best):
    scores = [(0.5, 0.8), (0.7, 0.4), (0.6, 0.6)]
    assert best_trial(make_plan(objective), {i: row(*each, objective) for i, each in enumerate(scores)}) == best


@pytest.mark.parametrize(("objective", "best"), [("val/wa", 3), ("val/ua", 4)])
def test_among_equals_the_best_by_the_other_score_then_the_first(objective, best):
    scores = [(0.7, 0.3), (0.2, 0.9), (0.7, 0.4), (0.7, 0.5), (0.6, 0.9), (0.7, 0.5), (0.6, 0.9)]
    assert best_trial(make_plan(objective), {i: row(*each, objective) for i, each in enumerate(scores)}) == best


def test_sums_in_another_order_are_equal():
    assert best_trial(make_plan(), {0: row(0.3, 0.5), 1: row(0.1 + 0.2, 0.4)}) == 0


def test_among_equal_lambdas_the_nearest_to_the_papers_then_the_smallest():
    rows = {place: row(0.7, 0.5, model__lambda_=each) for place, each in enumerate((0.9, 0.65, 0.55, 0.3))}
    assert best_trial(make_plan(), rows) == 2
    assert rows[2].params == {LAMBDA: 0.55}


def test_a_trial_that_was_pruned_is_never_the_best():
    rows = {0: row(0.9, 0.9, state=TrialState.PRUNED), 1: row(0.5, 0.5)}
    assert best_trial(make_plan(), rows) == 1
    assert best_trial(make_plan(), {0: rows[0]}) is None


def test_the_first_of_several_results_of_a_trial_counts():
    """Two workers can both complete a trial."""
    failed = create_trial(state=TrialState.FAIL)
    rows = [failed, row(0.5, 0.5, state=TrialState.PRUNED), row(0.9, 0.9), row(0.8, 0.8)]
    assert accepted(rows) is rows[1]
    assert accepted(rows[2:]) is rows[2]
    assert accepted([failed]) is None


@pytest.mark.parametrize(("objective", "order"), [("val/wa", [2, 0, 3, 1]), ("val/ua", [3, 0, 2, 1])])
def test_the_best_trials_stand_above_by_the_objective(objective, order):
    scores = {"wa": [0.6, np.nan, 0.7, 0.5], "ua": [0.6, np.nan, 0.5, 0.7]}
    state = ["complete", "pruned", "complete", "complete"]
    trials = pd.DataFrame({"trial": range(4), "state": state, "model.dropout": 0.5, **scores})
    shared = SimpleNamespace(plan=make_plan(objective))
    table = best_trials(SimpleNamespace(shared=shared, trials=trials))
    assert [each[0] for each in table.rows] == order
    assert table.rows[0][-2:] == [scores["wa"][order[0]], scores["ua"][order[0]]]
    assert table.rows[-1][-2:] == [None, None]


@pytest.mark.parametrize(("objective", "best"), [("val/wa", (0.8, 0.3)), ("val/ua", (0.7, 0.6))])
def test_a_cell_of_the_routing_table_is_its_best_trial_by_the_objective(monkeypatch, objective, best):
    """Two systems; the first has one trial with one iteration and three with two."""
    monkeypatch.setattr("ser.sweep.outcome.findings.trial_validation", lambda shared, folder, found: None)
    scores = [
        (1, "x.A", 0.9, 0.9),
        (2, "x.A", 0.6, 0.4),
        (2, "x.A", 0.8, 0.3),
        (2, "x.A", 0.7, 0.6),
        (2, "x.B", 0.5, 0.5),
    ]
    rows = {
        place: row(wa, ua, objective, model=system, model__routing_iterations=number)
        for place, (number, system, wa, ua) in enumerate(scores)
    }
    shared = SimpleNamespace(plan=make_plan(objective), results=lambda: rows)
    cells = routing_cells(shared, None, "unused")
    found = [(cell.system, cell.iterations, cell.trials, *cell.scores.values()) for cell in cells]
    assert found == [("A", 1, 1, 0.9, 0.9), ("A", 2, 3, *best), ("B", 2, 1, 0.5, 0.5)]


def test_where_a_cell_is_the_best_of_several_trials_all_say_of_how_many():
    limits = {"wa": (0.1, 0.9), "ua": (0.2, 0.8), "redrawn": 0}
    cells = [Cell("A", 1, 1, {"wa": 0.6, "ua": 0.5}, limits), Cell("A", 2, 3, {"wa": 0.7, "ua": 0.4}, None)]
    table = routing_table([*cells, Cell("B", 2, 1, {"wa": 0.8, "ua": 0.3}, None)], 3)
    names = [column.full_name for column in table.columns[:4]]
    assert names == ["iterations", "A: trials", "A: WA %", "A: WA interval"]
    assert table.rows == [
        [1, 1, 0.6, (0.1, 0.9), 0.5, (0.2, 0.8), None, None, None, None, None],
        [2, 3, 0.7, None, 0.4, None, 1, 0.8, None, 0.3, None],
    ]
    assert "Each row is the best of its trials, which favours rows with more trials." in table.notes
    (alone,) = routing_table(cells[:1], 3).rows
    assert alone == [1, 0.6, (0.1, 0.9), 0.5, (0.2, 0.8)]


def test_the_important_option_is_that_of_the_best_trials_and_not_of_the_worst():
    """Dropout above 0.85 makes the best trials, a decay below 0.15 the worst."""
    generator = np.random.default_rng(1)
    dropouts, decays = generator.random((2, 100)).tolist()
    rows = {}
    for place, (dropout, decay) in enumerate(zip(dropouts, decays, strict=True)):
        value = 0.5 + 0.3 * (dropout > 0.85) - 0.3 * (decay < 0.15) + 0.001 * generator.random()
        rows[place] = row(value, value, model__dropout=dropout, model__decay=decay)
    evaluator = importance_evaluator(make_plan(**{"model.decay": FLOAT}), rows)
    shares = get_param_importances(study_of(rows), evaluator=evaluator)
    assert shares["model.dropout"] > 0.8
