"""What each fold of a split holds, what its sets share, and what leaks: as plain values and as text."""

from __future__ import annotations

import pandas as pd

from ser.data.folds import fold_warnings
from ser.data.leaks import SETS, leaks, repeated_recordings, shared, some
from ser.emotions import EMOTIONS

Folds = dict[int | str, pd.DataFrame]  # by name, a corpus's table with a column `set`, "" for an utterance of no set


def describe(folds: Folds, digests: list[str] | None, protocol: str) -> dict:
    """Everything about a split, as plain values.

    Args:
        digests: of every recording (`ser.data.leaks.recording_digests`); None compares no audio.
    """
    described = []
    for name, utterances in folds.items():
        overlaps = shared(utterances, digests)
        described.append(
            {
                "fold": name,
                "sets": {each: _describe_set(utterances[utterances.set == each]) for each in SETS},
                "shared": [{"sets": list(pair), **overlap} for pair, overlap in overlaps.items()],
                "leaks": leaks(overlaps, protocol),
            }
        )
    tested = pd.concat([utterances[utterances.set == "test"] for utterances in folds.values()])
    twice = sorted(tested.utterance[tested.utterance.duplicated()].unique().tolist())
    return {
        "folds": described,
        "warnings": fold_warnings(folds.items()),
        "pooled_test": {**_counts(tested), "tested_twice": twice},
    }


def _counts(utterances: pd.DataFrame) -> dict[str, int]:
    return {emotion: int((utterances.emotion == emotion).sum()) for emotion in EMOTIONS} | {"all": len(utterances)}


def _describe_set(utterances: pd.DataFrame) -> dict:
    sessions, halves, speakers = (
        sorted(utterances[name].unique().tolist()) for name in ("session", "dialog_half", "speaker")
    )
    halves = [half for half in halves if half]
    return {**_counts(utterances), "sessions": sessions, "halves": halves, "speakers": speakers}


def report(folds: Folds, about: dict, digests: list[str] | None, protocol: str) -> str:
    """What `describe` found, as text for a person."""
    rows = [
        {"fold": fold["fold"], "set": name, **values}
        for fold in about["folds"]
        for name, values in fold["sets"].items()
    ]
    found = [
        (fold["fold"], overlap["sets"], what, names)
        for fold in about["folds"]
        for overlap in fold["shared"]
        for what, names in overlap.items()
        if what != "sets" and names
    ]
    common = [
        f"  fold {fold}: {one} and {other} share {some(what, names)}" for fold, (one, other), what, names in found
    ]
    lines = ["Shared between the sets", *(common or ["  nothing"])]
    if protocol == "wu2019" and any((pair, what) == (["val", "test"], "speakers") for _, pair, what, _ in found):
        lines.append("Under wu2019 both actors speak in both halves of a session: validation and test share them.")
    if digests is None:
        lines.append("Recordings were not compared (--no-audio).")
    parts = [_text(rows), "\n".join(lines)]
    if digests and (copies := repeated_recordings(next(iter(folds.values())), digests)):
        parts.append(f"The corpus holds more than once {some('recordings', copies)}")
    tested = {name: value for name, value in about["pooled_test"].items() if name != "tested_twice"}
    parts.append("\n".join(["Test sets of all folds together", _text([tested]), *_coverage(folds, about)]))
    warnings = [
        f"Warning: fold {fold['fold']} has no utterance for {', '.join(empty)}: nothing can leak into an empty set."
        for fold in about["folds"]
        if (empty := [name for name in SETS if not fold["sets"][name]["all"]])
    ]
    if warnings := warnings + [f"Warning: {line}." for line in about["warnings"]]:
        parts.append("\n".join(warnings))
    if leaking := [f"  fold {fold['fold']}: {line}" for fold in about["folds"] for line in fold["leaks"]]:
        noun = "leak" if len(leaking) == 1 else "leaks"
        parts.append("\n".join([f"{len(leaking)} {noun} under protocol {protocol}", *leaking]))
    else:
        parts.append(f"No leak: protocol {protocol} allows what is shared." if common else "No leak found.")
    return "\n\n".join(parts)


def _coverage(folds: Folds, about: dict) -> list[str]:
    """How often utterances are tested, and which are in no set."""
    everything = set(next(iter(folds.values())).utterance)
    twice = about["pooled_test"]["tested_twice"]
    tested = {name for table in folds.values() for name in table.utterance[table.set == "test"]}
    never = len(everything - tested)
    lines = [f"Tested in more than one fold: {some('utterances', twice)}." if twice else "Nothing is tested twice."]
    lines.append(f"{never} of {len(everything)} utterances are never tested." if never else "Everything is tested.")
    for name, table in folds.items():
        if left_out := sorted(table.utterance[table.set == ""]):
            lines.append(f"Fold {name} leaves out {some('utterances', left_out)}.")
    return lines


def _text(rows: list[dict]) -> str:
    """Aligned columns: numbers to the right, lists of names to the left."""
    table = pd.DataFrame(rows)
    for column in table.columns.intersection(["sessions", "halves", "speakers"]):
        words = table.pop(column).map(lambda names: " ".join(map(str, names)))
        if words.any():
            width = max(words.str.len().max(), len(column))
            table[column.ljust(width)] = words.str.ljust(width)
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())
