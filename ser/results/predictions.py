"""The predictions table, from which all scores of a run are computed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser.errors import InputError

PREFIX = "p_"  # of the columns of the system's posterior


def posterior_columns(emotions: Sequence[str], branch: str = "") -> list[str]:
    """Column names of the system's posterior or of a branch's ("capsule_p_neutral")."""
    return [f"{branch}_{PREFIX}{emotion}" if branch else f"{PREFIX}{emotion}" for emotion in emotions]


def emotions_of(predictions: pd.DataFrame) -> tuple[str, ...]:
    """The emotions of a predictions table, in the order of its posterior.

    Raises:
        InputError: if the table has no posterior.

    Example:
        >>> emotions_of(pd.DataFrame(columns=["utterance", "p_neutral", "p_bored", "gru_p_neutral", "gru_p_bored"]))
        ('neutral', 'bored')
    """
    found = tuple(name.removeprefix(PREFIX) for name in predictions.columns if name.startswith(PREFIX))
    if not found:
        raise InputError(f"a predictions table needs the posterior, columns {PREFIX}<emotion>")
    return found


def predictions_table(
    utterances: pd.DataFrame, fold: int, emotions: Sequence[str], posteriors: dict[str, np.ndarray]
) -> pd.DataFrame:
    """One row per evaluated utterance.

    Args:
        utterances: rows of the corpus's table.
        emotions: in the order of the posteriors.
        posteriors: (utterances, emotions) of the system (key "") and of each branch, in the rows' order.
    """
    table = utterances[["utterance", "speaker", "session"]].copy()
    table["fold"] = fold
    table["emotion"] = utterances.emotion
    table["predicted"] = [emotions[i] for i in posteriors[""].argmax(axis=1)]
    for branch, values in posteriors.items():
        table[posterior_columns(emotions, branch)] = values
    return table.reset_index(drop=True)


def check_rows(predictions: pd.DataFrame) -> None:
    """Refuse a table in which an utterance occurs twice (in a fold of a seed, if it has them) or an emotion is unknown.

    Several folds can validate one utterance; that none is tested twice is checked where folds are pooled.

    Raises:
        InputError: with the first one.
    """
    keys = [name for name in ("utterance", "seed", "fold") if name in predictions]
    if (twice := predictions.duplicated(keys)).any():
        row = predictions[twice].iloc[0]
        seed = f" for seed {row.seed}" if "seed" in predictions else ""
        raise InputError(f"utterance {row.utterance} occurs twice{seed}")
    if unknown := (set(predictions.emotion) | set(predictions.predicted)) - set(emotions_of(predictions)):
        raise InputError(f"unknown emotion {min(unknown, key=str)!r} in the predictions")


def confusion(predictions: pd.DataFrame) -> np.ndarray:
    """Confusion matrix, counts (emotions, emotions), rows actual, columns predicted; seeds are summed.

    Raises:
        InputError: if `check_rows` refuses the table.
    """
    check_rows(predictions)
    emotions = pd.Index(emotions_of(predictions))
    actual, predicted = (emotions.get_indexer(predictions[name]) for name in ("emotion", "predicted"))
    size = len(emotions)
    return np.bincount(size * actual + predicted, minlength=size**2).reshape(size, size)


def accuracies(total: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """WA, and UA over the emotions that occur, from counts (..., emotions)."""
    occurs = total > 0
    recalls = np.divide(correct, total, out=np.zeros(np.broadcast_shapes(total.shape, correct.shape)), where=occurs)
    return correct.sum(-1) / total.sum(-1), recalls.sum(-1) / occurs.sum(-1)


def scores(predictions: pd.DataFrame) -> dict:
    """WA, UA (over the `ua_classes` emotions that occur), recalls and the confusion matrix, as plain numbers."""
    return score_matrix(confusion(predictions), emotions_of(predictions))


def score_matrix(matrix: np.ndarray, emotions: Sequence[str]) -> dict:
    """The same for a confusion matrix, (emotions, emotions), rows actual; the order is that of the key `recall`."""
    total, correct = matrix.sum(1), matrix.diagonal()
    wa, ua = accuracies(total, correct)
    shares = zip(emotions, correct, total, strict=True)
    return {
        "wa": float(wa),
        "ua": float(ua),
        "ua_classes": int((total > 0).sum()),
        "recall": {name: float(hits / number) if number else None for name, hits, number in shares},
        "confusion": matrix.tolist(),
        "utterances": int(matrix.sum()),
    }


def describe(result: dict) -> str:
    """Scores as text: WA, UA and the matrix with recalls, rows actual, columns predicted."""
    matrix = pd.DataFrame(result["confusion"], index=[*result["recall"]], columns=[*result["recall"]])
    matrix["recall %"] = ["-" if share is None else f"{100 * share:.1f}" for share in result["recall"].values()]
    title = f"WA {100 * result['wa']:.2f} %   UA {100 * result['ua']:.2f} %{of_emotions(result)}"
    title += f"   ({result['utterances']} utterances)"
    return f"{title}\n\nactual \\ predicted\n{matrix.to_string()}"


def in_short(result: dict) -> str:
    """WA and UA as one line: "WA 70.0 %  UA 66.7 % (3 of 4 emotions)"."""
    return f"WA {100 * result['wa']:.1f} %  UA {100 * result['ua']:.1f} %{of_emotions(result)}"


def of_emotions(result: dict) -> str:
    """The number of emotions that UA is the mean over, if not all: " (3 of 4 emotions)"."""
    occurring = sum(share is not None for share in result["recall"].values())
    return "" if occurring == (number := len(result["recall"])) else f" ({occurring} of {number} emotions)"


def emotions_note(result: dict) -> str:
    """The same as a sentence: "UA is the mean over 3 of 4 emotions."; "" if every emotion occurs."""
    few = of_emotions(result).strip(" ()")
    return f"UA is the mean over {few}." if few else ""
