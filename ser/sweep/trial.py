"""One trial of a study: its folds, trained and validated, and their pooled score."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.jobs import Job, last_lines, only_one, run_jobs
from ser.lambda_curve import apply, best_of
from ser.pooled import TABLES, pool, pooled_scores, read_about, read_table
from ser.sweep.plan import Plan


class TrialError(RuntimeError):
    """A fold of a trial failed; its cause is the end of its log."""


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    Attributes:
        value: the objective, pooled over the folds' validation utterances.
        wa: pooled validation WA.
        ua: pooled validation UA.
        epochs: best epoch of each fold.
        lambda_: where it was chosen inside the trial.
    """

    value: float
    wa: float
    ua: float
    epochs: list[int]
    lambda_: float | None = None


class Trial:
    """The folds of one point of the search space, in a folder of their own.

    Args:
        plan: the study.
        folder: of the study; equal points share a folder below it, so nothing is trained twice.
        parameters: the point.
        number: the trial's row in the storage, for W&B.
    """

    def __init__(self, plan: Plan, folder: Path, parameters: dict[str, object], number: int) -> None:
        self.plan, self.parameters, self.number = plan, parameters, number
        name = blake2b(json.dumps(parameters, sort_keys=True).encode(), digest_size=6).hexdigest()
        self.folder = folder / "trials" / name

    def run(self) -> Iterator[float]:
        """Train and validate fold after fold; the objective of each.

        Raises:
            TrialError: if a fold fails.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with only_one(self.folder, wait_seconds=None) as lock:
            (self.folder / "parameters.json").write_text(json.dumps(self.parameters, indent=2) + "\n")
            for name, seed, fold in self._runs():
                if not (self.folder / name / "result.json").is_file():  # one that was begun goes on
                    self._train(name, seed, fold, lock)
                yield read_about(self.folder / name)["validation"][self.plan.metric]

    def _runs(self) -> list[tuple[str, int, int]]:
        return [(f"seed{seed}-fold{fold:02d}", seed, fold) for seed in self.plan.seeds for fold in self.plan.folds]

    def _train(self, name: str, seed: int, fold: int, lock: int) -> None:
        target = self.folder / name
        arguments = [
            "validated",
            *run_options(self.plan, self.parameters),
            *("--seed_everything", str(seed), "--data.fold", str(fold), "--trainer.devices", "1"),
            *("--wandb.group", f"{self.plan.study}-{self.folder.name}", "--wandb.name", f"trial{self.number}-{name}"),
            *("--wandb.tags", json.dumps([f"study:{self.plan.study}", f"trial:{self.number}"])),
            *("--out", str(target)),
        ]
        codes = []
        job = Job(f"trial {self.number}, fold {fold}", [name], arguments, self.folder / f"{name}.log")
        run_jobs([job], [{}], lock, lambda job, code, seconds: codes.append(code))
        if codes[0]:
            raise TrialError(f"fold {fold}, exit code {codes[0]}, {job.log}:\n{last_lines(job.log)}")

    def outcome(self) -> Outcome:
        """The pooled score of all folds."""
        runs = self._runs()
        abouts = [read_about(self.folder / name) for name, _, _ in runs]
        validation = self.validation()
        lambda_ = None
        if self.plan.choose_lambda:
            lambda_ = best_of(validation, self.plan.metric)["lambda_"]
            validation = apply(validation, lambda_)
        scores = pooled_scores(validation)
        epochs = [about["epoch"] for about in abouts]
        return Outcome(scores[self.plan.metric], scores["wa"], scores["ua"], epochs, lambda_)

    def validation(self) -> pd.DataFrame:
        """Predictions of the validation utterances of all folds."""
        tables = {(seed, fold): self.folder / name / TABLES["val"] for name, seed, fold in self._runs()}
        return pool({key: read_table(path) for key, path in tables.items()})


def run_options(plan: Plan, parameters: dict[str, object]) -> list[str]:
    """A run's options on the command line: configuration files, the study's own, then the point's."""
    words = [word for path in plan.config for word in ("--config", path)]
    options = {**plan.options, **parameters}
    for name, value in sorted(options.items(), key=lambda item: item[0] != "model"):  # a class before its options
        words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return words


def check_devices_free(environment: dict[str, str] = os.environ) -> None:
    """Refuse a trial inside a distributed launch: every rank would run a study of its own.

    Raises:
        InputError: if this process is one of several ranks.
    """
    if int(environment.get("WORLD_SIZE", 1)) > 1:
        raise InputError("a trial is one process on one device; start ser sweep once, not by torchrun")
