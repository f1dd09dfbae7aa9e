"""What is recorded of a run in W&B: curves, scores, tables, figures, alerts."""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
from lightning.pytorch.loggers import Logger

from ser.files import without_folders
from ser.results.predictions import emotions_of
from ser.training.tracking.wandb_run import WandbRun

MADE_BY = ("commit", "code_digest", "corpus_digest", "device", "versions")  # entries of a result, if it has them


def record_epochs(loggers: Iterable[Logger], rows: Iterable[Mapping[str, float]]) -> None:
    """Add rows of `metrics.csv` to the curves, without those that W&B's server has from before an interruption."""

    def write(run) -> None:
        for row in rows:
            named = {"train/rate" if name == "rate" else name: value for name, value in row.items() if name != "step"}
            log(run, {name: value for name, value in named.items() if not math.isnan(value)}, int(row["step"]), True)

    record(loggers, "the epochs", write)


def record_steps(loggers: Iterable[Logger], values: Mapping[str, float], step: int) -> None:
    """Add a point within an epoch to the curves."""
    record(loggers, f"the metrics of step {step}", lambda run: log(run, values, step))


def log(run, values: Mapping[str, float], step: int, commit: bool | None = None) -> None:
    """Log a row of W&B's history at an optimiser step, unless the run has rows of later steps already.

    Args:
        commit: send it at once; otherwise values of the same step can be added to it.
    """
    if step >= run.step:
        run.log(dict(values), step=step, commit=commit)


def alert(loggers: Iterable[Logger], title: str, text: str) -> None:
    """Send an alert through W&B, which mails it to the user or posts it as set up there."""
    record(loggers, "the alert", lambda run: run.alert(title=title, text=without_folders(text), level="ERROR"))


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

        for name in ("val/wa", "val/ua", "best so far"):
            run.define_metric(name, step_metric="trial", summary="max")
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
