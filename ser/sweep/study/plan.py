"""A study as its YAML file describes it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from ser.errors import InputError, check_bounds
from ser.paths import expand_home
from ser.results.identity import flatten
from ser.sweep.study.space import Space, read_space
from ser.training.options.arguments import parse_numbers
from ser.training.options.configuration import read_yaml

CHOICES = {
    "command": ("crossval", "lambda"),
    "sampler": ("tpe", "random", "exhaustive"),
    "pruner": ("none", "wilcoxon", "median"),
    "objective": ("val/wa", "val/ua"),
}
LAMBDA = "model.lambda_"
TYPES = {
    "study": (str, "a name"),
    "options": (dict, "options with their values"),
    "pruner_options": (dict, "options with their values"),
    "choose_lambda": (bool, "true or false"),
    **dict.fromkeys(("trials", "tries", "sampler_seed", "heartbeat_seconds"), (int, "a whole number")),
}
MOST_TRIALS = 100_000
OWNED = {  # options that a study neither varies nor sets, and why
    **dict.fromkeys(
        ("data.fold", "data.seed", "seed_everything", "out", "data.protocol", "epochs_averaged"),
        "the study's own affair (folds, seeds) or would change what is measured",
    ),
    **dict.fromkeys(
        ("wandb.group", "wandb.name", "wandb.tags"), "the study's own affair: study and trial name its runs"
    ),
    **dict.fromkeys(("help", "config", "print_config"), "no option that a run could have in a study"),
}


@dataclass(frozen=True)
class Plan:
    """What a study varies and how its trials are judged.

    Attributes:
        study: its name.
        config: configuration files of the runs, as `--config` takes them.
        options: options of every run that the study does not vary.
        space: what it varies.
        command: "crossval" trains the folds of every trial; "lambda" weighs saved posteriors.
        objective: "val/wa" or "val/ua", pooled over the folds' validation utterances.
        folds: of every trial, one direction only.
        seeds: of every trial.
        sampler: "tpe", "random" or "exhaustive" (every combination once).
        sampler_seed: where its draws start.
        pruner: "none", "wilcoxon" or "median"; folds are its steps.
        pruner_options: those of Optuna's class.
        trials: how many; an exhaustive study has as many as combinations.
        choose_lambda: choose lambda on the validation posteriors inside each trial.
        tries: how often a trial is begun whose worker dies or whose training fails.
        heartbeat_seconds: between two signs of life of a worker; after three missing ones it counts as dead.
    """

    study: str
    space: Space
    config: list[str]
    options: dict[str, object]
    command: str = "crossval"
    objective: str = "val/wa"
    folds: tuple[int, ...] = (1, 2, 3, 4, 5)
    seeds: tuple[int, ...] = (1,)
    sampler: str = "tpe"
    sampler_seed: int = 1
    pruner: str = "none"
    pruner_options: dict[str, object] | None = None
    trials: int | None = None
    choose_lambda: bool = False
    tries: int = 3
    heartbeat_seconds: int = 20

    @property
    def metric(self) -> str:
        """ "wa" or "ua"."""
        return self.objective.removeprefix("val/")

    def make_sampler(self, worker: int, begun: int = 0) -> BaseSampler:
        """The sampler of one worker; workers that draw the same numbers would propose the same trials.

        Args:
            worker: its number.
            begun: trials begun so far; a worker that is started again must not draw what its predecessor drew.
        """
        if self.sampler != "tpe":
            return RandomSampler(seed=self.sampler_seed)
        seed = int(np.random.SeedSequence((self.sampler_seed, worker, begun)).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(seed=seed, multivariate=True, constant_liar=True)

    def make_pruner(self) -> BasePruner:
        """Optuna's pruner of that name."""
        classes = {"none": NopPruner, "wilcoxon": WilcoxonPruner, "median": MedianPruner}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return classes[self.pruner](**(self.pruner_options or {}))
        except (TypeError, ValueError) as error:
            raise InputError(f"study {self.study}: pruner_options: {error}") from error

    @cached_property
    def points(self) -> list[dict[str, object]]:
        """The parameters of every planned trial: all where they are known in advance, else nothing yet."""
        if self.sampler == "exhaustive":
            return list(self.space.points())
        if self.sampler == "random":
            drawn = optuna.create_study(sampler=RandomSampler(seed=self.sampler_seed))
            return [self.space.suggest(drawn.ask()) for _ in range(self.trials)]
        return [{} for _ in range(self.trials)]

    def with_trials(self, trials: int | None) -> Plan:
        """The plan with another number of trials, where one is given.

        Raises:
            InputError: if the number is the study's own affair, or none.
        """
        if trials is None:
            return self
        if self.sampler == "exhaustive":
            raise InputError(f"--trials: study {self.study} is exhaustive and has {len(self.points)}")
        check_bounds("--trials", trials, at_least=1, at_most=MOST_TRIALS)
        return replace(self, trials=trials)

    def described(self) -> dict[str, object]:
        """What makes this study another one than a study of the same name: everything but the number of trials."""
        return {
            "command": self.command,
            "objective": self.objective,
            "folds": list(self.folds),
            "seeds": list(self.seeds),
            "sampler": self.sampler,
            "sampler_seed": self.sampler_seed,
            "pruner": self.pruner,
            "pruner_options": self.pruner_options or {},
            "choose_lambda": self.choose_lambda,
            "heartbeat_seconds": self.heartbeat_seconds,  # who waits less takes the others' workers for dead
            "order of the space": list(self.space.dimensions),  # the same points in another order are other trials
            **{f"space: {name}": text for name, text in self.space.described().items()},
        }


