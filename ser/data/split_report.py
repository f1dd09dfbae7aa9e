"""Contents, overlaps and leaks of each fold of a split, as plain values and as text."""

from collections.abc import Sequence

import pandas as pd

from ser.data.folds import fold_warnings, set_warnings
from ser.data.leaks import SETS, leaks, repeated_recordings, shared, some
from ser.data.protocols import PROTOCOLS, Protocol


def describe(
    folds: dict[int | str, pd.DataFrame],
    digests: list[str] | None,
    rules: type[Protocol] | Protocol,
    emotions: Sequence[str],
) -> dict:
    """Describe a split with plain values.

    Args:
        folds: tables of a corpus by fold name, with a column `set`, "" for unused utterances.
        digests: of every recording (`ser.data.leaks.recording_digests`); None compares no audio.
        rules: the protocol, or its class, which says what may be shared.
        emotions: in the order of the tables.
    """
    described = []
    for name, utterances in folds.items():
        overlaps = shared(utterances, digests)
        described.append(
            {
                "fold": name,
                "sets": {each: _describe_set(utterances[utterances.set == each], emotions) for each in SETS},
                "left_out": sorted(utterances.utterance[utterances.set == ""]),
                "shared": [{"sets": list(pair), **overlap} for pair, overlap in overlaps.items()],
                "leaks": leaks(overlaps, rules),
            }
        )
    everything = next(iter(folds.values()))
    tested = pd.concat([utterances[utterances.set == "test"] for utterances in folds.values()])
    return {
        "utterances": len(everything),
        "never_tested": len(set(everything.utterance) - set(tested.utterance)),
        "repeated_recordings": repeated_recordings(everything, digests) if digests else [],
        "folds": described,
        "warnings": fold_warnings((name, set_warnings(table)) for name, table in folds.items()),
        "pooled_test": {
            **_counts(tested, emotions),
            "tested_twice": sorted(tested.utterance[tested.utterance.duplicated()].unique().tolist()),
        },
    }


def _counts(utterances: pd.DataFrame, emotions: Sequence[str]) -> dict[str, int]:
    return {emotion: int((utterances.emotion == emotion).sum()) for emotion in emotions} | {"all": len(utterances)}


def _describe_set(utterances: pd.DataFrame, emotions: Sequence[str]) -> dict:
    names = {name: sorted(utterances[name].unique().tolist()) for name in ("session", "dialog_half", "speaker")}
    halves = [half for half in names["dialog_half"] if half]
    return {
        **_counts(utterances, emotions),
        "sessions": names["session"],
        "halves": halves,
        "speakers": names["speaker"],
    }


def report(about: dict) -> str:
    """Format the result of `describe`, with `protocol` and `audio_compared` added, as text."""
    folds, protocol, tested = about["folds"], about["protocol"], dict(about["pooled_test"])
    found = [
        (fold["fold"], overlap["sets"], what, names)
        for fold in folds
        for overlap in fold["shared"]
        for what, names in overlap.items()
        if what != "sets" and names
    ]
    lines = [f"  fold {fold}: {one} and {other} share {some(what, names)}" for fold, (one, other), what, names in found]
    common = ["Shared between the sets", *(lines or ["  nothing"])]
    allowed = PROTOCOLS[protocol].shared_speakers
    if any(what == "speakers" and tuple(sets) in allowed for _, sets, what, _ in found):
        common.append(
            f"Under {protocol} both actors speak in both halves of a session: validation and test share them."
        )
    if not about["audio_compared"]:
        common.append("Recordings were not compared (--no-audio).")
    repeated, twice, never = about["repeated_recordings"], tested.pop("tested_twice"), about["never_tested"]
    pooled = [
        "Test sets of all folds together",
        _text([tested]),
        f"Tested in more than one fold: {some('utterances', twice)}." if twice else "No utterance is tested twice.",
        f"{never} of {about['utterances']} utterances are never tested." if never else "Every utterance is tested.",
        *(f"Fold {fold['fold']} leaves out {some('utterances', out)}." for fold in folds if (out := fold["left_out"])),
    ]
    warnings = [
        f"Warning: fold {fold['fold']} has no utterance for {', '.join(empty)}: nothing can leak into an empty set."
        for fold in folds
        if (empty := [name for name in SETS if not fold["sets"][name]["all"]])
    ]
    leaking = [f"  fold {fold['fold']}: {line}" for fold in folds for line in fold["leaks"]]
    if leaking:
        leaking.insert(0, f"{len(leaking)} {'leak' if len(leaking) == 1 else 'leaks'} under protocol {protocol}")
    parts = [
        [_text([{"fold": fold["fold"], "set": name, **fold["sets"][name]} for fold in folds for name in SETS])],
        common,
        [f"The corpus repeats {some('recordings', repeated)}"] if repeated else [],
        pooled,
        [*warnings, *(f"Warning: {line}." for line in about["warnings"])],
        leaking or [f"No leak: protocol {protocol} allows these overlaps." if found else "No leak found."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _text(rows: list[dict]) -> str:
    """Format a table: numbers aligned right, lists of names left."""
    table = pd.DataFrame(rows)
    for column in table.columns.intersection(["sessions", "halves", "speakers"]):
        words = table.pop(column).map(lambda names: " ".join(map(str, names)))
        if words.any():
            width = max(words.str.len().max(), len(column))
            table[column.ljust(width)] = words.str.ljust(width)
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())
