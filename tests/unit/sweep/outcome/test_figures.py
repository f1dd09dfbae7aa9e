"""A study's tables and figures agree with the predictions of its trials."""

from dataclasses import replace

import optuna
import pandas as pd
import pytest
from matplotlib.image import imread

from ser.results.lambda_curve import apply, best_of
from ser.results.pooled import pooled_scores
from ser.results.reading import read_table
from ser.results.statistics import bootstrap_speakers
from ser.sweep.outcome.findings import (
    Cell,
    Findings,
    importance_evaluator,
    routing_cells,
    routing_table,
    study_of,
)
from ser.sweep.study.options import with_options
from tests.conftest import CONF
from tests.made_up.joint_study import open_made_up, settle, write_joint


@pytest.fixture(scope="module")
def routing(tmp_path_factory):
    """The study of sweeps/routing.yaml with simulated posteriors, and its folder."""
    folder = tmp_path_factory.mktemp("routing") / "study"
    shared = open_made_up(CONF.parent / "sweeps" / "routing.yaml", folder)
    for place, point in enumerate(shared.plan.points):
        settle(shared, folder, place, point["model"].rsplit(".")[-1], 0.8 + 0.2 * point["model.routing_iterations"])
    return shared, folder


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    """A study of three options with chosen lambdas, two pruned trials and one given up."""
    root = tmp_path_factory.mktemp("joint")
    shared = open_made_up(write_joint(root, CONF / "gru_seqcap.yaml"), root / "study")
    for place, point in enumerate(shared.plan.points):
        if place == 12:
            for _ in range(3):
                settle(shared, root / "study", place, "CNNGRUSeqCap", 1, error="no memory")
            continue
        skill = 0.5 + 0.5 * point["model.routing_iterations"]
        settle(shared, root / "study", place, "CNNGRUSeqCap", skill, pruned_after=2 if place in (5, 9) else None)
    return shared, root / "study"


def test_the_routing_table_is_that_of_the_pooled_validation_predictions(routing):
    shared, folder = routing
    cells = routing_cells(shared, folder, "CNNSeqCap")
    assert [(cell.system, cell.iterations) for cell in cells] == [
        (system, number) for system in ("CNNRecCap", "CNNSeqCap") for number in range(1, 6)
    ]
    for cell in cells:
        wanted = {"model": f"ser.systems.{cell.system}", "model.routing_iterations": cell.iterations}
        (row,) = [row for row in shared.results().values() if row.params == wanted]
        runs = sorted((folder / "trials" / row.user_attrs["folder"]).glob("seed*"))
        table = pd.concat([read_table(run / "validation.csv").assign(seed=1) for run in runs])
        scores = pooled_scores(table)
        assert cell.scores == {"wa": scores["wa"], "ua": scores["ua"]}
        assert cell.intervals == bootstrap_speakers(table)
    table = routing_table(cells, 5)
    found = pd.read_csv(pd.io.common.StringIO(table.csv()), index_col="iterations")
    for cell in cells:
        assert found.loc[cell.iterations, f"{cell.system}: WA %"] == pytest.approx(100 * cell.scores["wa"], abs=1e-4)
        low = found.loc[cell.iterations, f"{cell.system}: UA interval low %"]
        assert low == pytest.approx(100 * cell.intervals["ua"][0], abs=1e-4)
    assert table.markdown().count("\n|") == 7


def test_the_routing_table_names_draws_that_lacked_an_emotion():
    found = {"wa": (0.5, 0.7), "ua": (float("nan"),) * 2, "redrawn": 8000}
    table = routing_table([Cell("CNNSeqCap", 1, 1, {"wa": 0.6, "ua": 0.5}, found)], 3)
    assert any(note.startswith("UA: no interval, because too many draws of speakers lack") for note in table.notes)
    assert table.texts == [["1", "60.00", "50.0 to 70.0", "50.00", "not available"]]


