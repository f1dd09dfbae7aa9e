"""What each fold of a split holds, what its sets share, and what leaks."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ser.data.folds import fold_warnings, num_folds, split
from ser.data.leaks import SETS, Shared, leaks, repeated_recordings, shared, some
from ser.emotions import EMOTIONS


@dataclass(frozen=True)
class Fold:
    """One fold of a split.

    Args:
        name: its number, or what a split file calls it.
        utterances: the corpus's table with a column `set`, "" for an utterance of no set.
        shared: what each two sets have in common.
        leaks: the lines of it that the protocol does not allow.
    """

    name: int | str
    utterances: pd.DataFrame
    shared: Shared
    leaks: list[str]


def divide(utterances: pd.DataFrame, protocol: str, test_halves: str) -> tuple[dict[int, pd.Series], str]:
    """The sets of every fold of a protocol, and what to call them."""
    folds = range(1, num_folds(utterances, protocol) + 1)
    sets = {fold: split(utterances, protocol, fold, test_halves) for fold in folds}
    return sets, f"Protocol {protocol}" + (f", test halves {test_halves}" if protocol == "wu2019" else "")


def fold_of(name: int | str, utterances: pd.DataFrame, digests: list[str] | None, protocol: str) -> Fold:
    """A fold with what its sets share, and what of it the protocol does not allow."""
    overlaps = shared(utterances, digests)
    return Fold(name, utterances, overlaps, leaks(overlaps, protocol))


def counts(utterances: pd.DataFrame) -> dict[str, int]:
    """Utterances of each emotion."""
    return {emotion: int((utterances.emotion == emotion).sum()) for emotion in EMOTIONS}


def describe_set(utterances: pd.DataFrame) -> dict:
    """Counts, sessions, dialog halves and speakers of one set, as plain values."""
    about = {name: sorted(utterances[name].unique().tolist()) for name in ("session", "dialog_half", "speaker")}
    halves = [half for half in about["dialog_half"] if half]
    numbers = {**counts(utterances), "all": len(utterances)}
    return {**numbers, "sessions": about["session"], "halves": halves, "speakers": about["speaker"]}


def pooled_test(folds: list[Fold]) -> pd.DataFrame:
    """The tested utterances of all folds, one row for each time that one is tested."""
    return pd.concat([fold.utterances[fold.utterances.set == "test"] for fold in folds])


def report(folds: list[Fold], digests: list[str] | None, protocol: str) -> str:
    """Everything about a split, as text for a person."""
    described = [
        {"fold": fold.name, "set": name, **describe_set(fold.utterances[fold.utterances.set == name])}
        for fold in folds
        for name in SETS
    ]
    parts = [_text(described), "Shared between the sets\n" + "\n".join(_shared_lines(folds))]
    if protocol == "wu2019" and any(fold.shared["val", "test"]["speakers"] for fold in folds):
        parts[-1] += "\nUnder wu2019 both actors speak in both halves of a session: validation and test share them."
    if digests is None:
        parts[-1] += "\nRecordings were not compared (--no-audio)."
    elif copies := repeated_recordings(folds[0].utterances, digests):
        parts.append("The corpus holds more than once " + some("recordings", copies))
    tested = pooled_test(folds)
    parts.append("Test sets of all folds together\n" + _text([{**counts(tested), "all": len(tested)}]))
    parts[-1] += "\n" + "\n".join(_coverage(folds, tested))
    found = [f"  fold {fold.name}: {line}" for fold in folds for line in fold.leaks]
    lines = _empty_sets(folds)
    lines += [f"Warning: {line}." for line in fold_warnings((fold.name, fold.utterances) for fold in folds)]
    parts += ["\n".join(lines)] if lines else []
    noun = "leak" if len(found) == 1 else "leaks"
    parts.append(
        "\n".join([f"{len(found)} {noun} under protocol {protocol}", *found]) if found else _no_leak(folds, protocol)
    )
    return "\n\n".join(parts)


def _no_leak(folds: list[Fold], protocol: str) -> str:
    allowed = any(names for fold in folds for overlap in fold.shared.values() for names in overlap.values())
    return f"No leak: protocol {protocol} allows what is shared." if allowed else "No leak found."


def _shared_lines(folds: list[Fold]) -> list[str]:
    lines = []
    for fold in folds:
        for (first, second), overlap in fold.shared.items():
            lines += [
                f"  fold {fold.name}: {first} and {second} share {some(what, names)}"
                for what, names in overlap.items()
                if names
            ]
    return lines or ["  nothing"]


def _coverage(folds: list[Fold], tested: pd.DataFrame) -> list[str]:
    """How often utterances are tested, and which are in no set."""
    everything = set(folds[0].utterances.utterance)
    never = len(everything - set(tested.utterance))
    often = sorted(tested.utterance[tested.utterance.duplicated()].unique())
    lines = [f"Tested in more than one fold: {some('utterances', often)}." if often else "Nothing is tested twice."]
    lines.append(f"{never} of {len(everything)} utterances are never tested." if never else "Everything is tested.")
    for fold in folds:
        if left_out := fold.utterances.utterance[fold.utterances.set == ""].tolist():
            lines.append(f"Fold {fold.name} leaves out {some('utterances', sorted(left_out))}.")
    return lines


def _empty_sets(folds: list[Fold]) -> list[str]:
    """Which sets are empty: nothing can leak into them, and nothing can be measured with them either."""
    lines = []
    for fold in folds:
        if missing := [name for name in SETS if name not in set(fold.utterances.set)]:
            names = ", ".join(missing)
            lines.append(f"Warning: fold {fold.name} has no utterance for {names}: nothing can leak into an empty set.")
    return lines


def _text(rows: list[dict]) -> str:
    """Aligned columns: numbers to the right, lists of names to the left."""
    table = pd.DataFrame(rows)
    for column in [name for name in ("sessions", "halves", "speakers") if name in table]:
        words = table[column].map(lambda names: " ".join(map(str, names)))
        if words.any():
            width = max(words.str.len().max(), len(column))
            table[column] = words.str.ljust(width)
            table = table.rename(columns={column: column.ljust(width)})
        else:
            table = table.drop(columns=column)
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())


def plain(folds: list[Fold]) -> dict:
    """What `report` says, as plain values."""
    tested = pooled_test(folds)
    return {
        "folds": [
            {
                "fold": fold.name,
                "sets": {name: describe_set(fold.utterances[fold.utterances.set == name]) for name in SETS},
                "shared": [{"sets": list(pair), **overlap} for pair, overlap in fold.shared.items()],
                "leaks": fold.leaks,
            }
            for fold in folds
        ],
        "warnings": fold_warnings((fold.name, fold.utterances) for fold in folds),
        "pooled_test": {
            **counts(tested),
            "all": len(tested),
            "tested_twice": sorted(tested.utterance[tested.utterance.duplicated()].unique().tolist()),
        },
    }
