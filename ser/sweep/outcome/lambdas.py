"""A study of lambda on saved posteriors: its trials are points of the curve of `ser lambda`, nothing is trained."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from optuna.trial import create_trial

from ser.errors import InputError
from ser.files import digest
from ser.results.lambda_curve import branch_posteriors, curve
from ser.results.pooled_result import read_pooled
from ser.results.reading import TABLES
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.study.shared_study import PLANNED, SharedStudy
from ser.training.options.configuration import read_yaml


@dataclass(frozen=True)
class Saved:
    """The predictions of a cross-validation for the folds and seeds of a study; test rows are for the report alone.

    Attributes:
        identity: tells a study of these posteriors from a study of others.
    """

    folder: Path
    validation: pd.DataFrame
    test: pd.DataFrame
    config: dict
    identity: dict


def read_saved(plan: Plan, runs: str) -> Saved:
    """The saved posteriors that a study weighs.

    Raises:
        InputError: if the folder holds no result of a system with two branches, or not the study's folds and seeds,
            or if an utterance that is validated in one of the folds is tested in another.
    """
    if plan.sampler == "tpe":
        raise InputError(f"study {plan.study}: sampler tpe: lambdas are computed at once; use exhaustive or random")
    for name, unset in (("config", []), ("options", {}), ("choose_lambda", False), ("pruner", "none")):
        if getattr(plan, name) != unset:
            raise InputError(f"study {plan.study}: {name} has no meaning where nothing is trained")
    pooled = read_pooled(runs)
    for name, wanted in (("folds", plan.folds), ("seeds", plan.seeds)):
        if missing := set(wanted) - set(pooled.about[name]):
            there = ",".join(map(str, pooled.about[name]))
            remedy = {"folds": f"name its folds: --folds {there}", "seeds": "set seeds in the study"}[name]
            raise InputError(f"--runs {runs} has no {name[:-1]} {min(missing)}, only {there}; {remedy}")
    validation, test = (rows_of(plan, table) for table in (pooled.validation, pooled.predictions))
    if shared := set(validation.utterance) & set(test.utterance):
        middle = pooled.about.get("num_folds", 0) // 2  # older results do not say
        first = ",".join(str(fold) for fold in pooled.about["folds"] if fold <= middle)
        second = ",".join(str(fold) for fold in pooled.about["folds"] if fold > middle)
        halves = f": --folds {first} or {second}" if first and second else ""
        raise InputError(
            f"--runs {runs}: {len(shared)} validation utterances of folds {', '.join(map(str, plan.folds))} are tested "
            f"in another of them, so lambda would be chosen on the test set; take the folds of one direction{halves}"
        )
    try:
        branch_posteriors(validation)
    except InputError as error:
        raise InputError(f"--runs {runs}: {pooled.about['system']} has no lambda: {error}") from error
    identity = {"config": {TABLES["val"]: digest(pooled.folder / TABLES["val"])}}
    return Saved(pooled.folder, validation, test, read_yaml(pooled.folder / "config.yaml"), identity)


def rows_of(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study's folds and seeds."""
    return table[table.fold.isin(plan.folds) & table.seed.isin(plan.seeds)].reset_index(drop=True)


def run_study(shared: SharedStudy, saved: Saved) -> None:
    """Add every trial that has no result yet, finished: no row waits for a worker."""
    plan, settled = shared.plan, shared.results()
    scores = curve(saved.validation, draws=0, lambdas=[point[LAMBDA] for point in plan.points])
    for place, found in enumerate(scores[["wa", "ua"]].to_dict("records")):
        if place not in settled:
            made = {"params": plan.points[place], "distributions": plan.space.dimensions}
            attributes = {PLANNED: place, **found, "worker": f"{socket.gethostname()}:{os.getpid()}"}
            shared.optuna.add_trial(create_trial(value=found[plan.metric], user_attrs=attributes, **made))


def best_saved_config(saved: Saved, lambda_: float) -> dict:
    """The configuration of the runs with another lambda."""
    model = saved.config["model"]
    return {**saved.config, "model": {**model, "init_args": {**model["init_args"], "lambda_": lambda_}}}
