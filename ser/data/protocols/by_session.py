"""Protocols that leave sessions out."""

import pandas as pd

from ser.data.protocols.protocol import CyclicProtocol, Protocol, held_out_sets
from ser.errors import InputError

WITHOUT_SESSIONS = "one_speaker, speaker_groups or split"  # protocols for messages


class SpeakerProtocol(Protocol):
    """One session of two speakers is left out: one is tested, the other validates.

    With five sessions, folds 1-5 test the first speaker in sorted order (F on IEMOCAP), folds 6-10 the second.
    """

    name = "speaker"
    about = "one session of two speakers out: one is tested, the other validates; then the reverse"

    def num_folds(self, utterances: pd.DataFrame) -> int:
        return 2 * len(sessions_of(utterances, self.name, pairs=True))

    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        sessions = sessions_of(utterances, self.name, pairs=True)
        held_out = utterances.session == sessions[(fold - 1) % len(sessions)]
        speakers = sorted(utterances.speaker[held_out].unique())
        tested = held_out & (utterances.speaker == speakers[(fold - 1) // len(sessions)])
        return held_out_sets(utterances, held_out, tested)


class HalvesProtocol(Protocol):
    """One session of two speakers is left out and halved by the letter in the dialog's name.

    Both actors speak in both halves: validation and test share them.

    Args:
        test_halves: the tested half of each session, in the sessions' order.

    Source:
        Wu et al. (2019), section 4.1, and the row sums of Tables 2 (MMFFF) and 3 (MMFFM).
    """

    name = "wu2019"
    about = "one session out, halved by dialog: one half is tested, the other validates (IEMOCAP, the paper)"
    option = "test_halves"
    shared_speakers = (("val", "test"),)

    def __init__(self, test_halves: str) -> None:
        self.test_halves = test_halves

    def num_folds(self, utterances: pd.DataFrame) -> int:
        return len(sessions_of(utterances, self.name, pairs=True))

    def _divide(self, utterances: pd.DataFrame, fold: int) -> pd.Series:
        sessions, halves = sessions_of(utterances, self.name, pairs=True), self.test_halves
        if without := sorted(utterances.utterance[~utterances.dialog_half.isin(["F", "M"])]):
            some = f" for {len(without)} utterances ({without[0]}, ...)" if len(without) < len(utterances) else ""
            raise InputError(
                "protocol wu2019 halves sessions by dialog letter, but this corpus has no dialog halves"
                f"{some}; use protocol speaker"
            )
        if len(halves) != len(sessions) or set(halves) - set("FM"):
            raise InputError(f"test_halves is {halves!r}, but must be one F or M for each of {len(sessions)} sessions")
        held_out = utterances.session == sessions[fold - 1]
        return held_out_sets(utterances, held_out, held_out & (utterances.dialog_half == halves[fold - 1]))


class SessionProtocol(CyclicProtocol):
    """One session is tested with all its speakers, the next one in sorted order validates."""

    name = "session"
    about = "one session tested, with any number of speakers; the next one validates"
    unit = "sessions"

    def groups(self, utterances: pd.DataFrame) -> list[list[str]]:
        sessions = sessions_of(utterances, self.name)
        return [sorted(utterances.speaker[utterances.session == session].unique()) for session in sessions]


def sessions_of(utterances: pd.DataFrame, protocol: str, pairs: bool = False) -> list[int | str]:
    """The sessions in sorted order.

    Args:
        protocol: its name, for messages.
        pairs: whether every session must have exactly two speakers.

    Raises:
        InputError: with every speaker in two sessions and, for `pairs`, every session without exactly two speakers;
            or if the corpus has no sessions.
    """
    if (utterances.session == "").any():
        raise InputError(f"protocol {protocol} leaves sessions out, but this corpus has none; use {WITHOUT_SESSIONS}")
    problems = []
    for speaker, sessions in utterances.groupby("speaker").session.unique().items():
        if len(sessions) > 1:
            names = ", ".join(map(str, sorted(sessions, key=str)))
            problems.append(f"speaker {speaker} appears in sessions {names}; folds would leak")
    for session, speakers in utterances.groupby("session").speaker.unique().items() if pairs else ():
        if len(speakers) != 2:
            names = ", ".join(map(str, sorted(speakers, key=str)))
            problems.append(f"session {session} has {len(speakers)} speaker(s) ({names}), not two")
    if problems:
        lines = "\n".join(f"  {line}" for line in problems)
        raise InputError(
            f"protocol {protocol} cannot divide this corpus:\n{lines}\nmend the table, or use {WITHOUT_SESSIONS}"
        )
    return sorted(utterances.session.unique())
