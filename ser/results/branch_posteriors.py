"""The saved posteriors of a system's two branches, and what those of validation can tell about lambda."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.results.predictions import posterior_columns

BRANCHES = ("capsule", "gru")
ALIKE = 1e-6  # posteriors of one network, whatever it was batched with


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
    columns = [name for branch in BRANCHES for name in posterior_columns(branch)]
    tables = []
    for rows in (validation, test):
        values = pd.DataFrame(np.hstack(branch_posteriors(rows)), columns=columns)
        tables.append(values.assign(utterance=rows.utterance.to_numpy(), seed=rows.seed.to_numpy()))
    both = tables[0].merge(tables[1], on=["seed", "utterance"], suffixes=("", " tested"))
    tested = both[[f"{name} tested" for name in columns]].to_numpy()
    return int(np.isclose(both[columns].to_numpy(), tested, rtol=0, atol=ALIKE).all(1).sum())
