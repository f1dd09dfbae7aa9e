"""The base of all protocols, and of those that test groups of speakers in turn."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import ClassVar

import pandas as pd

from ser.errors import InputError


class Protocol(ABC):
    """A way to divide a corpus into training, validation and test sets, one of each for every fold."""

    name: ClassVar[str]
    about: ClassVar[str]  # for the help of `ser protocol`
    option: ClassVar[str | None] = None  # the option of `data` that belongs to this protocol only
    shared_speakers: ClassVar[tuple[tuple[str, str], ...]] = ()  # pairs of sets that may share speakers
    needed: ClassVar[tuple[str, ...]] = ("train", "val", "test")  # sets that must have utterances
    may_leak: ClassVar[bool] = False  # whether --allow_leaks applies
    test_halves: str | None = None
    known: Callable[[], Collection[str]] = staticmethod(tuple)  # all utterances of the corpus, also of other labels

    @abstractmethod
    def num_folds(self, utterances: pd.DataFrame) -> int:
        """Number of folds; folds count from 1.

        Raises:
            InputError: if the corpus cannot be divided by this protocol.
        """

    @abstractmethod
    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        """The set of every utterance, "" if it is left out; the fold exists."""

    def sets(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        """Assign every utterance to training, validation or test.

        Args:
            utterances: a corpus's table.
            fold: 1 to the number of folds.

        Returns:
            "train", "val" or "test" for every row of the table; "" for an utterance that the protocol leaves out.

        Raises:
            InputError: for a corpus that cannot be divided, a fold out of range, an empty set, or an emotion of the
                corpus that is not in training.
        """
        folds = self.num_folds(utterances)
        if not 1 <= fold <= folds:
            raise InputError(f"fold is {fold}, but protocol {self.name} has folds 1 to {folds} on this corpus")
        sets = self._divide(utterances, fold).rename("set")
        place = f"fold {self.fold_name(fold) or fold} of protocol {self.name}"
        if missing := set(self.needed) - set(sets):
            raise InputError(f"{place} has no utterance for: {', '.join(sorted(missing))}")
        lacking = set(utterances.emotion) - set(utterances.emotion[sets == "train"])
        if missing := lacking if "train" in self.needed else set():
            raise InputError(
                f"{place} has no training utterance of {', '.join(sorted(missing))}; leave it out of data.emotions, "
                "or choose another protocol"
            )
        return sets

    def fold_name(self, fold: int) -> str | None:
        """The name of a fold, if it has another one than its number."""
        return None

    def remarks(self, utterances: pd.DataFrame, fold: int) -> list[str]:
        """What a reader of the fold's result has to know about its sets."""
        return []


class CyclicProtocol(Protocol):
    """Groups of speakers: one is tested, the next validates (after the last one the first), the others train."""

    unit: ClassVar[str]  # what a group is, in the plural

    @abstractmethod
    def groups(self, utterances: pd.DataFrame) -> list[list[str]]:
        """The speakers of each group; a speaker is in one group."""

    def num_folds(self, utterances: pd.DataFrame) -> int:
        if (number := len(self.groups(utterances))) < 3:
            raise InputError(
                f"protocol {self.name} needs at least 3 {self.unit}, to test, to validate and to train, but this "
                f"corpus has {number}"
            )
        return number

    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        groups = self.groups(utterances)
        tested = utterances.speaker.isin(groups[fold - 1])
        return held_out_sets(utterances, tested | utterances.speaker.isin(groups[fold % len(groups)]), tested)


def held_out_sets(utterances: pd.DataFrame, held_out: pd.Series, tested: pd.Series) -> pd.Series:
    return pd.Series("train", index=utterances.index).mask(held_out, "val").mask(tested, "test")


class WholeCorpus(Protocol):
    """Every utterance is tested, for a system that was trained on another corpus."""

    name = "whole"
    about = "every utterance tested"
    needed = ("test",)

    def num_folds(self, utterances: pd.DataFrame) -> int:
        return 1

    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        return pd.Series("test", index=utterances.index)
