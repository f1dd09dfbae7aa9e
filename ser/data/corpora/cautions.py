"""Warnings about a usable corpus, for faults that can spoil results."""

import re
from collections.abc import Iterable, Sequence
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.audio.cuts import Cut
from ser.data.labels import in_order

LONG_SILENCE_SECONDS = 0.3
MOST_LINES = 10  # of one kind; a faulty microphone affects every recording


def cautions(table: pd.DataFrame, location: str, emotions: Sequence[str]) -> list[str]:
    """Warnings to read before training, one line each ("place: cause").

    Args:
        table: usable utterances, with the columns of `check_audio` if their audio was checked.
        location: path of the corpus.
        emotions: the labels that are asked for.

    Returns:
        Recordings of suspicious level or with two labels, long silence around the speech, speakers with nearly the
        same name, classes missing in sessions or speakers, a single session.
    """
    if table.empty:
        return []
    checked = {"cautions", "recording", "silence_before"} <= set(table.columns)
    audio = [*_levels(table), *_two_labels(table)] if checked else []
    causes = [*(_silence(table) if checked else []), *_alike(table.speaker), *_lacking(table, emotions)]
    if table.session.nunique() == 1 and (table.session != "").all():
        session = table.session.iloc[0]
        causes.append(f"one session only ({session}): folds leave one out, so none remains for training")
    return [*audio, *(f"{location}: {cause}" for cause in causes)]


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
    table = table[table.recording.duplicated(keep=False)]  # few; each group takes 0.1 ms
    lines = []
    for _, same in table.assign(cut=_cuts(table)).groupby("recording", sort=False):
        for overlapping in _overlapping(same):
            if overlapping.emotion.nunique() > 1:
                first, *others = (f"{row.path} ({_described(row)})" for row in overlapping.itertuples())
                lines.append(f"{first}: the same recording has another label in {', '.join(others)}")
    return lines


def _cuts(table: pd.DataFrame) -> list[Cut]:
    columns = (table[name] if name in table else [nan] * len(table) for name in Cut._fields)
    return list(map(Cut, *columns))


def _overlapping(same: pd.DataFrame) -> list[pd.DataFrame]:
    """The utterances of one recording, in groups that overlap."""
    start = np.nan_to_num([cut.start for cut in same.cut])
    end = np.nan_to_num([cut.end for cut in same.cut], nan=np.inf)
    order = np.argsort(start, kind="stable")
    begins = np.append(True, start[order][1:] >= np.maximum.accumulate(end[order])[:-1])
    return [same.iloc[np.sort(rows)] for rows in np.split(order, np.flatnonzero(begins)[1:])]


def _described(row: NamedTuple) -> str:
    return row.emotion if row.cut.is_whole else f"{row.cut}, {row.emotion}"


def _silence(table: pd.DataFrame) -> list[str]:
    before, after = median_silence(table)
    if max(before, after) <= LONG_SILENCE_SECONDS:
        return []
    return [
        f"median silence of {before:.2f} s before and {after:.2f} s after the speech; recurrent branches "
        "answer from their last state, which is then of silence: train with --data.trim_silence true"
    ]


def median_silence(table: pd.DataFrame) -> tuple[float, float]:
    """Median seconds of silence before and after the speech of the utterances."""
    return float(table.silence_before.median()), float(table.silence_after.median())


def _alike(speakers: Iterable[str]) -> list[str]:
    """Speakers whose names differ only in capitals, zeros or spaces: if they are one, the leak check does not know."""
    names: dict[str, list[str]] = {}
    for name in sorted(set(speakers)):
        names.setdefault(re.sub(r"\s+|(?<!\d)0+(?=\d)", "", name.casefold()), []).append(name)
    return [
        f"speakers {', '.join(alike)} count as different people; if they are one, give one name"
        for alike in names.values()
        if len(alike) > 1
    ]


def _lacking(table: pd.DataFrame, emotions: Sequence[str]) -> list[str]:
    """Classes missing in the corpus, in sessions, and in speakers whose session has them."""

    def lacking(part: set[str], among: Iterable[str]) -> str:
        return ", ".join(emotion for emotion in emotions if emotion in set(among) - part)

    lines = []
    present = set(table.emotion)
    if missing := lacking(present, emotions):
        lines.append(
            f"no utterance of {missing}, but training uses the emotions in data.emotions (default: the paper's four); "
            f"its labels: {', '.join(in_order(table.emotion))}"
        )
    for session, of_session in table.groupby("session"):
        of_all = set(of_session.emotion)
        if session != "" and (missing := lacking(of_all, present)):
            lines.append(f"session {session} has no utterance of {missing}")
        for speaker, of_speaker in of_session.groupby("speaker").emotion:
            if missing := lacking(set(of_speaker), of_all):
                lines.append(f"speaker {speaker} has no utterance of {missing}")
    return lines
