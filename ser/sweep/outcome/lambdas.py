"""A study of lambda on saved posteriors: nothing is trained, and no file of the cross-validation is touched.

A trial takes milliseconds, so one process computes all of them and then writes them to the storage, finished.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd

from ser.errors import InputError
from ser.files import digest
from ser.results.lambda_curve import apply, curve
from ser.results.pooled import pooled_scores
from ser.results.pooled_result import read_pooled
from ser.results.reading import TABLES
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import PLANNED, SharedStudy
from ser.training.options.configuration import read_yaml


@dataclass(frozen=True)
class Saved:
    """The rows of a cross-validation that a study may use.

    Attributes:
        folder: of the cross-validation.
        system: its class.
        validation: posteriors of the validation utterances of the study's folds and seeds.
        test: the same of the test utterances, for the report alone.
        config: of the runs.
        digest: of the whole validation table, by which the study is known again.
    """

    folder: Path
    system: str
    validation: pd.DataFrame
    test: pd.DataFrame
    config: dict
    digest: str

    @property
    def identity(self) -> dict:
        """What makes a study of these posteriors another one than a study of others."""
        return {"config": {TABLES["val"]: self.digest}}


def read_saved(plan: Plan, runs: str) -> Saved:
    """The saved posteriors that a study weighs.

    Raises:
        InputError: if the folder holds no result of a system with two branches, or not the study's folds and seeds,
            or if an utterance that is validated in one of the folds is tested in another.
    """
    useless = {"config": plan.config, "options": plan.options, "choose_lambda": plan.choose_lambda}
    if found := [name for name, value in {**useless, "pruner": plan.pruner != "none"}.items() if value]:
        raise InputError(f"study {plan.study}: {found[0]} has no meaning where nothing is trained")
    pooled = read_pooled(runs)
    for name, wanted in (("folds", plan.folds), ("seeds", plan.seeds)):
        if missing := set(wanted) - set(pooled.about[name]):
            there = ",".join(map(str, pooled.about[name]))
            remedy = {"folds": f"name its folds: --folds {there}", "seeds": "set seeds in the study"}[name]
            raise InputError(f"--runs {runs} has no {name[:-1]} {min(missing)}, only {there}; {remedy}")
    validation, test = (rows_of(plan, table) for table in (pooled.validation, pooled.predictions))
    if shared := set(validation.utterance) & set(test.utterance):
        last = pooled.about.get("num_folds")  # older results do not say
        first, second = (
            [fold for fold in pooled.about["folds"] if last and (fold > last // 2) == half] for half in (0, 1)
        )
        halves = f": --folds {_shorten(first)} or {_shorten(second)}" if first and second else ""
        raise InputError(
            f"--runs {runs}: {len(shared)} validation utterances of folds {', '.join(map(str, plan.folds))} are tested "
            f"in another of them, so lambda would be chosen on the test set; take the folds of one direction{halves}"
        )
    try:
        curve(validation, draws=0)
    except InputError as error:
        raise InputError(f"--runs {runs}: {pooled.about['system']} has no lambda: {error}") from error
    config = read_yaml(pooled.folder / "config.yaml")
    known = digest(pooled.folder / TABLES["val"])
    return Saved(pooled.folder, pooled.about["system"], validation, test, config, known)


def _shorten(folds: list[int]) -> str:
    """Numbers as `--folds` takes them."""
    gapless = len(folds) > 1 and folds[-1] - folds[0] == len(folds) - 1
    return f"{folds[0]}-{folds[-1]}" if gapless else ",".join(map(str, folds))


def rows_of(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study's folds and seeds."""
    return table[table.fold.isin(plan.folds) & table.seed.isin(plan.seeds)].reset_index(drop=True)


def join_study(plan: Plan, storage: optuna.storages.RDBStorage, saved: Saved) -> SharedStudy:
    """Make the study or go on with it. Unlike a study of trainings it has no row before that row's result.

    Raises:
        InputError: if a study of this name is of other posteriors.
    """
    return SharedStudy.join(plan, storage, saved.identity)


def run_study(shared: SharedStudy, saved: Saved) -> None:
    """Compute every trial that has no result yet."""
    plan, settled = shared.plan, shared.results()
    missing = [place for place in range(len(plan.points)) if place not in settled]
    memory = optuna.create_study(direction="maximize", sampler=plan.make_sampler(0))
    memory.add_trials(settled.values())
    for place in missing:
        memory.enqueue_trial(plan.points[place], user_attrs={PLANNED: place})
    for _ in missing:
        trial = memory.ask()
        lambda_ = plan.space.suggest(trial)[LAMBDA]
        found = pooled_scores(apply(saved.validation, lambda_))
        for name in ("wa", "ua"):
            trial.set_user_attr(name, found[name])
        trial.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}")
        memory.tell(trial, found[plan.metric])
    shared.optuna.add_trials(memory.get_trials(deepcopy=False)[len(settled) :])


def best_saved_config(saved: Saved, lambda_: float) -> dict:
    """The configuration of the runs with another lambda."""
    model = saved.config["model"]
    return {**saved.config, "model": {**model, "init_args": {**model["init_args"], "lambda_": lambda_}}}
