"""What may spoil results on a corpus although it can be used."""

from collections.abc import Iterable

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
    causes = _lacking(table)
    if table.session.nunique() == 1:
        session = table.session.iloc[0]
        causes.append(f"one session only ({session}): a fold leaves one out, and nothing remains to train on")
    return [*heard, *(f"{location}: {cause}" for cause in causes)]


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
    """Classes that the corpus, a session or a speaker lacks; what a session lacks is not said of its speakers again."""

    def lacking(part: pd.DataFrame, among: Iterable[str]) -> str:
        return ", ".join(emotion for emotion in EMOTIONS if emotion in set(among) - set(part.emotion))

    lines = []
    if missing := lacking(table, EMOTIONS):
        lines.append(f"no utterance of {missing} at all")
    for session, of_session in table.groupby("session"):
        if missing := lacking(of_session, table.emotion):
            lines.append(f"session {session} has no utterance of {missing}")
        for speaker, of_speaker in of_session.groupby("speaker"):
            if missing := lacking(of_speaker, of_session.emotion):
                lines.append(f"speaker {speaker} has no utterance of {missing}")
    return lines
