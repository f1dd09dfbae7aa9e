"""The identity of a study, and its plan, points and rows, which are the same in every process."""

from dataclasses import fields, replace

import optuna
import pytest
import sqlalchemy
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ser.errors import InputError
from ser.sweep.study.options import check_definition, with_options, write_definition
from ser.sweep.study.plan import LAMBDA, Plan, read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.space import Space
from tests.made_up.rows import HEARTBEAT_SECONDS, TRIES, add_row, empty_study

DIMENSIONS = {
    "model.learning_rate": FloatDistribution(1e-5, 1, log=True),
    "model.dropout": FloatDistribution(0, 1, step=0.25),
    "model.gru_units": IntDistribution(1, 9, step=2),
    "model.window": IntDistribution(1, 512, log=True),
    "model": CategoricalDistribution(("x.A", "x.B")),
}
PLAN = Plan(study="s", space=Space(DIMENSIONS), config=["a.yaml"], options={}, trials=3)
OTHERS = {
    **{"space": Space({"model.dropout": FloatDistribution(0, 1)}), "command": "lambda", "objective": "val/ua"},
    **{"folds": (6, 7), "seeds": (2,), "sampler": "random", "sampler_seed": 2, "pruner": "median"},
    **{"pruner_options": {"n_startup_trials": 2}, "choose_lambda": True, "heartbeat_seconds": 60},
}
ELSEWHERE = {"study", "config", "options", "trials", "tries"}  # its name; part of the runs' identity; allowed to change


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_decides_a_number_makes_another_study(name):
    assert {field.name for field in fields(Plan)} == {*OTHERS, *ELSEWHERE}
    assert replace(PLAN, **{name: OTHERS[name]}).described() != PLAN.described()
    assert replace(PLAN, trials=9, tries=1).described() == PLAN.described()


def test_samplers_of_other_seeds_and_workers_draw_other_numbers():
    draws = {
        (seed, worker, begun): replace(PLAN, sampler_seed=seed).make_sampler(worker, begun)._rng.rng.random()
        for seed in (1, 2)
        for worker in (0, 1)
        for begun in (0, 1)
    }
    assert len(set(draws.values())) == len(draws)
    assert PLAN.make_sampler(1, 1)._rng.rng.random() == draws[1, 1, 1]
    points = [replace(PLAN, sampler="random", sampler_seed=seed).points for seed in (1, 1, 2)]
    assert points[0] == points[1]
    assert points[0][0] != points[2][0]


def test_a_trial_is_drawn_from_the_ranges_of_the_file():
    trial = optuna.create_study().ask()
    point = PLAN.space.suggest(trial)
    assert trial.distributions == DIMENSIONS
    assert trial.params == point


def test_every_value_of_a_range_is_a_point_of_an_exhaustive_study():
    space = Space({name: DIMENSIONS[name] for name in ("model.dropout", "model.gru_units", "model")})
    points = list(space.points())
    assert points[0] == {"model.dropout": 0, "model.gru_units": 1, "model": "x.A"}
    assert points[-1] == {"model.dropout": 1, "model.gru_units": 9, "model": "x.B"}
    assert len(points) == 5 * 5 * 2


# --- the file


def write(path, **changes):
    study = {"study": "s", "config": "runs/a.yaml", "space": {"model.dropout": {"float": [0, 1]}}, "trials": 2}
    path.write_text(yaml.safe_dump({**study, **changes}))
    return path


