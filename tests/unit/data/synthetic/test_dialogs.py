"""Voices and lines of the built-in corpus."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from ser.data.synthetic.dialogs import Line, screenplay
from ser.data.synthetic.speech import Voice


@pytest.fixture
def spoken(monkeypatch) -> list[tuple[Voice, float]]:
    """The voice of each utterance, and the first number drawn for it."""
    drawn = []
    monkeypatch.setattr(
        "ser.data.synthetic.dialogs.speak", lambda voice, emotion, rng: drawn.append((voice, rng.random()))
    )
    return drawn


@pytest.mark.parametrize("session", [1, 2, 3, 4, 5])
def test_women_speak_higher_and_from_shorter_tracts(session, spoken):
    """The letter of the turn determines the actor, not that of the dialog."""
    for half in "FM":
        for actor in "FM":
            Line(f"Ses{session:02d}{half}_impro01_{actor}003", "neu").speak(1)
    (woman, _), (man, _) = spoken[:2]
    assert [voice for voice, _ in spoken[2:]] == [woman, man]
    assert 108 < man.pitch_hz < 129 < 183 < woman.pitch_hz < 219
    assert 0.97 <= man.formant_scale <= 1.03 < 1.11 < woman.formant_scale < 1.19


def test_ten_voices_differ(spoken):
    for session in range(1, 6):
        for actor in "FM":
            Line(f"Ses{session:02d}F_impro01_{actor}000", "neu").speak(1)
    assert len({voice for voice, _ in spoken}) == 10


def test_chance_is_an_utterances_own(spoken):
    """Utterances of one speaker and emotion differ; an utterance depends on its name only."""
    names = ["Ses01F_impro01_M000", "Ses01F_impro01_M001", "Ses01M_impro01_M000"]
    for name in names:
        Line(name, "sad").speak(3)
    drawn = [number for _, number in spoken]
    assert drawn == [np.random.default_rng([3, zlib.crc32(name.encode())]).random() for name in names]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("number", [8, 9, 15])
def test_every_speaker_has_as_many_utterances_as_were_asked_for(number):
    """Improvised utterances of the four emotions; the number can be odd."""
    lines = [line for dialog, spoken in screenplay(2, number, 1).items() if "impro" in dialog for line in spoken]
    for actor in "FM":
        assert (
            sum(f"_{actor}0" in line.utterance and line.label in ("neu", "ang", "hap", "sad") for line in lines)
            == number
        )
