"""The curve over lambda and the choice of lambda, from the posteriors saved by a cross-validation; no network is run.

The posterior of a two-branch system is lambda * capsule + (1 - lambda) * GRU. Training does not depend on lambda, so
the predictions table gives the whole curve. Lambda is chosen on validation rows only: `choose` gets no others.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from ser.bounds import check
from ser.errors import InputError
from ser.results.predictions import emotions_of, posterior_columns
from ser.results.speaker_counts import DRAWS, draw_scores, percentile_limits, tally

BRANCHES = ("capsule", "gru")
ALIKE = 1e-6  # tolerance for posteriors of one network in different batches
LAMBDAS = np.arange(101) / 100
PAPER_LAMBDA = 0.6  # section 4.2
LIMITS = ["wa_low", "wa_high", "ua_low", "ua_high"]
CURVE_COLUMNS = ["set", "lambda_", "wa", "ua", *LIMITS]


def branch_posteriors(predictions: pd.DataFrame) -> list[np.ndarray]:
    """Posteriors of the capsule branch and of the GRU branch, (rows, emotions) each.

    Raises:
        InputError: if one is missing or not a number.
    """
    found = []
    for branch in BRANCHES:
        columns = posterior_columns(emotions_of(predictions), branch)
        if missing := [name for name in columns if name not in predictions]:
            raise InputError(
                f"lambda needs two branches, {' and '.join(BRANCHES)}, but there is no column {missing[0]}"
            )
        values = predictions[columns].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        if not (finite := np.isfinite(values).all(1)).all():
            utterance = predictions.utterance.to_numpy()[~finite][0]
            raise InputError(f"the posterior of branch {branch} is not a number, first for utterance {utterance}")
        found.append(values)
    return found


def curve(
    predictions: pd.DataFrame, draws: int = DRAWS, seed: int = 1, lambdas: Sequence[float] = LAMBDAS
) -> pd.DataFrame:
    """WA and UA of all rows at every lambda, with 95 % intervals by a bootstrap of whole speakers.

    Every lambda is scored on the same drawn speakers, those of `bootstrap_speakers` with this seed.

    Args:
        predictions: a predictions table with the posteriors of both branches.
        draws: samples of the bootstrap; with 0 there are no intervals.

    Returns:
        A row for each lambda: `lambda_, wa, ua, wa_low, wa_high, ua_low, ua_high`, shares; limits are NaN
        for a single speaker, those of UA also if too many draws lack an emotion.

    Raises:
        InputError: if a branch's posterior is missing, or `tally` refuses the table.
    """
    actual = pd.Index(emotions_of(predictions)).get_indexer(predictions.emotion)
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

    The best by the metric; ties go to the best by the other metric, then to the nearest to the paper's 0.6, then to
    the smallest.

    Args:
        validation: predictions of validation utterances only, with the posteriors of both branches.
        metric: "wa" or "ua".

    Returns:
        `seed, fold, lambda_`, and `wa, ua` on the validation rows.

    Raises:
        InputError: if a branch's posterior is missing, or `tally` refuses the table.
    """
    folds = validation.groupby(["seed", "fold"])
    return pd.DataFrame([{"seed": seed, "fold": fold, **best_of(rows, metric)} for (seed, fold), rows in folds])


def best_of(validation: pd.DataFrame, metric: str = "wa") -> dict[str, float]:
    """The best lambda on all given validation rows together, by the rule of `choose`: `lambda_`, `wa`, `ua`."""
    other = {"wa": "ua", "ua": "wa"}[metric]
    found = curve(validation, draws=0).round({"wa": 12, "ua": 12})  # ignore the order of sums
    found["apart"] = (found.lambda_ - PAPER_LAMBDA).abs().round(12)
    best = found.sort_values([metric, other, "apart", "lambda_"], ascending=[False, False, True, True]).iloc[0]
    return {name: float(best[name]) for name in ("lambda_", "wa", "ua")}


def apply(predictions: pd.DataFrame, lambdas: pd.DataFrame | float) -> pd.DataFrame:
    """The predictions table for another lambda: posteriors and predicted emotions are computed again.

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
        check("lambda", float(weight), Annotated[float, Field(ge=0, le=1)])
    posterior = weights[:, None] * capsule + (1 - weights[:, None]) * gru
    emotions = emotions_of(predictions)
    answered = np.array(emotions)[posterior.argmax(1)]
    return predictions.assign(predicted=answered, **dict(zip(posterior_columns(emotions), posterior.T, strict=True)))


def validation_notes(validation: pd.DataFrame, test: pd.DataFrame, chosen_with: float | None) -> list[str]:
    """Sentences on why lambda must not be chosen on the pooled validation curve.

    Args:
        validation: predictions of all validation utterances, with the posteriors of both branches.
        test: the same for all test utterances.
        chosen_with: lambda in the validation WA by which the epochs were chosen; None if no epoch was chosen.

    Raises:
        InputError: if a branch's posterior is missing.
    """
    notes = []
    if count := _answered_alike(validation, test):
        which = "All" if count == len(validation) else f"{count} of {len(validation)}"
        notes.append(
            f"{which} validation rows are test rows of another fold with the same posteriors, because both directions "
            "of a session come from the same training and epoch. The validation curve of all folds together therefore "
            "contains test predictions: do not choose lambda on it, but for each fold on its own validation rows."
        )
    if chosen_with is not None:
        notes.append(
            f"The epochs were chosen by validation WA with lambda {chosen_with:g}. The validation curve is therefore "
            f"too high at {chosen_with:g}, and no estimate for new speakers there."
        )
    return notes


def _answered_alike(validation: pd.DataFrame, test: pd.DataFrame) -> int:
    """Number of validation rows that are also test rows of the same seed with the same posteriors of both branches."""
    rows = [table[["seed", "utterance"]].assign(place=np.arange(len(table))) for table in (validation, test)]
    both = rows[0].merge(rows[1], on=["seed", "utterance"])
    here, there = np.hstack(branch_posteriors(validation)), np.hstack(branch_posteriors(test))
    alike = np.isclose(here[both.place_x], there[both.place_y], rtol=0, atol=ALIKE)
    return int(alike.all(1).sum())
