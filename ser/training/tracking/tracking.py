"""Weights & Biases: options of the tracking, and the recorded data."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
from lightning.pytorch.loggers import Logger

from ser.files import without_folders
from ser.results.predictions import emotions_of
from ser.training.tracking.wandb_run import WandbRun, check_key

BEGUN: list[WandbRun] = []  # W&B runs of this process, not finished yet
OF_ONE_RUN = tuple(f"WANDB_{name}" for name in ("RUN_ID", "RESUME_FROM", "FORK_FROM", "SWEEP_ID", "SWEEP_PARAM_PATH"))
MADE_BY = ("commit", "code_digest", "corpus_digest", "device", "versions")  # entries of a result, if it has them


class Tracking:
    """Tracking of a run with W&B.

    Args:
        mode: "offline" writes into the run's folder and needs no account or network; "online" uploads during training
            (`wandb login` first); "disabled" records nothing.
        project: name of the project.
        entity: user or team; by default the account's.
        group: name of a group of runs, for example the folds of one system.
        name: name of the run; by default that of its folder.
        tags: tags besides those for system, corpus, protocol and fold.
    """

    def __init__(
        self,
        mode: Literal["offline", "online", "disabled"] = "offline",
        project: str = "ser",
        entity: str | None = None,
        group: str | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
    ) -> None:
        self.mode, self.project, self.entity, self.group = mode, project, entity, group
        self.name, self.tags = name, tags or []

    def loggers(self, folder: Path, tags: list[str]) -> list[WandbRun]:
        """A logger that writes into the run's folder, or none if tracking is disabled.

        Raises:
            InputError: in mode "online" without an API key.
        """
        if self.mode == "disabled":
            return []
        os.environ["WANDB_MODE"] = self.mode  # or the variable would override the option
        os.environ["WANDB_ERROR_REPORTING"] = "false"  # W&B's reports to its own servers delay the exit
        os.environ["WANDB_RELOGIN"] = "false"  # or W&B would prompt and wait
        if self.mode == "online":
            check_key()
        if self.mode == "offline":
            os.environ.setdefault("WANDB_SILENT", "true")  # `tracked` prints the useful part
        run = WandbRun(
            folder,
            mode=self.mode,
            name=self.name or folder.name,
            project=self.project,
            entity=self.entity,
            group=self.group,
            tags=[*(tag[:64] for tag in tags), *self.tags],  # W&B's limit
        )
        BEGUN.append(run)
        return [run]


def forget_run() -> None:
    """Remove variables that name one W&B run from the environment, for a command that creates several; print them."""
    if found := [name for name in OF_ONE_RUN if os.environ.pop(name, None)]:
        print(f"W&B: {', '.join(found)} ignored: this command creates several W&B runs", file=sys.stderr)


def record_scores(loggers: list[Logger], scores: dict[str, float]) -> None:
    """Add the scores of a checkpoint, "test/wa" for example, to the summary of the W&B run, not to its curves."""
    record(loggers, "the scores", lambda run: run.summary.update(scores))


def record_result(loggers: list[Logger], tables: dict[str, pd.DataFrame], result: dict) -> None:
    """Add the confusion matrix, the predictions and the scores of each table ("test", "val") to the W&B run."""

    def write(run) -> None:
        import wandb

        run.summary.update({f"result/{name}": result[name] for name in ("wa", "ua") if name in result})
        run.config.update({name: result[name] for name in MADE_BY if name in result}, allow_val_change=True)
        for name, table in tables.items():
            names = list(emotions_of(table))
            actual, predicted = (table[column].map(names.index).tolist() for column in ("emotion", "predicted"))
            matrix = wandb.plot.confusion_matrix(y_true=actual, preds=predicted, class_names=names)
            run.log({f"{name}/confusion": matrix, f"{name}/predictions": wandb.Table(dataframe=table)})

    record(loggers, "the result", write)


def record_folds(loggers: list[Logger], result: dict) -> None:
    """Add a cross-validation's table of folds, its intervals and its figure to its summary run."""

    def write(run) -> None:
        import wandb

        for name, limits in result["intervals"].items():
            if limits:
                run.summary.update({f"result/{name}/low": limits[0], f"result/{name}/high": limits[1]})
        columns = ["seed", "fold", "epoch", "wa", "ua", "utterances"]
        rows = [[fold[name] for name in columns] for fold in result["runs"]]
        table = wandb.Table(columns=columns, data=rows)
        run.log({"folds": table, "test/wa by fold": wandb.plot.bar(table, "fold", "wa", title="WA by fold")})

    record(loggers, "the table of folds", write)


def record_study(
    loggers: list[Logger],
    trials: pd.DataFrame,
    metric: str,
    best: int,
    importances: dict[str, float],
    pictures: dict[str, Path],
) -> None:
    """Add a study to its summary run: trials, history, importances, figures.

    Args:
        trials: one row per planned trial, with `trial`, `state`, `wa` and `ua`.
        metric: what the study maximises, "wa" or "ua".
        best: number of the best trial.
        importances: share of each option; empty if they cannot be computed.
        pictures: PNG files by name.
    """

    def write(run) -> None:
        import wandb

        row = trials.set_index("trial").loc[best]
        run.summary.update({"best/trial": best, "best/wa": float(row.wa), "best/ua": float(row.ua)})
        so_far = trials[metric].astype(float).cummax()
        for place in trials.index[trials.state == "complete"]:
            row = trials.loc[place]
            values = {"val/wa": row.wa, "val/ua": row.ua, "best so far": so_far[place]}
            run.log({"trial": int(row.trial), **{name: float(value) for name, value in values.items()}})
        # W&B's tables need one type per column, and a study has columns with empty cells.
        text = trials.astype(object).where(trials.notna(), None)
        rows = without_folders(text.to_numpy().tolist())
        logged = {"trials": wandb.Table(columns=list(text), data=rows, allow_mixed_types=True)}
        if importances:
            shares = wandb.Table(columns=["option", "importance"], data=[list(item) for item in importances.items()])
            logged["importances"] = wandb.plot.bar(shares, "option", "importance", title="Importance of each option")
        logged |= {f"figures/{name}": wandb.Image(str(path)) for name, path in pictures.items()}
        run.log(logged)

    record(loggers, "the study", write)


def record(loggers: list[Logger], what: str, write: Callable) -> None:
    """Write into the W&B run among the loggers, if there is one."""
    for logger in loggers:
        if isinstance(logger, WandbRun):
            logger.record(what, write)


def tracked(loggers: list[Logger]) -> list[str]:
    """Lines of text on where to view the W&B run."""
    lines = []
    for logger in loggers:
        place = logger.place if isinstance(logger, WandbRun) else None
        if isinstance(place, Path):
            lines.append(f"W&B, offline: view it with    wandb leet {place}")
            lines.append(f"              upload it with  wandb sync {place}")
        elif place:
            lines.append(f"W&B: {place}")
    return lines


def finish() -> None:
    """Finish the W&B runs of this process, or a later run would continue one; print what is missing in them."""
    while BEGUN:
        run = BEGUN.pop()
        run.close()
        if run.lost:
            print(f"W&B: {run.lost}\n     the files of the run in {run.folder} are not affected", file=sys.stderr)
