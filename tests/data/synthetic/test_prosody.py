"""Levels of synthetic utterances."""

from __future__ import annotations

import numpy as np
import pytest

from ser.data.synthetic.prosody import speak
from ser.data.synthetic.voices import Manner, draw_voice

VOICE = draw_voice(True, np.random.default_rng(1))


@pytest.fixture
def short(monkeypatch):
    """Utterances of one manner, as short as it gets."""
    monkeypatch.setattr("ser.data.synthetic.prosody.draw_seconds", lambda rng: 0.7)
    return lambda manner: monkeypatch.setattr("ser.data.synthetic.prosody.draw_manner", lambda emotion, rng: manner)


def spoken(number: int) -> np.ndarray:
    return speak(VOICE, "angry", np.random.default_rng(number)).astype(int)


def test_the_gain_of_a_recording_is_drawn_anew(short):
    """In one manner, levels differ by 4 dB (standard deviation) around 27 dB below full scale: loudness is no label."""
    short(Manner())
    levels = [20 * np.log10(np.sqrt(np.mean((spoken(n) / 32_767) ** 2))) for n in range(60)]
    assert np.mean(levels) == pytest.approx(-27, abs=1.6)
    assert 3 < np.std(levels) < 5


def test_loud_speech_ends_at_95_percent_of_full_scale(short):
    """16 bits would wrap round beyond it."""
    short(Manner(energy_db=25))
    peaks = [np.abs(spoken(n)).max() for n in range(6)]
    assert peaks == [round(0.95 * 32_767)] * 6
