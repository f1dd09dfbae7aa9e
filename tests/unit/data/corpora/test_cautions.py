"""Warnings about one recording with two labels, and about silence around the speech."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from ser.data.corpora.cautions import cautions
from ser.emotions import PAPER_EMOTIONS


def corpus(*cuts, silence=(0.1, 0.1)):
    """Utterances (recording, start, end, emotion) after two complete sessions without faults."""
    whole = [(f"{name}{emotion}", nan, nan, emotion) for name in "wxyz" for emotion in PAPER_EMOTIONS]
    table = pd.DataFrame([*whole, *cuts], columns=["recording", "start", "end", "emotion"])
    table["path"] = table.recording + ".wav"
    table["speaker"] = [name for name in "wxyz" for _ in PAPER_EMOTIONS] + ["w"] * len(cuts)
    table["session"] = table.speaker.map({"w": 1, "x": 1, "y": 2, "z": 2})
    table["silence_before"], table["silence_after"] = silence
    return table.assign(cautions=[{}] * len(table))


def warned(*cuts, **silence):
    return cautions(corpus(*cuts, **silence), "here", PAPER_EMOTIONS)


def test_a_sound_corpus_has_none():
    assert warned() == []


def test_cuts_of_one_recording_can_have_their_own_labels():
    assert warned(("a", 1.0, 2.0, "sad"), ("a", 2.0, nan, "happy"), ("a", nan, 1.0, "angry")) == []


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ((1.0, 2.0), (1.5, 3.0), ("1 s to 2 s, sad", "1.5 s to 3 s, happy")),
        ((1.0, 3.0), (1.5, 2.0), ("1 s to 3 s, sad", "1.5 s to 2 s, happy")),
        ((nan, 2.0), (1.5, nan), ("0 s to 2 s, sad", "1.5 s to the end, happy")),
        ((nan, nan), (1.5, 2.0), ("sad", "1.5 s to 2 s, happy")),
        ((nan, nan), (nan, nan), ("sad", "happy")),
    ],
)
def test_cuts_that_overlap_cannot(one, other, shown):
    found = warned(("a", *one, "sad"), ("b", 4.0, 5.0, "angry"), ("a", *other, "happy"))
    assert found == [f"a.wav ({shown[0]}): the same recording has another label in a.wav ({shown[1]})"]


def test_long_overlaps_reach_over_short_cuts():
    cuts = [("a", 0.0, 9.0, "sad"), ("a", 1.0, 2.0, "sad"), ("a", 5.0, 6.0, "happy")]
    [found] = warned(*cuts)
    assert found.startswith("a.wav (0 s to 9 s, sad)")
    assert "happy" in found


@pytest.mark.parametrize(
    ("silence", "shown"), [((0.31, 0.1), "0.31 s before and 0.10 s"), ((0.3, 0.9), "0.30 s before and 0.90 s")]
)
def test_long_silence_is_said_with_the_option_against_it(silence, shown):
    [found] = warned(silence=silence)
    assert found.startswith(f"here: median silence of {shown} after the speech")
    assert found.endswith("--data.trim_silence true")


def test_speakers_with_nearly_the_same_name():
    table = corpus()
    names = {"w": "S01", "x": "s1", "y": "S 1", "z": "S10"}
    assert cautions(table.assign(speaker=table.speaker.map(names)), "here", PAPER_EMOTIONS) == [
        "here: speakers S 1, S01, s1 count as different people; if they are one, give one name"
    ]


def test_short_silence_is_not():
    assert warned(silence=(0.3, 0.3)) == []
