"""A study of lambda on saved posteriors, without training: its trials are points of the curve of `ser lambda`."""

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
    """Predictions of a cross-validation for the folds and seeds of a study; `test` is used by the report only.

    Attributes:
        identity: digest of the validation posteriors.
    """

    folder: Path
    validation: pd.DataFrame
    test: pd.DataFrame
    config: dict
    identity: dict


def read_saved(plan: Plan, runs: str) -> Saved:
    """Read the saved posteriors of a study.

    Raises:
        InputError: if the folder has no result of a system with two branches, lacks folds or seeds of the study, or
            if a validation utterance of one fold is a test utterance of another.
    """
    if plan.sampler == "tpe":
        raise InputError(f"study {plan.study}: sampler tpe: lambdas are computed at once; use exhaustive or random")
    for name, unset in (("config", []), ("options", {}), ("choose_lambda", False), ("pruner", "none")):
        if getattr(plan, name) != unset:
            raise InputError(f"study {plan.study}: {name} has no effect in a study of saved posteriors; remove it")
    pooled = read_pooled(runs)
    for name, wanted in (("folds", plan.folds), ("seeds", plan.seeds)):
        if missing := set(wanted) - set(pooled.about[name]):
            there = ",".join(map(str, pooled.about[name]))
            remedy = {"folds": f"name its folds: --folds {there}", "seeds": "set seeds in the study"}[name]
            raise InputError(f"--runs {runs} has no {name[:-1]} {min(missing)}, only {there}; {remedy}")
    validation, test = (rows_of(plan, table) for table in (pooled.validation, pooled.predictions))
    if shared := set(validation.utterance) & set(test.utterance):
        middle = pooled.about.get("num_folds", 0) // 2  # not in older results
        first = ",".join(str(fold) for fold in pooled.about["folds"] if fold <= middle)
        second = ",".join(str(fold) for fold in pooled.about["folds"] if fold > middle)
        halves = f": --folds {first} or {second}" if first and second else ""
        raise InputError(
            f"--runs {runs}: {len(shared)} validation utterances of folds {', '.join(map(str, plan.folds))} are test "
            f"utterances of another, so lambda would be chosen on the test set; take folds of one direction{halves}"
        )
    try:
        branch_posteriors(validation)
    except InputError as error:
        raise InputError(f"--runs {runs}: {pooled.about['system']} has no lambda: {error}") from error
    identity = {"config": {TABLES["val"]: digest(pooled.folder / TABLES["val"])}}
    return Saved(pooled.folder, validation, test, read_yaml(pooled.folder / "config.yaml"), identity)


def rows_of(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    """The table's rows for the study's folds and seeds."""
    return table[table.fold.isin(plan.folds) & table.seed.isin(plan.seeds)].reset_index(drop=True)


def run_study(shared: SharedStudy, saved: Saved) -> None:
    """Compute all trials without a result and store them as complete."""
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