def read_plan(path: str | Path) -> Plan:
    """Read and check a study's file.

    Raises:
        InputError: naming the file and what is wrong in it.
    """
    path = Path(path)
    written = read_yaml(path)
    known = [field.name for field in fields(Plan)]
    if unknown := [key for key in written if key not in known]:
        raise InputError(f"{path}: unknown key {unknown[0]!r} (known: {', '.join(known)})")
    written = {key: value for key, value in written.items() if value is not None}
    if missing := [key for key in ("study", "space") if key not in written]:
        raise InputError(f"{path}: {missing[0]} is missing")
    check_types(written, str(path))
    config = written.get("config", [])
    settings = {
        **written,
        "space": read_space(written["space"], str(path)),
        "config": [str(path.parent / each) for each in expand_home([config] if isinstance(config, str) else config)],
        "options": written.get("options", {}),
    }
    for name in ("folds", "seeds"):
        if name in written:
            settings[name] = tuple(parse_numbers(f"{path}: {name}", written[name]))
    plan = Plan(**settings)
    check_plan(plan, str(path))
    return plan


def check_types(written: dict[str, object], where: str) -> None:
    """Refuse values of another type than their key's.

    Raises:
        InputError: naming the file and the key.
    """
    for name, (kind, words) in TYPES.items():
        value = written.get(name)
        if name in written and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise InputError(f"{where}: {name} is {value!r}, but must be {words}")
    config = written.get("config", [])
    if not all(isinstance(each, str) for each in (config if isinstance(config, list) else [config])):
        raise InputError(f"{where}: config is {config!r}, but must be a configuration file or a list of them")


def check_plan(plan: Plan, where: str) -> None:
    """Refuse what no study could mean.

    Raises:
        InputError: naming the file, the key and the remedy.
    """
    for name, allowed in CHOICES.items():
        if (found := getattr(plan, name)) not in allowed:
            why = "; a study is judged by validation utterances alone" if name == "objective" else ""
            raise InputError(f"{where}: {name} is {found!r}, but must be one of {', '.join(allowed)}{why}")
    if plan.study in ("", ".", "..") or "/" in plan.study:
        raise InputError(f"{where}: study is {plan.study!r}, but must be a name for a folder")
    check_bounds(f"{where}: tries", plan.tries, at_least=1, at_most=1000)
    check_bounds(f"{where}: heartbeat_seconds", plan.heartbeat_seconds, at_least=1, at_most=86_400)
    check_bounds(f"{where}: sampler_seed", plan.sampler_seed, at_least=0, at_most=2**32 - 1)
    if plan.sampler == "exhaustive":
        if plan.trials is not None:
            raise InputError(f"{where}: trials: an exhaustive study has one for every combination")
        list(plan.space.points())
    elif plan.trials is None:
        raise InputError(f"{where}: trials is missing: how many does the study have?")
    else:
        check_bounds(f"{where}: trials", plan.trials, at_least=1, at_most=MOST_TRIALS)
    plan.make_pruner()
    if plan.command == "lambda":
        if list(plan.space.dimensions) != [LAMBDA]:
            raise InputError(f"{where}: a study of saved posteriors varies {LAMBDA} and nothing else")
        return
    if not plan.config:
        raise InputError(f"{where}: config is missing: which runs does the study vary?")
    if LAMBDA in short_names(plan.space.dimensions):
        raise InputError(f"{where}: {LAMBDA} needs no training; use choose_lambda: true, or command: lambda")
    for name in [*short_names(plan.options), *short_names(plan.space.dimensions)]:
        if name in OWNED:
            raise InputError(f"{where}: {name} is {OWNED[name]}")


def short_names(options: dict[str, object]) -> list[str]:
    """Options by the names that mean the same as theirs, nested ones too: "model.init_args.x" is "model.x"."""
    return [name.replace(".init_args.", ".") for name in flatten(options)]
