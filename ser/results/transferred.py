"""The result of a system on another corpus: posteriors over the emotions that both corpora have."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser.emotions import by_label
from ser.errors import InputError
from ser.results.names import protocol_of
from ser.results.pooled import describe_intervals, recorded_intervals, spread_of_runs
from ser.results.predictions import PREFIX, describe, emotions_of, in_short, posterior_columns, scores
from ser.results.speaker_counts import counted
from ser.results.test_sets import describe_test_set

KIND = "transfer"
EACH = "predictions_each.csv"  # of every fold and seed; `predictions.csv` has the mean posterior
LEFT_OUT = "left_out"  # column: the share of the posterior that other emotions have
LEFT_SHARE = "probability_left_out"  # the mean of that column


def restrict(predictions: pd.DataFrame, emotions: Sequence[str]) -> pd.DataFrame:
    """A predictions table over some of its emotions, each posterior divided by their sum.

    Args:
        predictions: its utterances have these emotions only.
        emotions: in the order of the new posterior.

    Returns:
        The table with the posteriors of these emotions, the answers that they give, and the share `left_out` of the
        system's posterior that the other emotions had.

    Raises:
        InputError: if all these emotions have probability 0 for an utterance.

    Example:
        >>> table = pd.DataFrame({"utterance": ["u"], "p_sad": [0.2], "p_calm": [0.5], "p_angry": [0.3]})
        >>> restrict(table, ["sad", "angry"])[["p_sad", "p_angry", "predicted", "left_out"]].round(9).values.tolist()
        [[0.4, 0.6, 'angry', 0.5]]
    """
    others = [emotion for emotion in emotions_of(predictions) if emotion not in emotions]
    branches = [
        name.removesuffix(f"_{PREFIX}{emotions[0]}") for name in predictions if name.endswith(f"_{PREFIX}{emotions[0]}")
    ]
    found = predictions.copy()
    for branch in ("", *branches):
        columns = posterior_columns(emotions, branch)
        values = predictions[columns].to_numpy(float)
        total = values.sum(1, keepdims=True)
        if not (total > 0).all():
            utterance = predictions.utterance.to_numpy()[(total <= 0)[:, 0]][0]
            raise InputError(f"utterance {utterance}: {', '.join(emotions)} all have probability 0")
        # In the new order, at the end of the table.
        found = found.drop(columns=[*columns, *posterior_columns(others, branch)])
        found[columns] = values / total
        if not branch:
            found[LEFT_OUT] = predictions[posterior_columns(others)].sum(axis=1)
            found["predicted"] = np.array(emotions)[values.argmax(1)]
    return found


def summarise_transfer(mean: pd.DataFrame, each: pd.DataFrame, emotions_of_system: Sequence[str]) -> dict:
    """Everything in `result.json` that is computed from the two tables.

    Args:
        mean: of the mean posterior, from `restrict`.
        each: of every fold and seed, from `restrict`.
        emotions_of_system: all emotions that it answers with.
    """
    found = scores(mean)
    per_run = {key: (scores(table), table[LEFT_OUT].mean()) for key, table in each.groupby(["seed", "fold"])}
    shared = emotions_of(mean)
    return {
        "emotions": list(shared),
        "emotions_left_out": [emotion for emotion in emotions_of_system if emotion not in shared],
        LEFT_SHARE: float(mean[LEFT_OUT].mean()),
        **found,
        **recorded_intervals(mean),
        "over_folds": spread_of_runs([each for each, _ in per_run.values()], found["ua_classes"]),
        "runs": [
            {
                "seed": int(seed),
                "fold": int(fold),
                **{name: one[name] for name in ("wa", "ua")},
                LEFT_SHARE: float(left),
            }
            for (seed, fold), (one, left) in per_run.items()
        ],
        "test_set": describe_test_set(mean),
    }


def describe_transfer(about: dict) -> str:
    """The result as text."""
    source = about["trained_on"]
    trained = f"protocol {protocol_of(source)}, {counted(len(source['folds']), 'fold')}"
    trained += f", {counted(len(source['seeds']), 'seed')}"
    lines = [f"{about['system']} trained on {source['corpus']} ({trained}), tested on {about['corpus']}"]
    lines.append(f"  emotions    {', '.join(about['emotions'])}")
    if about["emotions_left_out"]:
        share = f"{100 * about[LEFT_SHARE]:.1f} % of the probability on average"
        lines.append(f"              without {', '.join(about['emotions_left_out'])}, which had {share}")
    if about["left_out"]:
        lines.append(f"  left out    utterances of other labels: {by_label(about['left_out'])}")
    lines += [f"  leak        in training: {line}" for line in source["leaks"]]
    lines += [f"  warning     {line}" for line in about["warnings"]]
    what = "Mean posterior" if len(about["runs"]) > 1 else "Test"
    lines += ["", f"{what}: {describe(about)}", "", *describe_intervals(about)]
    if len(about["runs"]) > 1:
        lines.append("Each training alone:")
        lines += [f"  seed {run['seed']}, fold {run['fold']:2d}: {in_short({**about, **run})}" for run in about["runs"]]
    return "\n".join(lines)
