"""Who speaks in the built-in corpus."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from ser.data.synthetic.dialogs import Line, screenplay, voice
from ser.data.synthetic.voices import Voice


@pytest.mark.parametrize("session", [1, 2, 3, 4, 5])
def test_women_speak_higher_and_from_shorter_tracts(session):
    woman, man = voice(1, session, "F"), voice(1, session, "M")
    assert 108 < man.pitch_hz < 129 < 183 < woman.pitch_hz < 219
    assert 0.97 <= man.formant_scale <= 1.03 < 1.11 < woman.formant_scale < 1.19


def test_the_actor_is_the_last_fields_letter_and_not_the_dialogs():
    assert [Line(f"Ses02{half}_impro01_{actor}003", "neu", "neutral").actor for half in "FM" for actor in "FM"] == [
        *("F", "M", "F", "M")
    ]


def test_chance_is_an_utterances_own(monkeypatch):
    """Two utterances of one speaker and emotion differ; one utterance is the same wherever it is spoken."""
    drawn = []

    def listen(voice: Voice, emotion: str, rng: np.random.Generator) -> None:
        drawn.append(rng.random())

    monkeypatch.setattr("ser.data.synthetic.dialogs.speak", listen)
    names = ["Ses01F_impro01_M000", "Ses01F_impro01_M001", "Ses01M_impro01_M000"]
    for name in names:
        Line(name, "sad", "sad").speak(3)
    assert drawn == [np.random.default_rng([3, zlib.crc32(name.encode())]).random() for name in names]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("number", [8, 9, 15])
def test_every_speaker_has_as_many_utterances_as_were_asked_for(number):
    """Improvised ones of the four emotions, odd numbers included."""
    lines = [line for dialog, spoken in screenplay(2, number, 1).items() if "impro" in dialog for line in spoken]
    for actor in "FM":
        assert sum(line.actor == actor and line.label in ("neu", "ang", "hap", "sad") for line in lines) == number
