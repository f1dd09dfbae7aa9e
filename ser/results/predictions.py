"""The predictions table, from which all scores of a run are computed."""

import numpy as np
import pandas as pd

from ser.emotions import EMOTIONS
from ser.errors import InputError


def posterior_columns(branch: str = "") -> list[str]:
    """Column names of the system's posterior or of a branch's ("capsule_p_neutral")."""
    return [f"{branch}_p_{emotion}" if branch else f"p_{emotion}" for emotion in EMOTIONS]


def predictions_table(utterances: pd.DataFrame, fold: int, posteriors: dict[str, np.ndarray]) -> pd.DataFrame:
    """One row per evaluated utterance.

    Args:
        utterances: rows of the corpus's table.
        posteriors: (utterances, emotions) of the system (key "") and of each branch, in the rows' order.
    """
    table = utterances[["utterance", "speaker", "session"]].copy()
    table["fold"] = fold
    table["emotion"] = utterances.emotion
    table["predicted"] = [EMOTIONS[i] for i in posteriors[""].argmax(axis=1)]
    for branch, values in posteriors.items():
        table[posterior_columns(branch)] = values
    return table.reset_index(drop=True)


def check_rows(predictions: pd.DataFrame) -> None:
    """Refuse a table in which an utterance occurs twice (for a seed, if there are seeds) or an emotion is unknown.

    Raises:
        InputError: with the first one.
    """
    keys = ["utterance", "seed"] if "seed" in predictions else ["utterance"]
    if (twice := predictions.duplicated(keys)).any():
        row = predictions[twice].iloc[0]
        seed = f" for seed {row.seed}" if "seed" in predictions else ""
        raise InputError(f"utterance {row.utterance} occurs twice{seed}")
    if unknown := (set(predictions.emotion) | set(predictions.predicted)) - set(EMOTIONS):
        raise InputError(f"unknown emotion {min(unknown, key=str)!r} in the predictions")


def confusion(predictions: pd.DataFrame) -> np.ndarray:
    """Confusion matrix, counts (emotions, emotions), rows actual, columns predicted; seeds are summed.

    Raises:
        InputError: if `check_rows` refuses the table.
    """
    check_rows(predictions)
    actual, predicted = (pd.Index(EMOTIONS).get_indexer(predictions[name]) for name in ("emotion", "predicted"))
    size = len(EMOTIONS)
    return np.bincount(size * actual + predicted, minlength=size**2).reshape(size, size)


def accuracies(total: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """WA, and UA over the emotions that occur, from counts (..., emotions)."""
    occurs = total > 0
    recalls = np.divide(correct, total, out=np.zeros(np.broadcast_shapes(total.shape, correct.shape)), where=occurs)
    return correct.sum(-1) / total.sum(-1), recalls.sum(-1) / occurs.sum(-1)


def scores(predictions: pd.DataFrame) -> dict:
    """WA, UA (over the `ua_classes` emotions that occur), recalls and the confusion matrix, as plain numbers."""
    return score_matrix(confusion(predictions))


def score_matrix(matrix: np.ndarray) -> dict:
    """The same for a confusion matrix, (emotions, emotions), rows actual."""
    total, correct = matrix.sum(1), matrix.diagonal()
    wa, ua = accuracies(total, correct)
    shares = zip(EMOTIONS, correct, total, strict=True)
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
    matrix = pd.DataFrame(result["confusion"], index=EMOTIONS, columns=EMOTIONS)
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
    return "" if occurring == len(EMOTIONS) else f" ({occurring} of {len(EMOTIONS)} emotions)"


def emotions_note(result: dict) -> str:
    """The same as a sentence: "UA is the mean over 3 of 4 emotions."; "" if every emotion occurs."""
    few = of_emotions(result).strip(" ()")
    return f"UA is the mean over {few}." if few else ""
