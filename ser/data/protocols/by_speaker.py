"""Protocols that test speakers or groups of speakers in turn, for corpora with or without sessions."""

import pandas as pd

from ser.data.groups import balanced_groups
from ser.data.protocols.protocol import CyclicProtocol
from ser.errors import InputError


class OneSpeakerProtocol(CyclicProtocol):
    """One speaker is tested, the next one in sorted order validates."""

    name = "one_speaker"
    about = "one speaker tested; the next one in sorted order validates"
    unit = "speakers"

    def groups(self, utterances: pd.DataFrame) -> list[list[str]]:
        return [[speaker] for speaker in sorted(utterances.speaker.unique())]


class SpeakerGroupsProtocol(CyclicProtocol):
    """Groups of speakers with similar numbers of utterances of each emotion, by `ser.data.groups`.

    Args:
        num_folds: number of groups.
    """

    name = "speaker_groups"
    about = "one of data.num_folds balanced groups of speakers tested; the next one validates"
    option = "num_folds"
    unit = "groups of speakers"

    def __init__(self, num_folds: int) -> None:
        self._number = num_folds

    def groups(self, utterances: pd.DataFrame) -> list[list[str]]:
        if (speakers := utterances.speaker.nunique()) < self._number:
            raise InputError(f"data.num_folds is {self._number}, but this corpus has only {speakers} speaker(s)")
        return balanced_groups(utterances, self._number)
