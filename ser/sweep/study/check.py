"""Checks of a study before its first trial: its options, the ends of its ranges, the corpus, the folds."""

import os

from lightning import Trainer

from ser.data.datamodule import EmotionData
from ser.data.folds import fold_warnings, set_warnings
from ser.data.leaks import check_leaks
from ser.errors import InputError
from ser.results.identity import PER_FOLD, identity
from ser.sweep.study.plan import LAMBDA, Plan
from ser.sweep.workers.trial import run_options
from ser.training.experiment import Experiment
from ser.training.options.command import quieten
from ser.training.options.run_options import RunOptions
from ser.training.options.trainer import refusals
from ser.training.several_folds import check_beginning

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


def check_runs(plan: Plan, corners: list[Experiment]) -> dict:
    """Read the corpus and check the folds.

    Returns:
        The identity of the runs, without what the study varies.

    Raises:
        InputError: for a missing corpus, a missing fold, folds of which one validates what another tests, or initial
            weights trained on a validation or test speaker.
    """
    several = any(name == "data" or name.startswith("data.corpus") for name in plan.space.dimensions)
    for corner in corners if several else corners[:1]:
        corner.read_corpus()
    data = corners[0].data
    last = data.rules.num_folds(data.utterances)
    if outside := [fold for fold in plan.folds if not 1 <= fold <= last]:
        raise InputError(f"study {plan.study}: there is no fold {outside[0]}; protocol {data.protocol} has 1 to {last}")
    check_apart(plan, data)
    beginnings = {corner.init_weights: corner for corner in corners if corner.init_weights}
    for path in sorted(beginnings):
        corner = beginnings[path]
        corner.read_corpus()
        try:
            check_beginning(corner, {fold: corner.data.rules.sets(corner.data.utterances, fold) for fold in plan.folds})
        except InputError as error:
            raise InputError(f"study {plan.study}, {error}") from error
    config = {key: value for key, value in corners[0].options.plain().items() if key not in WITHOUT}
    known = identity(config, data.corpus_digest, without=PER_FOLD)
    varied = {*plan.space.dimensions, *([LAMBDA] if plan.choose_lambda else [])}
    known["config"] = {
        name: value
        for name, value in known["config"].items()
        if name not in varied and not ("model" in varied and name.startswith("model"))
    }
    return known


def check_apart(plan: Plan, data: EmotionData) -> None:
    """Refuse (InputError) folds with leaks, and folds of which one validates utterances that another tests: the study
    would see them."""
    sets = {fold: data.rules.sets(data.utterances, fold) for fold in plan.folds}
    for fold, each in sets.items():
        try:
            check_leaks(data.utterances.assign(set=each), data.recordings, data.rules, data.allow_leaks)
        except InputError as error:
            raise InputError(f"study {plan.study}, fold {fold}: {error}") from error
    for one, validated in sets.items():
        for other, tested in sets.items():
            if ((validated == "val") & (tested == "test")).any():
                raise InputError(
                    f"study {plan.study}: fold {one} validates utterances that fold {other} tests, so the study would "
                    f"see test utterances. Leave out one of the two folds"
                )


def warnings_of(plan: Plan, data: EmotionData) -> list[str]:
    """The warnings about the study's folds (`ser.data.folds.fold_warnings`)."""
    table = data.utterances
    found = ((fold, table.assign(set=data.rules.sets(table, fold))) for fold in plan.folds)
    return fold_warnings((fold, [*set_warnings(each), *data.rules.remarks(each, fold)]) for fold, each in found)