def test_trials_of_another_machine_have_scores_and_no_intervals(routing, tmp_path):
    cells = routing_cells(routing[0], tmp_path, "CNNSeqCap")
    assert len(cells) == 10
    assert all(cell.intervals is None for cell in cells)


def test_figures_are_drawn_for_what_there_is(joint, routing):
    for (shared, folder), counts in [
        (joint, "14 trials (11 complete, 2 pruned, 1 given up)"),
        (routing, "10 trials (10 complete)"),
    ]:
        plan = with_options(shared.plan, {"data.corpus.root": "corpus"})
        found = Findings(replace(shared, plan=plan), folder)
        names = {picture.name for picture in found.pictures}
        assert names == {"history", "slices", "importances"}
        files = found.write(folder)
        assert set(files) == {
            "trials.csv",
            "best.yaml",
            "routing.csv",
            "routing.md",
            *(f"{name}.png" for name in names),
        }
        for name in names:
            image = imread(folder / f"{name}.png")
            assert image.std() > 0.02  # the picture is not blank
        assert counts in found.choice


def test_without_a_complete_trial_there_is_a_table_alone(tmp_path):
    shared = open_made_up(write_joint(tmp_path, CONF / "gru_seqcap.yaml", trials=2), tmp_path / "study")
    settle(shared, tmp_path / "study", 0, "CNNGRUSeqCap", 1, pruned_after=2)
    found = Findings(shared, tmp_path / "study")
    assert found.best is None
    assert found.write(tmp_path) == ["trials.csv"]
    assert not (tmp_path / "best.yaml").exists()


def test_in_a_joint_study_a_cell_is_the_best_of_its_trials_with_its_lambda(joint):
    shared, folder = joint
    for cell in routing_cells(shared, folder, "ser.systems.CNNGRUSeqCap"):
        rows = [
            row
            for row in shared.results().values()
            if row.value is not None
            and row.state == optuna.trial.TrialState.COMPLETE
            and row.params["model.routing_iterations"] == cell.iterations
        ]
        assert cell.trials == len(rows)
        best = max(rows, key=lambda row: row.value)
        assert cell.scores["wa"] == best.value
        runs = sorted((folder / "trials" / best.user_attrs["folder"]).glob("seed*"))
        table = pd.concat([read_table(run / "validation.csv").assign(seed=1) for run in runs])
        chosen = best_of(table)["lambda_"]
        assert best.user_attrs["lambda_"] == chosen
        assert pooled_scores(apply(table, chosen))["wa"] == pytest.approx(cell.scores["wa"])


def test_the_option_that_decides_is_the_most_important(tmp_path):
    """Closed form: only the first option affects the score."""
    path = write_joint(tmp_path, CONF / "gru_seqcap.yaml", trials=60, choose_lambda=False)
    shared = open_made_up(path, tmp_path / "study")
    rows = {}
    for place, point in enumerate(shared.plan.points):
        value = 0.5 + 0.1 * point["model.routing_iterations"] + 1e-4 * place / 60
        attributes = {"planned": place, "wa": value, "ua": value}
        make = {"params": point, "distributions": shared.plan.space.dimensions, "user_attrs": attributes}
        rows[place] = optuna.trial.create_trial(value=value, **make)
    evaluator = importance_evaluator(shared.plan, rows)
    shares = optuna.importance.get_param_importances(study_of(rows), evaluator=evaluator)
    assert next(iter(shares)) == "model.routing_iterations"
    assert shares["model.routing_iterations"] > 0.5
    assert sum(shares.values()) == pytest.approx(1)
    few = {place: rows[place] for place in range(9)}
    assert importance_evaluator(shared.plan, few) is None
    alike = {place: optuna.trial.create_trial(value=0.5, **_made(row)) for place, row in rows.items()}
    assert importance_evaluator(shared.plan, alike) is None


def _made(row):
    return {"params": row.params, "distributions": row.distributions, "user_attrs": row.user_attrs}
