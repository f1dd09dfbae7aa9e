"""What the sets of a split share, and what of it must not be: speakers, dialogs, utterances, recordings.

The split may be a protocol's fold (`ser.data.folds`) or anyone's own, from a file.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import pandas as pd
from tqdm import tqdm

from ser.data.folds import PROTOCOLS
from ser.errors import InputError

if TYPE_CHECKING:
    from ser.audio.waveforms import Waveforms

SETS = ("train", "val", "test")
PAIRS = (("train", "val"), ("train", "test"), ("val", "test"))
NAMES_IN_A_MESSAGE = 10

Shared = dict[tuple[str, str], dict[str, list[str]]]


def recording_digests(waveforms: Waveforms, num_utterances: int) -> list[str]:
    """Digest of every recording's samples, so that a recording is known again under any name.

    Args:
        waveforms: of the corpus's table; all of them are read.
        num_utterances: rows of the table.

    Returns:
        16 hexadecimal digits for every row; equal for equal samples, whatever the files' headers say.
    """
    rows = tqdm(range(num_utterances), "comparing audio", unit="file", disable=None, leave=False, delay=1)
    return [blake2b(waveforms.read(row).tobytes(), digest_size=8).hexdigest() for row in rows]


def dialogs(utterances: pd.DataFrame) -> pd.Series:
    """The dialog that every utterance was spoken in; "" where the corpus has no dialog halves.

    Args:
        utterances: with the columns `utterance` and `dialog_half`.

    Example:
        >>> names = ["Ses05M_script01_1b_F000", "03a01Wb"]
        >>> dialogs(pd.DataFrame({"utterance": names, "dialog_half": ["M", ""]})).tolist()
        ['Ses05M_script01_1b', '']
    """
    inside = utterances.dialog_half.isin(["F", "M"])
    names = [
        name.rsplit("_", 1)[0] if known and "_" in name else ""
        for name, known in zip(utterances.utterance, inside, strict=True)
    ]
    return pd.Series(names, index=utterances.index, name="dialog", dtype=object)


def shared(utterances: pd.DataFrame, digests: list[str] | None) -> Shared:
    """What each two of the three sets have in common.

    Args:
        utterances: a corpus's table with a column `set`; rows of no set ("") are left out.
        digests: one for every row (`recording_digests`); None compares no audio.

    Returns:
        For ("train", "val"), ("train", "test") and ("val", "test") the sorted names of `speakers`, `dialogs` and
        `utterances` in both, and the `recordings` in both, each as the names it has in the first and in the second
        set ("03a01Wb = copy_of_03a01Wb").
    """
    table = pd.DataFrame(
        {
            "speakers": utterances.speaker,
            "dialogs": dialogs(utterances),
            "utterances": utterances.utterance,
            "digest": "" if digests is None else digests,
        }
    )
    parts = {name: table[utterances.set == name] for name in SETS}
    return {(first, second): _overlap(parts[first], parts[second]) for first, second in PAIRS}


def _overlap(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, list[str]]:
    overlap = {}
    for column in ("speakers", "dialogs", "utterances"):
        overlap[column] = sorted(set(first[column]) & set(second[column]) - {""})
    names = [_names_by_digest(part) for part in (first, second)]
    common = names[0].keys() & names[1].keys() - {""}
    return overlap | {"recordings": sorted(f"{names[0][digest]} = {names[1][digest]}" for digest in common)}


def _names_by_digest(table: pd.DataFrame) -> dict[str, str]:
    return table.groupby("digest").utterances.agg(lambda names: ", ".join(sorted(names))).to_dict()


def repeated_recordings(utterances: pd.DataFrame, digests: list[str]) -> list[str]:
    """Recordings that the table holds more than once, whatever the sets: their names ("a = b").

    Args:
        utterances: a corpus's table.
        digests: one for every row.
    """
    names = utterances.utterance.groupby(pd.Series(digests, index=utterances.index)).agg(sorted)
    return sorted(" = ".join(group) for group in names if len(group) > 1)


def leaks(overlaps: Shared, protocol: str) -> list[str]:
    """The overlaps that a protocol does not allow, one line for each.

    Under `speaker` no two sets may share a speaker, an utterance or a recording. Under `wu2019` validation and test
    come from the two dialog halves of one session, and both actors speak in both: these two sets may share speakers.
    Dialogs may be shared under both: a dialog has two speakers, and under `speaker` one is tested, one validates.

    Args:
        overlaps: from `shared`.
        protocol: "speaker" or "wu2019".

    Raises:
        InputError: for an unknown protocol.

    Source:
        Validation and test halves of Wu et al. (2019): derived from the row sums of Tables 2 and 3.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol is {protocol!r}, but must be one of {', '.join(PROTOCOLS)}")
    lines = []
    for (first, second), overlap in overlaps.items():
        for what in ("speakers", "utterances", "recordings"):
            allowed = what == "speakers" and protocol == "wu2019" and (first, second) == ("val", "test")
            if overlap[what] and not allowed:
                lines.append(f"{first} and {second} share {some(what, overlap[what])}")
    return lines


def some(what: str, names: list[str]) -> str:
    """How many there are, and the names of the first ten.

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
    """Refuse sets that share what their protocol does not allow.

    Args:
        utterances: a corpus's table with a column `set`.
        digests: one for every row; None compares no audio.
        protocol: "speaker" or "wu2019" (`leaks` says what each allows).

    Returns:
        What the sets share, to be reported: dialogs, and under `wu2019` the actors of validation and test.

    Raises:
        InputError: with the names of all speakers, utterances and recordings (up to ten of each) that leak.
    """
    overlaps = shared(utterances, digests)
    if found := leaks(overlaps, protocol):
        lines = "\n".join(f"  {line}" for line in found)
        raise InputError(
            f"training, validation and test are not separate, as protocol {protocol} needs them:\n{lines}\n"
            "correct the speakers' names, or take the copies out of the corpus"
        )
    return overlaps
