"""The emotions of a run, and the labels of a corpus that count as each."""

from collections.abc import Iterable, Mapping, Sequence

from ser.bounds import Emotions, check
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError, nearest


class Labels:
    """Which labels of a corpus are used, and under which emotion.

    Args:
        emotions: their order is the order of every posterior, table and matrix.
        merge: labels that count as another emotion, such as {"excited": "happy"}.

    Raises:
        InputError: for fewer than two emotions, a name that cannot be used, or a merge that is circular, goes through
            another label, moves one of the emotions, or leads to something else than an emotion.

    Example:
        >>> labels = Labels(["neutral", "happy"], {"excited": "happy"})
        >>> [labels.emotion_of(label) for label in ("happy", "excited", "sad")]
        ['happy', 'happy', None]
    """

    def __init__(self, emotions: Sequence[str] = PAPER_EMOTIONS, merge: Mapping[str, str] | None = None) -> None:
        check("data.emotions", list(emotions), Emotions)
        self.emotions, self.merge = tuple(emotions), dict(merge or {})
        for label, emotion in self.merge.items():
            said = f"data.merge counts {label!r} as {emotion!r}"
            if not isinstance(label, str):  # YAML reads 1 as a number and no as False
                raise InputError(f"{said}, but labels are text; put the label in quotes")
            if self._leads_back(label):
                raise InputError(f"{said}, and is circular: {' -> '.join(self._chain(label))}")
            if emotion in self.merge:
                raise InputError(f"{said}, which counts as {self.merge[emotion]!r} itself; name the emotion at the end")
            if label in self.emotions:
                raise InputError(f"{said}, but {label!r} is in data.emotions; remove one of them")
            if emotion not in self.emotions:
                raise InputError(f"{said}, which is not in data.emotions ({', '.join(self.emotions)})")

    def _chain(self, label: str) -> list[str]:
        chain = [label]
        while chain[-1] in self.merge and chain[-1] not in chain[:-1]:
            chain.append(self.merge[chain[-1]])
        return chain

    def _leads_back(self, label: str) -> bool:
        return label in self._chain(label)[1:]

    def emotion_of(self, label: str) -> str | None:
        """The emotion that a label counts as; None if it is left out."""
        emotion = self.merge.get(label, label)
        return emotion if emotion in self.emotions else None

    def unknown(self, found: Iterable[str]) -> list[str]:
        """A line for every emotion and merged label that no utterance of a corpus has.

        Args:
            found: the labels of its utterances.
        """
        found = sorted(set(found))
        known = f"its labels: {', '.join(found)}"
        lines = [
            f"data.emotions: no utterance is labelled {emotion!r}{nearest(emotion, found)} ({known})"
            for emotion in self.emotions
            if not any(self.emotion_of(label) == emotion for label in found)
        ]
        return lines + [
            f"data.merge: no utterance is labelled {label!r}{nearest(label, found)} ({known})"
            for label in self.merge
            if label not in found
        ]


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels for a table: the paper's emotions in its order, then the others by name."""
    found = set(labels)
    return [emotion for emotion in PAPER_EMOTIONS if emotion in found] + sorted(found - set(PAPER_EMOTIONS))