def test_the_runs_files_are_looked_for_beside_the_studys(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_plan(write(tmp_path / "study.yaml")).config == [str(tmp_path / "runs" / "a.yaml")]
    absolute = write(tmp_path / "study.yaml", config=["/b.yaml", "c.yaml"])
    assert read_plan(absolute).config == ["/b.yaml", str(tmp_path / "c.yaml")]


OWNED = ("data.fold", "data.seed", "seed_everything", "out", "data.protocol", "epochs_averaged")
NAMED = ("wandb.group", "wandb.name", "wandb.tags")


@pytest.mark.parametrize("name", [*OWNED, *NAMED, "help", "config", "print_config"])
def test_a_study_neither_varies_nor_sets_what_is_its_own(tmp_path, name):
    for changes in ({"options": {name: 1}}, {"space": {name: {"int": [1, 2]}}}):
        with pytest.raises(InputError, match=f"{name} is "):
            read_plan(write(tmp_path / "study.yaml", **changes))
    with pytest.raises(InputError, match="needs no training"):
        read_plan(write(tmp_path / "study.yaml", space={LAMBDA: {"float": [0, 1]}}))


def test_options_of_the_command_line_win_and_reach_the_workers(tmp_path, monkeypatch):
    path = write(tmp_path / "study.yaml", options={"data.batch_size": 8, "model.gru_units": 4})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.yaml").touch()
    plan = with_options(read_plan(path), {"data.batch_size": "16", "data.corpus.root": "here", "data": "data.yaml"})
    given = {"data": str(tmp_path / "data.yaml"), "data.batch_size": "16", "data.corpus.root": str(tmp_path / "here")}
    assert plan.options == {**given, "model.gru_units": 4}
    assert next(iter(plan.options)) == "data", "a file before options that override it"
    (tmp_path / "folder").mkdir()
    written = read_plan(write_definition(tmp_path / "folder", str(path), plan))
    assert (written.options, written.config) == (plan.options, [str(tmp_path / "runs" / "a.yaml")])
    with pytest.raises(InputError, match="varies it"):
        with_options(plan, {"model.dropout": "0.5"})
    check_definition(tmp_path / "folder", plan)
    with pytest.raises(InputError, match="is the folder of study s; choose another for t with --out"):
        check_definition(tmp_path / "folder", replace(plan, study="t"))


# --- the storage


@pytest.mark.parametrize(
    ("before", "now", "difference"),
    [
        ({"code": "a"}, {"code": "b"}, "code: a there, b here"),
        ({"corpus": "a"}, {"corpus": "b"}, "corpus: a there, b here"),
        ({"config": {"x": 1}}, {"config": {"x": True}}, "x: 1 there, True here"),
        ({"versions": {"torch": "1"}}, {}, "version of torch: 1 there, None here"),
    ],
)
def test_a_study_of_another_identity_is_refused(make_shared, before, now, difference):
    make_shared(before).check_same(before)
    with pytest.raises(InputError, match=difference):
        make_shared(now)


def test_what_is_trained_for_one_study_is_not_anothers(make_shared):
    made = [make_shared({"code": code}, study=name) for name, code in (("one", "a"), ("two", "a"), ("three", "b"))]
    assert len({shared.identity for shared in made}) == 3
    assert SharedStudy.load(made[0].plan, made[0].storage).identity == made[0].identity


def test_the_highest_score_is_sought(make_shared):
    assert make_shared().optuna.direction == StudyDirection.MAXIMIZE


def test_more_trials_are_planned_and_fewer_are_forgotten_by_nobody(make_shared):
    assert [make_shared(sampler="random", trials=number).planned for number in (2, 5, 3)] == [2, 5, 5]


@pytest.mark.parametrize(("heartbeats", "state"), [(2.5, TrialState.RUNNING), (3.5, TrialState.FAIL)])
def test_a_worker_counts_as_dead_after_three_missed_signs_of_life(patient, heartbeats, state):
    shared = empty_study(patient, "silent")
    number = add_row(shared, 0, "alive")
    with shared.storage.engine.begin() as connection:
        ago = {"ago": f"-{heartbeats * HEARTBEAT_SECONDS} seconds"}
        connection.execute(sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = datetime('now', :ago)"), ago)
    shared.reconcile()
    assert shared.optuna.get_trials()[number].state == state


@pytest.mark.parametrize("failed", range(TRIES + 1))
def test_a_trial_is_begun_as_often_as_is_allowed(patient, failed):
    shared = empty_study(patient, "tries")
    for _ in range(failed):
        add_row(shared, 1, "failed")
    assert (1 in shared.reconcile()) == (failed < TRIES)
    assert [row.state for row in shared.attempts()[1][failed:]] == [TrialState.WAITING] * (failed < TRIES)
