"""Groups of speakers with similar numbers of utterances of each emotion."""

import warnings
from functools import lru_cache

import pandas as pd

from ser.errors import InputError


def balanced_groups(utterances: pd.DataFrame, number: int) -> list[list[str]]:
    """Divide the speakers of a table into groups by scikit-learn's `StratifiedGroupKFold`, without a random choice.

    Args:
        number: of groups, at least 2 and at most the number of speakers.

    Returns:
        The sorted speakers of each group; no group is empty.

    Raises:
        InputError: if no emotion has as many utterances as there are groups.
    """
    return _groups(tuple(utterances.speaker), tuple(utterances.emotion), number)


@lru_cache(maxsize=8)
def _groups(speakers: tuple[str, ...], emotions: tuple[str, ...], number: int) -> list[list[str]]:
    from sklearn.model_selection import StratifiedGroupKFold  # imported here, since it takes half a second

    found = pd.Series(speakers)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an emotion with fewer utterances than groups
            folds = list(StratifiedGroupKFold(number).split(found, emotions, groups=speakers))
    except ValueError as error:
        raise InputError(f"{number} groups of speakers are too many: no emotion has {number} utterances") from error
    return [sorted(found.iloc[rows].unique()) for _, rows in folds]
