"""The protocol whose sets a user's file gives."""

from functools import cached_property
from pathlib import Path

import pandas as pd

from ser.data.groups import balanced_groups
from ser.data.protocols.protocol import Protocol
from ser.data.splits import SplitFile, read_split
from ser.errors import InputError

VALIDATION_PART = 5  # of the training speakers, if a split has no validation rows: one group of five


class SplitProtocol(Protocol):
    """The sets that a file gives. Its folds are numbered from 1 in the order of `SplitFile.folds`.

    In a fold without validation rows a balanced group of training speakers validates.

    Args:
        splits: the file, as `ser.data.splits.read_split` reads it.
    """

    name = "split"
    about = (
        "the sets in the file data.splits; in a fold without validation rows, a group of training speakers validates"
    )
    option = "splits"
    may_leak = True

    def __init__(self, splits: str) -> None:
        self._path = Path(splits).expanduser().absolute()
        self._read: tuple[tuple[str, ...], list[pd.Series]] | None = None

    @cached_property
    def file(self) -> SplitFile:
        return read_split(self._path)

    def _given(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        """The set of every utterance as in the file, which is read once for all folds."""
        names = tuple(utterances.utterance)
        if self._read is None or self._read[0] != names:
            known = self.known() if {line[2] for line in self.file.lines}.difference(names) else ()
            self._read = names, list(self.file.sets(utterances, known).values())
        return self._read[1][fold - 1].set_axis(utterances.index)

    def num_folds(self, utterances: pd.DataFrame) -> int:
        return len(self.file.folds)

    def fold_name(self, fold: int) -> str | None:
        name = self.file.folds[fold - 1]
        return None if name == fold else str(name)

    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        sets = self._given(utterances, fold)
        training = utterances[sets == "train"]
        if (sets == "val").any() or training.empty:
            return sets
        if (speakers := training.speaker.nunique()) < 2:
            raise InputError(
                f"{self._path}: fold {self.fold_name(fold) or fold} has no validation rows, and no second training "
                "speaker who could validate"
            )
        group, *_ = balanced_groups(training, min(VALIDATION_PART, speakers))
        return sets.mask((sets == "train") & utterances.speaker.isin(group), "val")

    def remarks(self, utterances: pd.DataFrame, fold: int) -> list[str]:
        given, lines = self._given(utterances, fold), []
        if not (given == "val").any():
            group = utterances.speaker[self._divide(utterances, fold) == "val"].unique()
            lines.append(
                f"{self._path.name} has no validation rows: training speakers {', '.join(sorted(group))} validate"
            )
        if left_out := int((given == "").sum()):
            lines.append(f"{self._path.name} leaves out {left_out} utterance{'s' if left_out > 1 else ''}")
        return lines
