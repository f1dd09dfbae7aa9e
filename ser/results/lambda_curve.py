"""Lambda without training: `ser lambda`, from the posteriors that a cross-validation has saved; no network is run.

A system of two branches answers lambda * capsule + (1 - lambda) * GRU. Lambda touches no gradient, so the whole curve
is in its predictions table. It is chosen on validation rows: `choose` is given nothing else.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from ser.bounds import check
from ser.emotions import EMOTIONS
from ser.errors import InputError
from ser.results.predictions import posterior_columns
from ser.results.speaker_counts import DRAWS, draw_scores, percentile_limits, tally

BRANCHES = ("capsule", "gru")
ALIKE = 1e-6  # posteriors of one network in different batches
LAMBDAS = np.arange(101) / 100
PAPER_LAMBDA = 0.6  # section 4.2
LIMITS = ["wa_low", "wa_high", "ua_low", "ua_high"]
CURVE_COLUMNS = ["set", "lambda_", "wa", "ua", *LIMITS]


def branch_posteriors(predictions: pd.DataFrame) -> list[np.ndarray]:
    """Posteriors of the capsule branch and of the GRU branch, (rows, emotions) each.

    Raises:
        InputError: if one is missing, or is no number.
    """
    found = []
    for branch in BRANCHES:
        if missing := [name for name in posterior_columns(branch) if name not in predictions]:
            raise InputError(
                f"lambda weighs two branches, {' and '.join(BRANCHES)}, but there is no column {missing[0]}"
            )
        values = predictions[posterior_columns(branch)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        if not (finite := np.isfinite(values).all(1)).all():
            utterance = predictions.utterance.to_numpy()[~finite][0]
            raise InputError(f"the posterior of branch {branch} is no number, first for utterance {utterance}")
        found.append(values)
    return found


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
        check("lambda", float(weight), Annotated[float, Field(ge=0, le=1)])
    posterior = weights[:, None] * capsule + (1 - weights[:, None]) * gru
    answered = np.array(EMOTIONS)[posterior.argmax(1)]
    return predictions.assign(predicted=answered, **dict(zip(posterior_columns(), posterior.T, strict=True)))


def validation_notes(validation: pd.DataFrame, test: pd.DataFrame, chosen_with: float | None) -> list[str]:
    """What keeps the pooled validation curve from being a fair choice, in sentences.

    Args:
        validation: predictions of all validation utterances, with the posteriors of both branches.
        test: the same of all test utterances.
        chosen_with: the lambda of the validation WA that chose the epochs; None where no epoch was chosen.

    Raises:
        InputError: if a branch's posterior is missing.
    """
    notes = []
    if count := _answered_alike(validation, test):
        which = "All" if count == len(validation) else f"{count} of {len(validation)}"
        notes.append(
            f"{which} validation rows are test rows of another fold with the same posteriors, as both directions of a "
            "session come from the same training and epochs: the validation curve of all folds together is made of "
            "test answers, and a lambda read off it is no fair choice. Only the choice of each fold on its own "
            "validation rows is."
        )
    if chosen_with is not None:
        notes.append(
            f"The epochs were chosen by validation WA with lambda {chosen_with:g}: that favours the validation curve "
            f"at {chosen_with:g}, and its height there is no estimate for new speakers."
        )
    return notes


def _answered_alike(validation: pd.DataFrame, test: pd.DataFrame) -> int:
    """How many validation rows are test rows of their seed too, with the same posteriors of both branches."""
    rows = [table[["seed", "utterance"]].assign(place=np.arange(len(table))) for table in (validation, test)]
    both = rows[0].merge(rows[1], on=["seed", "utterance"])
    here, there = np.hstack(branch_posteriors(validation)), np.hstack(branch_posteriors(test))
    alike = np.isclose(here[both.place_x], there[both.place_y], rtol=0, atol=ALIKE)
    return int(alike.all(1).sum())
