"""Split a corpus into training, validation and test sets by one of two protocols."""

from collections.abc import Iterable

import pandas as pd

from ser.data.labels import in_order
from ser.errors import InputError

PROTOCOLS = ("speaker", "wu2019")
LEAST_VALIDATION = 10  # utterances


def num_folds(utterances: pd.DataFrame, protocol: str) -> int:
    """Number of folds of a protocol: two per session under `speaker`, one per session under `wu2019`."""
    sessions = utterances.session.nunique()
    return 2 * sessions if protocol == "speaker" else sessions


def split(utterances: pd.DataFrame, protocol: str = "speaker", fold: int = 1, test_halves: str = "MMFFF") -> pd.Series:
    """Assign every utterance to training, validation or test.

    One session is left out of training. Under `speaker` one of its two speakers is tested, the other is for validation:
    with five sessions, folds 1-5 test the first speaker in sorted order (F on IEMOCAP), folds 6-10 the second. Under
    `wu2019` the session is halved by the letter in the dialog's name; both actors speak in both halves.

    Args:
        fold: 1 to the number of folds.
        test_halves: for `wu2019`, the tested half of each session, in the sessions' order.

    Returns:
        "train", "val" or "test" for every row of the table.

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
    session = sessions[(fold - 1) % len(sessions)]
    held_out = utterances.session == session
    if protocol == "speaker":
        speakers = sorted(utterances.speaker[held_out].unique())
        if len(speakers) != 2:
            raise InputError(f"session {session} has {len(speakers)} speaker(s), not two")
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


def fold_warnings(folds: Iterable[tuple[int | str, pd.DataFrame]]) -> list[str]:
    """The `set_warnings` of several folds (name, table); each warning once, with the names of its folds."""
    found: dict[str, list[str]] = {}
    for name, utterances in folds:
        for line in set_warnings(utterances):
            found.setdefault(line, []).append(str(name))
    return [f"fold{'s' if len(names) > 1 else ''} {', '.join(names)}: {line}" for line, names in found.items()]
