"""The paper's emotions, the default of `data.emotions`; its order is the order of every posterior, table and matrix."""

from collections.abc import Mapping

PAPER_EMOTIONS = ["neutral", "angry", "happy", "sad"]  # the order of Table 2
IGNORED = -100  # label of a filler row in a batch; ignored by losses and scores


def by_label(numbers: Mapping[str, int]) -> str:
    """Numbers of utterances by label, as text.

    Example:
        >>> by_label({"bored": 81, "disgust": 46})
        '81 bored, 46 disgust'
    """
    return ", ".join(f"{number} {label}" for label, number in numbers.items())
