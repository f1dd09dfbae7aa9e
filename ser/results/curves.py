"""Learning curves of a run, from the `metrics.csv` of any version."""

import pandas as pd

CURVES = {"train/loss": "train_loss", "val/wa": "val_wa"}


def epoch_curves(metrics: pd.DataFrame, epochs: int) -> pd.DataFrame:
    """Training loss and validation WA, one row per epoch.

    Files of older versions have two half-empty rows per epoch and count epochs from 0. The oldest end with a row for
    the evaluation of the chosen epoch, numbered as an epoch that was not trained. It is dropped by that number, not by
    its empty loss, since the loss of a trained epoch can be NaN.
    """
    metrics = metrics[["epoch", *CURVES]].astype(float)
    lines = {name: metrics.dropna(subset=[column]).groupby("epoch")[column].last() for column, name in CURVES.items()}
    curves = pd.DataFrame(lines).reset_index()
    curves["epoch"] = curves["epoch"].astype(int) + (metrics.epoch.min() == 0)
    return curves[curves.epoch <= epochs]
