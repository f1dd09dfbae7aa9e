"""Warnings about the sets of folds."""

from collections.abc import Iterable

import pandas as pd

from ser.data.labels import in_order

LEAST_VALIDATION = 10  # utterances


def set_warnings(utterances: pd.DataFrame) -> list[str]:
    """Warnings about a fold: validation is small or lacks a class, or a tested class is not in training.

    The table needs a column `set`, "" for unused utterances; empty sets are not checked.

    Example:
        >>> set_warnings(pd.DataFrame({"set": ["train", "test", "test"], "emotion": ["sad", "sad", "angry"]}))
        ['training has no utterance of angry, which is tested']
    """
    classes = {name: set(part.emotion) for name, part in utterances[utterances.set != ""].groupby("set")}
    train, val, test = (classes.get(name, set()) for name in ("train", "val", "test"))
    number, lines = int((utterances.set == "val").sum()), []
    if 0 < number < LEAST_VALIDATION:
        noun = "utterance" if number == 1 else "utterances"
        lines.append(f"validation, which chooses the epoch, has only {number} {noun}")
    if val and (missing := _listed((train | test) - val)):
        lines.append(f"validation has no utterance of {missing}")
    if train and (missing := _listed(test - train)):
        lines.append(f"training has no utterance of {missing}, which is tested")
    return lines


def _listed(emotions: set[str]) -> str:
    return ", ".join(in_order(emotions))


def fold_warnings(folds: Iterable[tuple[int | str, list[str]]]) -> list[str]:
    """The warnings of several folds (name, lines); each line once, with the names of its folds.

    Example:
        >>> fold_warnings([(1, ["small"]), (2, []), ("b", ["small"])])
        ['folds 1, b: small']
    """
    found: dict[str, list[str]] = {}
    for name, lines in folds:
        for line in lines:
            found.setdefault(line, []).append(str(name))
    return [f"fold{'s' if len(names) > 1 else ''} {', '.join(names)}: {line}" for line, names in found.items()]
