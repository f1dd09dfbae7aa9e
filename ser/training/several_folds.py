"""Checks of all folds of a cross-validation before the first training."""

import sys
from collections.abc import Mapping
from copy import copy

import numpy as np
import pandas as pd

from ser.data.datamodule import EmotionData
from ser.data.leaks import check_leaks
from ser.errors import InputError
from ser.training.experiment import Experiment

Sets = Mapping[int, pd.Series]  # the set of every utterance, by fold


def check_tested_once(data: EmotionData, sets: Sets) -> None:
    """Refuse folds that test an utterance twice, since the pooled result counts every utterance once.

    Raises:
        InputError: with the folds and the utterance.
    """
    first: dict[int, int] = {}
    for fold, each in sets.items():
        for row in np.flatnonzero(each == "test"):
            if (before := first.setdefault(int(row), fold)) != fold:
                twice = data.utterances.utterance.iloc[row]
                raise InputError(
                    f"folds {before} and {fold} both test utterance {twice}, but a pooled result counts every "
                    "utterance once; choose --folds, or use ser fit for each fold"
                )


def find_leaks(data: EmotionData, sets: Sets) -> tuple[dict[str, list[str]], dict[int, list[str]]]:
    """What validation and test share in any fold, and the leaks of each fold that are allowed.

    Raises:
        InputError: for leaks that are not allowed.
    """
    between, leaks = {}, {}
    for fold, each in sets.items():
        table = data.utterances.assign(set=each)
        overlaps, found = check_leaks(table, data.recordings, data.rules, data.allow_leaks)
        for what, names in overlaps[("val", "test")].items():
            between.setdefault(what, set()).update(names)
        if found:
            leaks[fold] = found
    return {what: sorted(names) for what, names in between.items()}, leaks


def check_beginning(experiment: Experiment, sets: Sets) -> None:
    """Check the initial weights for every fold, and print warnings.

    Raises:
        InputError: if they were trained or validated on a speaker that a fold validates or tests.
    """
    warnings = set()
    for fold, each in sets.items() if experiment.beginning else ():
        data = copy(experiment.data)
        data.fold, data.utterances = fold, data.utterances.assign(set=each)
        try:
            experiment.check_beginning(data)
        except InputError as error:
            raise InputError(f"fold {fold}: {error}") from error
        warnings.update(experiment.doubts(data))
    for line in sorted(warnings):
        print(f"ser: warning: {line}", file=sys.stderr)
