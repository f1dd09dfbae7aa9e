"""Speakers, dialogs, utterances and recordings that the sets of a split share, and which of them are leaks.

The split is a fold of a protocol (`ser.data.folds`) or comes from a user's file.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd
from tqdm import tqdm

from ser.errors import InputError

if TYPE_CHECKING:
    from ser.audio.waveforms import Waveforms

SETS = ("train", "val", "test")
PAIRS = tuple(combinations(SETS, 2))
NAMES_IN_A_MESSAGE = 10

Shared = dict[tuple[str, str], dict[str, list[str]]]


def recording_digests(waveforms: Waveforms, num_utterances: int) -> list[str]:
    """Digests of the samples of a table's first recordings; equal for copies under other names.

    Silence is not trimmed before, so that a copy is found whatever the options of its training were.

    Returns:
        16 hexadecimal digits for every row, independent of the files' headers.
    """
    rows = tqdm(range(num_utterances), "comparing audio", unit="file", disable=None, leave=False, delay=1)
    return [blake2b(waveforms.read_untrimmed(row).tobytes(), digest_size=8).hexdigest() for row in rows]


def dialogs(utterances: pd.DataFrame) -> pd.Series:
    """The dialog of every utterance; "" if the corpus has no dialog halves.

    Example:
        >>> names = ["Ses05M_script01_1b_F000", "03a01Wb"]
        >>> dialogs(pd.DataFrame({"utterance": names, "dialog_half": ["M", ""]})).tolist()
        ['Ses05M_script01_1b', '']
    """
    names = utterances.utterance.str.extract("(.*)_", expand=False)
    return names.where(utterances.dialog_half.isin(["F", "M"])).fillna("")


def shared(utterances: pd.DataFrame, digests: list[str] | None) -> Shared:
    """What each pair of the three sets has in common.

    Args:
        utterances: a corpus's table with a column `set`; unused rows ("") are left out.
        digests: one for every row (`recording_digests`); None compares no audio.

    Returns:
        For ("train", "val"), ("train", "test") and ("val", "test") the sorted names of shared `speakers`, `dialogs` and
        `utterances`, and the shared `recordings`, each with its names in the first and in the second set
        ("03a01Wb = copy_of_03a01Wb").
    """
    columns = {"speakers": utterances.speaker, "dialogs": dialogs(utterances), "utterances": utterances.utterance}
    content = pd.Series("" if digests is None else digests, index=utterances.index)
    rows = {name: utterances.set == name for name in SETS}
    recordings = {name: _names_by_digest(utterances.utterance[rows[name]], content) for name in SETS}
    found = {}
    for first, second in PAIRS:
        both = {
            what: sorted(set(column[rows[first]]) & set(column[rows[second]]) - {""})
            for what, column in columns.items()
        }
        one, other = recordings[first], recordings[second]
        common = one.keys() & other.keys() - {""}
        both["recordings"] = sorted(f"{', '.join(one[each])} = {', '.join(other[each])}" for each in common)
        found[first, second] = both
    return found


def _names_by_digest(names: pd.Series, content: pd.Series) -> dict[str, list[str]]:
    return {digest: sorted(group) for digest, group in names.groupby(content)}


def repeated_recordings(utterances: pd.DataFrame, digests: list[str]) -> list[str]:
    """Names of recordings that occur more than once in the table, in any sets ("a = b")."""
    names = _names_by_digest(utterances.utterance, pd.Series(digests, index=utterances.index))
    return sorted(" = ".join(group) for group in names.values() if len(group) > 1)


def leaks(overlaps: Shared, protocol: str) -> list[str]:
    """The overlaps (`shared`) that a protocol does not allow, one line each.

    Under `speaker` no two sets may share a speaker, an utterance or a recording. Under `wu2019` validation and test
    come from the two dialog halves of one session, and both actors speak in both: these two sets may share speakers.
    Dialogs may be shared under both: under `speaker`, a dialog's two speakers are in test and in validation.

    Source:
        Validation and test halves of Wu et al. (2019): derived from the row sums of Tables 2 and 3.
    """
    lines = []
    for (first, second), overlap in overlaps.items():
        for what in ("speakers", "utterances", "recordings"):
            allowed = what == "speakers" and protocol == "wu2019" and (first, second) == ("val", "test")
            if overlap[what] and not allowed:
                lines.append(f"{first} and {second} share {some(what, overlap[what])}")
    return lines


def some(what: str, names: list[str]) -> str:
    """The number of names, and the first ten.

    Example:
        >>> some("speakers", ["Ses01F", "Ses01M"])
        '2 speakers: Ses01F, Ses01M'
    """
    noun = what if len(names) != 1 else what.removesuffix("s")
    separator = "; " if what == "recordings" else ", "  # one recording may have several names
    rest = len(names) - NAMES_IN_A_MESSAGE
    more = f"{separator}and {rest} more" if rest > 0 else ""
    return f"{len(names)} {noun}: {separator.join(names[:NAMES_IN_A_MESSAGE])}{more}"


def check_leaks(utterances: pd.DataFrame, digests: list[str] | None, protocol: str) -> Shared:
    """Refuse sets with `leaks` under a protocol, otherwise return their overlaps (`shared`).

    Raises:
        InputError: with the names of all speakers, utterances and recordings (up to ten of each) that leak.
    """
    overlaps = shared(utterances, digests)
    if found := leaks(overlaps, protocol):
        lines = "\n".join(f"  {line}" for line in found)
        raise InputError(
            f"training, validation and test share what protocol {protocol} does not allow:\n{lines}\n"
            "correct the speaker names, or remove the copies from the corpus"
        )
    return overlaps
