"""A study of saved posteriors, with its own folds, seeds and objective, against given posteriors."""

from types import SimpleNamespace

import optuna
import pandas as pd
import pytest
from optuna.distributions import FloatDistribution

from ser.sweep.outcome.lambdas import best_saved_config, rows_of, run_study
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.space import Space
from tests.unit.sweep.workers.test_trial import validated

SPACE = Space({LAMBDA: FloatDistribution(0, 1, step=0.5)})


def make_plan(**changes):
    settings = {"study": "s", "space": SPACE, "config": [], "options": {}, "command": "lambda", "sampler": "exhaustive"}
    return Plan(**{**settings, **changes})


def test_only_the_studys_folds_and_seeds_take_part():
    table = pd.DataFrame({"seed": [1, 1, 1, 2, 2, 2], "fold": [1, 2, 3, 1, 2, 3], "place": range(6)})
    assert rows_of(make_plan(folds=(3, 1), seeds=(2,)), table).place.tolist() == [3, 5]
    assert rows_of(make_plan(folds=(2,), seeds=(1, 2)), table).place.tolist() == [1, 4]


@pytest.mark.parametrize(("objective", "values"), [("val/wa", [0.4, None, 0.6]), ("val/ua", [0.625, None, 0.375])])
def test_every_lambda_is_judged_by_the_objective(objective, values):
    """A lambda that already has a result is not computed again."""
    study, plan = optuna.create_study(direction="maximize"), make_plan(objective=objective)
    done = {1: optuna.trial.create_trial(value=0.9, params={LAMBDA: 0.5}, distributions=SPACE.dimensions)}
    run_study(SimpleNamespace(plan=plan, results=lambda: done, optuna=study), SimpleNamespace(validation=validated()))
    found = {row.user_attrs["planned"]: row for row in study.get_trials()}
    assert {place: row.params[LAMBDA] for place, row in found.items()} == {0: 0, 2: 1}
    assert [found[place].value if place in found else None for place in range(3)] == [
        pytest.approx(value) for value in values
    ]
    assert (found[0].user_attrs["wa"], found[0].user_attrs["ua"]) == pytest.approx((0.4, 0.625))


def test_the_best_lambda_goes_into_the_runs_own_configuration():
    config = {"model": {"class_path": "x.A", "init_args": {"lambda_": 0.6, "dropout": 0.5}}, "data": {}}
    found = best_saved_config(SimpleNamespace(config=config), 0.3)
    assert found == {"model": {"class_path": "x.A", "init_args": {"lambda_": 0.3, "dropout": 0.5}}, "data": {}}
    assert config["model"]["init_args"]["lambda_"] == 0.6
