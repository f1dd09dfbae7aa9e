"""A study as defined in its YAML file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from pydantic import ConfigDict, Field, StrictBool, TypeAdapter

from ser.bounds import check
from ser.errors import InputError
from ser.paths import expand_home
from ser.results.identity import flatten
from ser.sweep.study.space import Space, read_space, refusals
from ser.training.options.arguments import parse_numbers
from ser.training.options.configuration import read_yaml
from ser.training.options.names import CONF, find_file

LAMBDA = "model.lambda_"
MOST_TRIALS = 100_000
OWNED = {  # options that a study neither varies nor sets, and why
    **dict.fromkeys(("data.fold", "data.seed", "seed_everything", "out"), "set by the study itself (folds, seeds)"),
    **dict.fromkeys(("data.protocol", "epochs_averaged"), "not allowed in a study: it changes what is measured"),
    **dict.fromkeys(("wandb.group", "wandb.name", "wandb.tags"), "set by the study itself, to name its runs"),
    **dict.fromkeys(("help", "config", "print_config"), "not allowed in a study"),
}


@dataclass(frozen=True)
class Plan:
    """What a study varies and how its trials are compared; `read_plan` checks types and bounds.

    Attributes:
        study: name of the study and of its folder.
        options: options of every run that the study does not vary.
        command: "crossval" trains the folds of every trial; "lambda" weights saved posteriors.
        objective: pooled over the validation utterances of the folds.
        folds: of every trial, of one direction only; each fold is a step of the pruner.
        sampler: "exhaustive" tries every combination once.
        trials: number of trials; None for an exhaustive study, which has one per combination.
        choose_lambda: choose lambda on the validation posteriors inside each trial.
        tries: attempts at a trial, if its worker dies or its training fails.
        heartbeat_seconds: interval of a worker's heartbeats; after three missing ones it counts as dead.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    study: str
    space: Space
    config: list[str] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    command: Literal["crossval", "lambda"] = "crossval"
    objective: Literal["val/wa", "val/ua"] = "val/wa"
    folds: tuple[int, ...] = (1, 2, 3, 4, 5)
    seeds: tuple[int, ...] = (1,)
    sampler: Literal["tpe", "random", "exhaustive"] = "tpe"
    sampler_seed: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)] = 1
    pruner: Literal["none", "wilcoxon", "median"] = "none"
    pruner_options: dict[str, object] = field(default_factory=dict)
    trials: Annotated[int, Field(strict=True, ge=1, le=MOST_TRIALS)] | None = None
    choose_lambda: StrictBool = False
    tries: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3
    heartbeat_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400)] = 20

    @property
    def metric(self) -> str:
        """ "wa" or "ua"."""
        return self.objective.removeprefix("val/")

    def make_sampler(self, worker: int, begun: int = 0) -> BaseSampler:
        """The sampler of a worker, seeded by its number and the number of trials begun so far.

        Workers, restarted ones included, have different seeds; otherwise they would propose the same trials.
        """
        if self.sampler != "tpe":
            return RandomSampler(seed=self.sampler_seed)
        seed = int(np.random.SeedSequence((self.sampler_seed, worker, begun)).generate_state(1)[0])
        return TPESampler(seed=seed, multivariate=True, constant_liar=True)

    def make_pruner(self) -> BasePruner:
        """The study's Optuna pruner."""
        classes = {"none": NopPruner, "wilcoxon": WilcoxonPruner, "median": MedianPruner}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # of WilcoxonPruner
                return classes[self.pruner](**self.pruner_options)
        except (TypeError, ValueError) as error:
            raise InputError(f"study {self.study}: pruner_options: {error}") from error

    @cached_property
    def points(self) -> list[dict[str, object]]:
        """The parameters of every planned trial; empty under TPE, which chooses them when a trial begins."""
        if self.sampler == "exhaustive":
            return self.space.points()
        if self.sampler == "random":
            drawn = optuna.create_study(sampler=RandomSampler(seed=self.sampler_seed))
            return [self.space.suggest(drawn.ask()) for _ in range(self.trials)]
        return [{} for _ in range(self.trials)]

    def with_trials(self, trials: int | None) -> Plan:
        """The plan with another number of trials, unless that is None; an InputError for an exhaustive study."""
        if trials is None:
            return self
        if self.sampler == "exhaustive":
            raise InputError(f"--trials: study {self.study} is exhaustive and has {len(self.points)}")
        check("--trials", trials, Annotated[int, Field(ge=1, le=MOST_TRIALS)])
        return replace(self, trials=trials)

    def described(self) -> dict[str, object]:
        """The settings that must be equal to continue the study: all but the number of trials."""
        same = ("command", "objective", "sampler", "sampler_seed", "pruner", "pruner_options", "choose_lambda")
        return {
            **{name: getattr(self, name) for name in same},
            **{name: list(getattr(self, name)) for name in ("folds", "seeds")},
            "heartbeat_seconds": self.heartbeat_seconds,  # a launcher with a shorter one would fail others' trials
            "order of the space": list(self.space.dimensions),  # it decides the numbers of the trials
            **{f"space: {name}": text for name, text in self.space.described().items()},
        }


def read_plan(path: str | Path) -> Plan:
    """Read and check a study's file.

    Raises:
        InputError: with the file, the key and what is wrong.
    """
    path = Path(path)
    written = {key: value for key, value in read_yaml(path).items() if value is not None}
    if "space" in written:
        written["space"] = read_space(written["space"], str(path))
    for name in ("folds", "seeds"):
        if name in written:
            written[name] = tuple(parse_numbers(f"{path}: {name}", written[name]))
    if isinstance(written.get("config"), str):
        written["config"] = [written["config"]]
    with refusals(str(path), known=[field.name for field in fields(Plan)]):
        plan = TypeAdapter(Plan).validate_python(written)
    files = [find_file(f"{path}: config", each, CONF, path.parent) for each in expand_home(plan.config)]
    plan = replace(plan, config=[str(path.parent / each) for each in files])
    check_plan(plan, str(path))
    return plan


def check_plan(plan: Plan, where: str) -> None:
    """Refuse (InputError) settings that contradict each other, which types and bounds do not show."""
    if plan.study in ("", ".", "..") or "/" in plan.study:
        raise InputError(f"{where}: study is {plan.study!r}, but must be a valid folder name")
    if plan.sampler == "exhaustive":
        if plan.trials is not None:
            raise InputError(f"{where}: trials: an exhaustive study has one for every combination")
        plan.space.points()
    elif plan.trials is None:
        raise InputError(f"{where}: trials is missing: set the number of trials")
    plan.make_pruner()
    if plan.command == "lambda":
        if list(plan.space.dimensions) != [LAMBDA]:
            raise InputError(f"{where}: a study of saved posteriors varies only {LAMBDA}")
        return
    if not plan.config:
        raise InputError(f"{where}: config is missing: name the configuration files of the runs")
    varied, fixed = (
        [name.replace(".init_args.", ".") for name in flatten(options)]  # "model.init_args.x" is "model.x"
        for options in (plan.space.dimensions, plan.options)
    )
    if LAMBDA in varied:
        raise InputError(f"{where}: {LAMBDA} needs no training; use choose_lambda: true, or command: lambda")
    for name in [*fixed, *varied]:
        if name in OWNED:
            raise InputError(f"{where}: {name} is {OWNED[name]}")
