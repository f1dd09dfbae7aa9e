"""Who trains, who validates, who is tested: the two protocols."""

from __future__ import annotations

import pandas as pd

from ser.errors import InputError

PROTOCOLS = ("speaker", "wu2019")


def num_folds(utterances: pd.DataFrame, protocol: str) -> int:
    """Folds of a protocol: both directions of each session under `speaker`, one per session under `wu2019`."""
    sessions = utterances.session.nunique()
    return 2 * sessions if protocol == "speaker" else sessions


def split(utterances: pd.DataFrame, protocol: str = "speaker", fold: int = 1, test_halves: str = "MMFFF") -> pd.Series:
    """Assign every utterance to training, validation or test.

    One session is left out of training. Under `speaker` one of its two speakers is tested and the other validates:
    with five sessions, folds 1-5 test the first speaker in sorted order (F on IEMOCAP), folds 6-10 the second. Under
    `wu2019` the session is halved by the letter in the dialog's name; both halves hold both actors.

    Args:
        utterances: a corpus's table.
        protocol: "speaker" or "wu2019".
        fold: 1 to the number of folds.
        test_halves: for `wu2019`, the tested half of each session, in the sessions' order.

    Returns:
        A series of "train", "val" and "test" with the table's index.

    Raises:
        InputError: for an unknown protocol, a fold out of range, halves that do not fit the sessions, a corpus without
            dialog halves, or an empty set.

    Source:
        Wu et al. (2019), section 4.1, and the row sums of Tables 2 (MMFFF) and 3 (MMFFM).
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol is {protocol!r}, but must be one of {', '.join(PROTOCOLS)}")
    sessions = sorted(utterances.session.unique())
    folds = num_folds(utterances, protocol)
    if not 1 <= fold <= folds:
        raise InputError(f"fold is {fold}, but protocol {protocol} on {len(sessions)} sessions has folds 1 to {folds}")
    held_out = utterances.session == sessions[(fold - 1) % len(sessions)]
    if protocol == "speaker":
        speakers = sorted(utterances.speaker[held_out].unique())
        if len(speakers) != 2:
            raise InputError(f"session {sessions[(fold - 1) % len(sessions)]} has {len(speakers)} speaker(s), not two")
        tested = held_out & (utterances.speaker == speakers[(fold - 1) // len(sessions)])
    else:
        if without := sorted(utterances.utterance[~utterances.dialog_half.isin(["F", "M"])]):
            some = f" for {len(without)} utterances ({without[0]}, ...)" if len(without) < len(utterances) else ""
            raise InputError(
                "protocol wu2019 halves sessions by dialog letter, but this corpus has no dialog halves"
                f"{some}; use protocol speaker"
            )
        if len(test_halves) != len(sessions) or set(test_halves) - set("FM"):
            raise InputError(
                f"test_halves is {test_halves!r}, but must be one F or M for each of {len(sessions)} sessions"
            )
        tested = held_out & (utterances.dialog_half == test_halves[fold - 1])
    sets = pd.Series("train", index=utterances.index, name="set").mask(held_out, "val").mask(tested, "test")
    if missing := {"train", "val", "test"} - set(sets):
        raise InputError(f"fold {fold} of protocol {protocol} has no utterance for: {', '.join(sorted(missing))}")
    return sets
