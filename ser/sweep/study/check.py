"""Checks of a study before its first trial: its options, the ends of its ranges, the corpus, the folds."""

import os
import sys

from lightning import Trainer

from ser.data.datamodule import EmotionData
from ser.data.folds import fold_warnings, num_folds, split
from ser.errors import InputError
from ser.results.identity import PER_FOLD, identity
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.workers.trial import run_options
from ser.training.experiment import Experiment
from ser.training.options.command import quieten
from ser.training.options.run_options import RunOptions
from ser.training.options.trainer import refusals

WITHOUT = ("config", "out")
ONE_DEVICE = "a trial is one process on one device"


def experiment_of(words: list[str]) -> Experiment:
    """The experiment (system and data) of a run with these options."""
    return Experiment(RunOptions("fit", words, ""))


def corners_of(plan: Plan) -> list[Experiment]:
    """The runs at the corners of the space, with systems and data built.

    Raises:
        InputError: for an unknown option, a value out of its range, a trial on several devices, or `choose_lambda`
            for a system without lambda.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError(f"{ONE_DEVICE}; start ser sweep once, without torchrun")
    quieten()
    corners = []
    for point in plan.space.corners():
        try:
            found = experiment_of(run_options(plan, point))
        except InputError as error:
            raise InputError(f"study {plan.study}, at {point}: {error}") from error
        settings = found.options.config["trainer"]
        if settings.strategy not in ("auto", "single_device"):
            raise InputError(f"study {plan.study}: trainer.strategy: {ONE_DEVICE}")
        if settings.devices not in (1, "1", "auto") or settings.num_nodes != 1:
            raise InputError(f"study {plan.study}: trainer.devices: {ONE_DEVICE}; --workers runs several at once")
        if plan.choose_lambda and "lambda_" not in found.system.hparams:
            raise InputError(
                f"study {plan.study}: choose_lambda is set, but {type(found.system).__name__} has no lambda"
            )
        corners.append(found)
    return corners


def check_trainers(plan: Plan, corners: list[Experiment]) -> None:
    """Build each corner's Trainer on one device; an InputError for settings that Lightning rejects on this machine."""
    bare = {"devices": 1, "logger": False, "callbacks": None}
    bare |= {"enable_checkpointing": False, "enable_progress_bar": False}
    for corner in corners:
        with refusals(f"study {plan.study}: trainer"):
            Trainer(**{**corner.settings["trainer"], **bare})


def check_beginning(plan: Plan, corner: Experiment) -> None:
    """Refuse (InputError) initial weights trained on a validation or test speaker of a fold; warn where unknown."""
    warnings = set()
    for fold in plan.folds:
        found = experiment_of([*corner.options.words, "--data.fold", str(fold)])
        found.read_corpus()
        try:
            found.check_beginning(found.data)
        except InputError as error:
            raise InputError(f"study {plan.study}, fold {fold}: {error}") from error
        warnings.update(found.doubts(found.data))
    for line in sorted(warnings):
        print(f"ser: warning: {line}", file=sys.stderr)


def check_runs(plan: Plan, corners: list[Experiment]) -> dict:
    """Read the corpus and check the folds.

    Returns:
        The identity of the runs, without what the study varies.

    Raises:
        InputError: for a missing corpus, a missing fold, folds of both directions, or initial weights trained on a
            validation or test speaker.
    """
    several = any(name == "data" or name.startswith("data.corpus") for name in plan.space.dimensions)
    for corner in corners if several else corners[:1]:
        corner.read_corpus()
    data = corners[0].data
    sessions = data.utterances.session.nunique()
    last = num_folds(data.utterances, data.protocol)
    if outside := [fold for fold in plan.folds if not 1 <= fold <= last]:
        raise InputError(f"study {plan.study}: there is no fold {outside[0]}; protocol {data.protocol} has 1 to {last}")
    if data.protocol == "speaker" and len({fold > sessions for fold in plan.folds}) > 1:
        raise InputError(
            f"study {plan.study}: folds {', '.join(map(str, plan.folds))} are of both directions: the validation "
            f"speaker of one is the test speaker of the other, so the study would see test utterances. Take folds "
            f"from 1-{sessions} or from {sessions + 1}-{last}"
        )
    beginnings = {corner.init_weights: corner for corner in corners if corner.init_weights}
    for path in sorted(beginnings):
        check_beginning(plan, beginnings[path])
    config = {key: value for key, value in corners[0].options.plain().items() if key not in WITHOUT}
    known = identity(config, data.corpus_digest, without=PER_FOLD)
    varied = {*plan.space.dimensions, *([LAMBDA] if plan.choose_lambda else [])}
    known["config"] = {
        name: value
        for name, value in known["config"].items()
        if name not in varied and not ("model" in varied and name.startswith("model"))
    }
    return known


def warnings_of(plan: Plan, data: EmotionData) -> list[str]:
    """The warnings about the study's folds (`ser.data.folds.fold_warnings`)."""
    table = data.utterances
    sets = {fold: split(table, data.protocol, fold, data.test_halves) for fold in plan.folds}
    return fold_warnings((fold, table.assign(set=column)) for fold, column in sets.items())
