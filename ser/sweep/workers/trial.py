"""One trial of a study: training and validation of its folds, and their pooled score."""

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pandas as pd

from ser.files import write_text
from ser.processes.forked import Starter, StarterDied
from ser.processes.jobs import Job, last_lines, only_one, run_jobs
from ser.results.lambda_curve import apply, best_of
from ser.results.pooled import pool, pooled_scores
from ser.results.reading import TABLES, read_about, read_table
from ser.sweep.study.plan import Plan


class TrialError(RuntimeError):
    """A fold of a trial failed; the message ends with the last lines of its log."""


class Trial:
    """The folds of one point of the search space, in one folder.

    Args:
        folder: the study's folder; equal points share a folder below it, so nothing is trained twice.
        point: options and their values.
        number: number of the trial in the plan, for W&B.
        identity: digest of the study, so that runs of another study in the same folder are not used.
    """

    def __init__(self, plan: Plan, folder: Path, point: dict[str, object], number: int, identity: str = "") -> None:
        self.plan, self.point, self.number = plan, point, number
        words = json.dumps([identity, point], sort_keys=True)
        self.folder = folder / "trials" / blake2b(words.encode(), digest_size=6).hexdigest()
        self.runs = {
            (seed, fold): self.folder / f"seed{seed}-fold{fold:02d}" for seed in plan.seeds for fold in plan.folds
        }

    def run(self, starter: Starter) -> Iterator[float]:
        """Train and validate the folds in turn, yielding the objective of each.

        Raises:
            TrialError: if a fold fails.
            RuntimeError: if this worker can start no more trainings.
        """
        self.make_folder()
        with only_one(self.folder, wait_seconds=None) as lock:
            for key in self.runs:
                if not self.is_finished(*key):  # an unfinished run is continued
                    self._train(starter, self.job(*key), lock)
                yield self.value(*key)

    def make_folder(self) -> None:
        """Make the folder, with the point in `parameters.json`."""
        if not (path := self.folder / "parameters.json").exists():
            write_text(path, json.dumps(self.point, indent=2) + "\n")

    def is_finished(self, seed: int, fold: int) -> bool:
        """Whether a training has written its result."""
        return (self.runs[seed, fold] / "result.json").is_file()

    def value(self, seed: int, fold: int) -> float:
        """The objective of a finished training; if lambda is chosen inside the trial, at its best lambda so far, since
        the pruner must see that score."""
        run = self.runs[seed, fold]
        if self.plan.choose_lambda:
            rows = pool({(seed, fold): read_table(run / TABLES["val"])})
            return best_of(rows, self.plan.metric)[self.plan.metric]
        return read_about(run)["validation"][self.plan.metric]

    def job(self, seed: int, fold: int) -> Job:
        """The training of one fold, as a job that can be started again."""
        run, study = self.runs[seed, fold].absolute(), self.folder.parents[1]
        arguments = [
            "validated",
            *run_options(self.plan, self.point),
            *("--seed_everything", str(seed), "--data.fold", str(fold), "--trainer.devices", "1"),
            *("--wandb.group", f"{self.plan.study}-{self.folder.name}"),
            *("--wandb.name", f"trial{self.number}-{run.name}"),
            *("--wandb.tags", json.dumps([f"study:{self.plan.study}", f"trial:{self.number}"])),
            *("--out", str(run)),
        ]
        several = f"seed {seed}, " if len(self.plan.seeds) > 1 else ""
        names = [] if self.is_finished(seed, fold) else [str(self.runs[seed, fold].relative_to(study))]
        title = f"trial {self.number}, {several}fold {fold}"
        return Job(title, names, arguments, self.folder / f"{run.name}.log")

    def _train(self, starter: Starter, job: Job, lock: int) -> None:
        try:
            code = run_training(starter, job, lock)
        except StarterDied as error:  # ends this worker; the launcher starts another
            raise RuntimeError(str(error)) from error
        except OSError as error:
            raise TrialError(f"{job.title} could not be started: {error!r}") from error
        if code:
            raise TrialError(f"{job.title}, exit code {code}, {job.log}:\n{last_lines(job.log)}")

    def outcome(self) -> dict[str, object]:
        """The trial's scores and details, to be stored in its row.

        Returns:
            `wa` and `ua` pooled over the validation utterances, the best `epochs` of the folds, the `threads` of their
            processes, which affect rounding, and `lambda_` if it is chosen inside the trial.
        """
        abouts = [read_about(run) for run in self.runs.values()]
        validation, chosen = self.validation(), {}
        if self.plan.choose_lambda:
            lambda_ = best_of(validation, self.plan.metric)["lambda_"]
            validation, chosen = apply(validation, lambda_), {"lambda_": lambda_}
        scores = pooled_scores(validation)
        epochs, threads = ([about[name] for about in abouts] for name in ("epoch", "threads"))
        return {"wa": scores["wa"], "ua": scores["ua"], "epochs": epochs, "threads": threads, **chosen}

    def is_validated_here(self) -> bool:
        """Whether the tables for `validation` exist; false if the trial was trained on another machine."""
        return all((run / TABLES["val"]).is_file() for run in self.runs.values())

    def validation(self) -> pd.DataFrame:
        """Predictions of the validation utterances of all folds."""
        return pool({key: read_table(run / TABLES["val"]) for key, run in self.runs.items()})


def run_training(starter: Starter, job: Job, lock: int) -> int:
    """Run one training and return its exit code."""
    codes: list[int] = []
    run_jobs(starter, [job], [{}], lock, lambda job, code, seconds: codes.append(code))
    return codes[0]


def run_options(plan: Plan, point: dict[str, object]) -> list[str]:
    """A run's command-line options: configuration files, the study's options, then the point's."""
    words = [word for path in plan.config for word in ("--config", path)]
    options = {**plan.options, **point}
    for name, value in sorted(options.items(), key=lambda item: item[0] != "model"):  # a class before its options
        words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return words
