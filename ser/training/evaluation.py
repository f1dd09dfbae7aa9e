"""Evaluation of a checkpoint on the validation and test sets of a fold."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from lightning import Trainer
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import load_weights
from ser.data.datamodule import EmotionData
from ser.results.predictions import emotions_of, posterior_columns
from ser.systems.system import System
from ser.training.callbacks.predictions import Predictions
from ser.training.tracking.records import record_scores


def evaluate(trainer: Trainer, system: System, data: EmotionData, sets: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Predictions of a system. The scores go into the summary of the W&B run, not into its curves over epochs.

    Args:
        trainer: has a `Predictions` callback.
        sets: "val", "test" or both.
    """
    tables, scores = predict(trainer, system, data, sets)
    record_scores(trainer.loggers, scores)
    return tables


def predict(trainer: Trainer, system: System, data: EmotionData, sets: Iterable[str]) -> tuple[dict, dict[str, float]]:
    """Predictions and scores of a system, without logging."""
    predictions = next(each for each in trainer.callbacks if isinstance(each, Predictions))
    scores: dict[str, float] = {}
    loggers, trainer.loggers = trainer.loggers, [DummyLogger()]  # Lightning warns if there is none
    try:
        for name in sets:
            run = trainer.test if name == "test" else trainer.validate
            # Nothing is loaded here, but without `weights_only` Lightning warns.
            scores |= run(system, datamodule=data, verbose=False, weights_only=True)[0]
    finally:
        trainer.loggers = loggers
    return {name: predictions.tables[name] for name in sets}, scores


def evaluate_mean(
    trainer: Trainer, system: System, data: EmotionData, paths: list[Path], sets: Iterable[str]
) -> dict[str, pd.DataFrame]:
    """Predictions from the mean posterior of several checkpoints of one training; no scores are logged.

    The checkpoints are the last epochs, so no validation score selects them.
    """
    each = []
    for path in paths:
        load_weights(system, path)
        each.append(predict(trainer, system, data, sets)[0])
    return {name: mean_predictions([tables[name] for tables in each]) for name in sets}


def mean_predictions(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The predictions table with the mean posteriors of several tables of the same utterances."""
    mean = tables[0].copy()
    columns = [name for name in mean.columns if name.startswith("p_") or "_p_" in name]
    mean[columns] = sum(table[columns].astype("float64") for table in tables) / len(tables)
    emotions = emotions_of(mean)
    mean["predicted"] = [emotions[place] for place in mean[posterior_columns(emotions)].to_numpy().argmax(axis=1)]
    return mean
