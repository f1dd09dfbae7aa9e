"""Speakers, dialogs, utterances and recordings that the sets of a split share, and which of them are leaks.

The split is a fold of a protocol (`ser.data.protocols`) or comes from a user's file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd
from tqdm import tqdm

from ser.errors import InputError

if TYPE_CHECKING:
    from ser.audio.waveforms import Waveforms
    from ser.data.protocols import Protocol

SETS = ("train", "val", "test")
PAIRS = tuple(combinations(SETS, 2))
NAMES_IN_A_MESSAGE = 10

Shared = dict[tuple[str, str], dict[str, list[str]]]


def recording_digests(waveforms: Waveforms, num_utterances: int) -> list[str]:
    """Digests of the samples of a table's first recordings; equal for copies under other names.

    Silence is not trimmed before, so that a copy is found with any options of the training.

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
        ("03a01Wb = copy_of_03a01Wb"); `cuts` are pairs of utterances that overlap in one recording ("a with b").
    """
    columns = {"speakers": utterances.speaker, "dialogs": dialogs(utterances), "utterances": utterances.utterance}
    content = pd.Series("" if digests is None else digests, index=utterances.index)
    rows = {name: utterances.set == name for name in SETS}
    recordings = {name: _names_by_digest(utterances.utterance[rows[name]], content[rows[name]]) for name in SETS}
    cuts = _overlapping_cuts(utterances)
    found = {}
    for first, second in PAIRS:
        both = {
            what: sorted(set(column[rows[first]]) & set(column[rows[second]]) - {""})
            for what, column in columns.items()
        }
        one, other = recordings[first], recordings[second]
        common = one.keys() & other.keys() - {""}
        both["recordings"] = sorted(f"{', '.join(one[each])} = {', '.join(other[each])}" for each in common)
        both["cuts"] = cuts.get((first, second), [])
        found[first, second] = both
    return found


def _overlapping_cuts(utterances: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Utterances of different sets that overlap in one recording, by the pair of their sets."""
    if "start" not in utterances or utterances[["start", "end"]].isna().all(axis=None):
        return {}
    used = utterances[utterances.set != ""]
    # A copy of a recording has its digest; a table whose audio was not read has none.
    recording = used.recording if "recording" in used else used.path.map(os.path.realpath)
    table = used.assign(start=used.start.fillna(0.0), end=used.end.fillna(float("inf")), recording=recording)
    found: dict[tuple[str, str], list[str]] = {}
    for _, group in table[table.recording.duplicated(keep=False)].sort_values("start").groupby("recording"):
        open_cuts: list[tuple] = []  # those that begin no later than this one and may still go on
        for cut in group.itertuples():
            open_cuts = [each for each in open_cuts if each.end > cut.start]
            for each in open_cuts:
                if each.set != cut.set:
                    one, other = sorted((each, cut), key=lambda part: SETS.index(part.set))
                    found.setdefault((one.set, other.set), []).append(f"{one.utterance} with {other.utterance}")
            open_cuts.append(cut)
    return {pair: sorted(names) for pair, names in found.items()}


def _names_by_digest(names: Iterable[str], digests: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, digest in sorted(zip(names, digests, strict=True)):
        found.setdefault(digest, []).append(name)
    return found


def repeated_recordings(utterances: pd.DataFrame, digests: list[str]) -> list[str]:
    """Names of recordings that occur more than once in the table, in any sets ("a = b")."""
    names = _names_by_digest(utterances.utterance, digests)
    return sorted(" = ".join(group) for group in names.values() if len(group) > 1)


def leaks(overlaps: Shared, rules: type[Protocol] | Protocol) -> list[str]:
    """The overlaps (`shared`) that a protocol does not allow, one line each.

    No two sets may share a speaker, an utterance, a recording or a part of one; pairs of `shared_speakers` may share
    speakers. Dialogs may be shared: under `speaker`, a dialog's two speakers are in test and in validation.
    """
    return [
        f"{first} and {second} share {some(what, overlap[what])}"
        for (first, second), overlap in overlaps.items()
        for what in ("speakers", "utterances", "recordings", "cuts")
        if overlap[what] and not (what == "speakers" and (first, second) in rules.shared_speakers)
    ]


def some(what: str, names: list[str]) -> str:
    """The number of names, and the first ten.

    Example:
        >>> some("speakers", ["Ses01F", "Ses01M"])
        '2 speakers: Ses01F, Ses01M'
    """
    noun = ("overlapping " if what == "cuts" else "") + (what if len(names) != 1 else what.removesuffix("s"))
    separator = "; " if what == "recordings" else ", "  # one recording may have several names
    rest = len(names) - NAMES_IN_A_MESSAGE
    more = f"{separator}and {rest} more" if rest > 0 else ""
    return f"{len(names)} {noun}: {separator.join(names[:NAMES_IN_A_MESSAGE])}{more}"


def check_leaks(
    utterances: pd.DataFrame, digests: list[str] | None, rules: Protocol, allowed: bool = False
) -> tuple[Shared, list[str]]:
    """The overlaps of three sets (`shared`) and their `leaks`, which are refused unless they are allowed.

    Raises:
        InputError: with the names of all speakers, utterances, recordings and cuts (up to ten of each) that leak.
    """
    overlaps = shared(utterances, digests)
    if (found := leaks(overlaps, rules)) and not allowed:
        lines = "\n".join(f"  {line}" for line in found)
        mend = "correct the speaker names, or remove the copies from the corpus"
        raise InputError(
            f"training, validation and test share what protocol {rules.name} does not allow:\n{lines}\n"
            + (f"{mend}; or use --allow_leaks, and every result says so" if rules.may_leak else mend)
        )
    return overlaps, found
