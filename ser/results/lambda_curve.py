"""Lambda without training: `ser lambda`, from the posteriors that a cross-validation has saved; no network is run.

A system of two branches answers lambda * capsule + (1 - lambda) * GRU. Lambda touches no gradient, so the whole curve
is in its predictions table. It is chosen on validation rows: `choose` is given nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser.emotions import EMOTIONS
from ser.errors import InputError, check_bounds
from ser.results.branch_posteriors import branch_posteriors
from ser.results.predictions import posterior_columns
from ser.results.speaker_counts import DRAWS, draw_scores, percentile_limits, tally

LAMBDAS = np.arange(101) / 100
PAPER_LAMBDA = 0.6  # section 4.2
LIMITS = ["wa_low", "wa_high", "ua_low", "ua_high"]
CURVE_COLUMNS = ["set", "lambda_", "wa", "ua", *LIMITS]


def curve(
    predictions: pd.DataFrame, draws: int = DRAWS, seed: int = 1, lambdas: Sequence[float] = LAMBDAS
) -> pd.DataFrame:
    """WA and UA of all rows at every lambda, with 95 % intervals by a bootstrap of whole speakers.

    The same drawn speakers serve every lambda, and are those of `bootstrap_speakers` with this seed.

    Args:
        predictions: a predictions table with the posteriors of both branches.
        draws: samples of the bootstrap; with 0 there are no intervals.

    Returns:
        A row for each lambda: `lambda_, wa, ua, wa_low, wa_high, ua_low, ua_high`, shares; limits are NaN
        for a single speaker, and UA's as well where too many draws lack an emotion.

    Raises:
        InputError: if a branch's posterior is missing, or the table cannot be counted.
    """
    actual = pd.Index(EMOTIONS).get_indexer(predictions.emotion)
    capsule, gru = branch_posteriors(predictions)
    hits = np.stack([(each * capsule + (1 - each) * gru).argmax(1) == actual for each in lambdas])
    counts = tally(predictions, hits)
    wa, ua = counts.pooled()
    table = pd.DataFrame({"lambda_": lambdas, "wa": wa, "ua": ua})
    if draws == 0:
        return table
    limits = np.full((4, len(lambdas)), np.nan)
    if len(counts.speakers) > 1:
        (drawn,), _ = draw_scores([counts], draws, seed)
        limits = np.concatenate([percentile_limits(values) for values in drawn])
    return table.assign(**dict(zip(LIMITS, limits, strict=True)))


def choose(validation: pd.DataFrame, metric: str = "wa") -> pd.DataFrame:
    """Choose lambda for each seed and fold on its validation rows.

    The best by the metric; among equals the best by the other metric, then the one nearest to the paper's 0.6, then
    the smallest.

    Args:
        validation: predictions of validation utterances only, with the posteriors of both branches.
        metric: "wa" or "ua".

    Returns:
        `seed, fold, lambda_`, and `wa, ua` on the validation rows.

    Raises:
        InputError: if a branch's posterior is missing, or the table cannot be counted.
    """
    folds = validation.groupby(["seed", "fold"])
    return pd.DataFrame([{"seed": seed, "fold": fold, **best_of(rows, metric)} for (seed, fold), rows in folds])


def best_of(validation: pd.DataFrame, metric: str = "wa") -> dict[str, float]:
    """The one best lambda of all given validation rows, by the rule of `choose`: `lambda_`, `wa`, `ua`."""
    other = {"wa": "ua", "ua": "wa"}[metric]
    found = curve(validation, draws=0).round({"wa": 12, "ua": 12})  # sums in another order are equal all the same
    found["apart"] = (found.lambda_ - PAPER_LAMBDA).abs().round(12)
    best = found.sort_values([metric, other, "apart", "lambda_"], ascending=[False, False, True, True]).iloc[0]
    return {name: float(best[name]) for name in ("lambda_", "wa", "ua")}


def apply(predictions: pd.DataFrame, lambdas: pd.DataFrame | float) -> pd.DataFrame:
    """The table with what the system would have answered, and its posterior, with another lambda.

    Args:
        predictions: a predictions table with the posteriors of both branches.
        lambdas: one for all rows, or one for each seed and fold (`choose`).

    Raises:
        InputError: if a branch's posterior or the lambda of a fold is missing, or a lambda is not in [0, 1].
    """
    capsule, gru = branch_posteriors(predictions)
    if isinstance(lambdas, pd.DataFrame):
        keys = predictions[["seed", "fold"]]
        weights = keys.merge(lambdas, on=["seed", "fold"], how="left", validate="many_to_one").lambda_.to_numpy()
        if np.isnan(weights).any():
            row = keys[np.isnan(weights)].iloc[0]
            raise InputError(f"no lambda for seed {row.seed}, fold {row.fold}: it has no validation rows to choose on")
    else:
        weights = np.full(len(predictions), float(lambdas))
    for weight in np.unique(weights):
        check_bounds("lambda", float(weight), at_least=0, at_most=1)
    posterior = weights[:, None] * capsule + (1 - weights[:, None]) * gru
    answered = np.array(EMOTIONS)[posterior.argmax(1)]
    return predictions.assign(predicted=answered, **dict(zip(posterior_columns(), posterior.T, strict=True)))
