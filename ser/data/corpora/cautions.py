"""What may spoil results on a corpus although it can be used."""

from __future__ import annotations

import pandas as pd

from ser.emotions import EMOTIONS

MOST_LINES = 10  # of one kind: where a microphone was at fault, every recording has it


def cautions(table: pd.DataFrame, location: str) -> list[str]:
    """One line ("place: cause") for everything to look at before training.

    Args:
        table: usable utterances, with what was heard in them (`check_audio`) where that is known.
        location: where the corpus was read.

    Returns:
        Recordings of suspicious level, recordings with two labels, classes that sessions or speakers lack, and whether
        there is one session only.
    """
    if table.empty:
        return []
    heard = [*_levels(table), *_two_labels(table)] if {"cautions", "recording"} <= set(table.columns) else []
    return [*heard, *(f"{location}: {cause}" for cause in [*_lacking(table), *_only_session(table)])]


def _levels(table: pd.DataFrame) -> list[str]:
    found: dict[str, list[str]] = {}
    for row in table.itertuples():
        for kind, measure in row.cautions.items():
            found.setdefault(kind, []).append(f"{row.path}: {kind} ({measure})")
    lines = []
    for kind, named in found.items():
        rest = len(named) - MOST_LINES
        lines += named if rest <= 0 else [*named[:MOST_LINES], f"... and {rest} more recordings: {kind}"]
    return lines


def _two_labels(table: pd.DataFrame) -> list[str]:
    lines = []
    for _, same in table.groupby("recording", sort=False):
        if same.emotion.nunique() > 1:
            first, *others = (f"{row.path} ({row.emotion})" for row in same.itertuples())
            lines.append(f"{first}: the same recording has another label in {', '.join(others)}")
    return lines


def _lacking(table: pd.DataFrame) -> list[str]:
    """Classes that the corpus, a session or a speaker lacks, each said once, of the largest of these."""

    def absent(part: pd.DataFrame, among: list[str]) -> list[str]:
        return [emotion for emotion in among if emotion not in set(part.emotion)]

    known = [emotion for emotion in EMOTIONS if emotion in set(table.emotion)]
    lines = []
    if missing := absent(table, list(EMOTIONS)):
        lines.append(f"no utterance of {', '.join(missing)} at all")
    for session, of_session in table.groupby("session"):
        if missing := absent(of_session, known):
            lines.append(f"session {session} has no utterance of {', '.join(missing)}")
        there = [emotion for emotion in known if emotion not in missing]
        for speaker, of_speaker in of_session.groupby("speaker"):
            if missing_too := absent(of_speaker, there):
                lines.append(f"speaker {speaker} has no utterance of {', '.join(missing_too)}")
    return lines


def _only_session(table: pd.DataFrame) -> list[str]:
    if table.session.nunique() > 1:
        return []
    return [f"one session only ({table.session.iloc[0]}): a fold leaves one out, and nothing remains to train on"]
