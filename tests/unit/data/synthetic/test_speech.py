"""Synthetic utterances have the given pitch, resonances and level; emotions shift them from the speaker's neutral."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.data.synthetic import speech as synthesis
from ser.data.synthetic.speech import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    VARIATION,
    VOWELS_HZ,
    Manner,
    articulate,
    draw_manner,
    draw_seconds,
    draw_voice,
    pulses,
    resonate,
    speak,
)
from ser.emotions import PAPER_EMOTIONS

VOICE = draw_voice(True, np.random.default_rng(1))
NEUTRAL = Manner(*[0.0] * len(VARIATION))


def measured_pitch_hz(speech: np.ndarray) -> float:
    """The highest peak of the autocorrelation between 60 and 600 Hz, interpolated."""
    spectrum = np.abs(np.fft.rfft(speech * np.hanning(len(speech)), 4 * len(speech))) ** 2
    correlation = np.fft.irfft(spectrum)
    # An octave below correlates as well: the shortest lag near the maximum is the period.
    lags = np.arange(SAMPLE_RATE_HZ // 600, SAMPLE_RATE_HZ // 60)
    near = lags[correlation[lags] > 0.9 * correlation[lags].max()]
    lag = near[0] + np.argmax(correlation[near[0] : near[0] + 12])
    before, here, after = correlation[lag - 1 : lag + 2]
    return SAMPLE_RATE_HZ / (lag + 0.5 * (before - after) / (before - 2 * here + after))


def linear_prediction_peaks_hz(speech: np.ndarray, order: int = 14) -> np.ndarray:
    """Resonances by the autocorrelation method of linear prediction, after pre-emphasis."""
    emphasised = np.diff(speech) * np.hanning(len(speech) - 1)
    correlation = np.correlate(emphasised, emphasised, "full")[len(emphasised) - 1 :][: order + 1]
    matrix = correlation[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    roots = np.roots([1, *-np.linalg.solve(matrix, correlation[1:])])
    sharp = roots[(roots.imag > 0) & (np.abs(roots) > 0.9)]
    return np.sort(np.angle(sharp)) * SAMPLE_RATE_HZ / (2 * np.pi)


@pytest.mark.parametrize("pitch_hz", [90.0, 131.0, 210.0, 333.0])
def test_pitch_is_the_one_asked_for(pitch_hz):
    vowel = resonate(pulses(np.full(9600, pitch_hz), 2000.0), np.array([500.0, 1500.0, 2500.0, 3500.0]))
    assert measured_pitch_hz(vowel) == pytest.approx(pitch_hz, rel=0.03)


@pytest.mark.parametrize("formants_hz", VOWELS_HZ)
def test_formants_are_the_ones_asked_for(formants_hz):
    vowel = resonate(pulses(np.full(9600, 100.0), 2000.0), np.array([*formants_hz, 3500.0, 4500.0]))
    peaks_hz = linear_prediction_peaks_hz(vowel)
    for wanted_hz, tolerance_hz in zip(formants_hz[:2], (60, 100), strict=True):
        assert np.min(np.abs(peaks_hz - wanted_hz)) < tolerance_hz, peaks_hz


def test_a_resonator_has_its_gain_at_its_frequency_and_none_at_0_hz():
    """The closed form of a two-pole resonator with a bandwidth of 50 Hz and 4 % of its frequency."""
    impulse = np.zeros(8192)
    impulse[0] = 1
    gain = np.abs(np.fft.rfft(resonate(impulse, np.array([1500.0]))))
    hz = np.fft.rfftfreq(len(impulse), 1 / SAMPLE_RATE_HZ)
    assert gain[0] == pytest.approx(1)
    assert hz[np.argmax(gain)] == pytest.approx(1500, abs=5)
    assert np.ptp(hz[gain > gain.max() / np.sqrt(2)]) == pytest.approx(110, abs=5)


@pytest.mark.parametrize("tilt_hz", [500.0, 1000.0])
def test_pulses_lose_another_6_db_per_octave_above_the_tilts_corner(tilt_hz):
    """Harmonics of a sawtooth fall by 6 dB per octave; a first-order low-pass adds the rest."""
    power = np.abs(np.fft.rfft(pulses(np.full(16_000, 100.0), tilt_hz) * np.hanning(16_000))) ** 2
    lost_db = -10 * np.log10(power[::100][1:] / power[100]) - 20 * np.log10(np.arange(1, len(power[::100])))
    for octaves in (-1, 0, 1):
        harmonic = round(tilt_hz * 2**octaves / 100)
        assert lost_db[harmonic - 1] == pytest.approx(10 * np.log10(1 + 4**octaves), abs=0.6)


def test_durations():
    seconds = np.array([draw_seconds(np.random.default_rng([7, number])) for number in range(2000)])
    assert seconds.min() >= SHORTEST_SECONDS
    assert seconds.max() <= LONGEST_SECONDS
    assert seconds.mean() == pytest.approx(2.7, abs=0.2)
    assert len(articulate(VOICE, NEUTRAL, 1.23, np.random.default_rng(1))) == round(1.23 * SAMPLE_RATE_HZ)


def test_speech_is_16_bit_unclipped_and_repeatable():
    for number, emotion in enumerate(PAPER_EMOTIONS):
        pcm = speak(VOICE, emotion, np.random.default_rng(number))
        assert pcm.dtype == np.int16
        assert 300 < np.abs(pcm.astype(int)).max() < 32767
        np.testing.assert_array_equal(pcm, speak(VOICE, emotion, np.random.default_rng(number)))


def test_emotions_are_shifts_of_manner_that_overlap():
    manners = {
        emotion: [draw_manner(emotion, np.random.default_rng(n)) for n in range(200)] for emotion in PAPER_EMOTIONS
    }
    pitch = {emotion: np.array([manner.pitch_semitones for manner in drawn]) for emotion, drawn in manners.items()}
    rate = {emotion: np.mean([manner.rate_octaves for manner in drawn]) for emotion, drawn in manners.items()}
    tilt = {emotion: np.mean([manner.tilt_octaves for manner in drawn]) for emotion, drawn in manners.items()}
    assert pitch["sad"].mean() < pitch["neutral"].mean() < pitch["angry"].mean() < pitch["happy"].mean()
    assert rate["sad"] < rate["neutral"] < rate["happy"] < rate["angry"]
    assert tilt["sad"] < tilt["neutral"] < tilt["happy"] < tilt["angry"]
    assert pitch["sad"].max() > pitch["neutral"].min()
    assert pitch["angry"].max() > pitch["happy"].min()


@pytest.mark.parametrize("woman", [True, False])
def test_manner_is_heard(woman):
    """In whole utterances: pitch by autocorrelation, syllables by energy peaks, tilt by the balance of bands."""
    voice = draw_voice(woman, np.random.default_rng(3))

    def heard(**shift: float) -> np.ndarray:
        measures = []
        for number in range(6):
            speech = articulate(voice, NEUTRAL._replace(**shift), 2.5, np.random.default_rng(number))
            frames = np.lib.stride_tricks.sliding_window_view(speech, 640)[::160]
            level = np.convolve(np.sqrt(np.mean(frames**2, axis=1)), np.hanning(13), "same")
            peaks, _ = find_peaks(level, prominence=0.2 * level.mean())
            pitch_hz = np.median([measured_pitch_hz(frame) for frame in frames[peaks]])
            power = np.abs(np.fft.rfft(speech)) ** 2
            hz = np.fft.rfftfreq(len(speech), 1 / SAMPLE_RATE_HZ)
            measures.append((np.log2(pitch_hz), len(peaks), np.log2(power[hz > 1000].sum() / power[hz < 1000].sum())))
        return np.mean(measures, axis=0)

    pitch, peaks, balance = heard()
    assert 12 * (heard(pitch_semitones=5)[0] - pitch) == pytest.approx(5, abs=1.5)
    assert heard(rate_octaves=0.5)[1] > 1.25 * peaks > 1.25 * 1.25 * heard(rate_octaves=-0.5)[1]
    assert heard(tilt_octaves=2)[2] > balance + 0.5 > heard(tilt_octaves=-2)[2] + 1.5


@pytest.fixture
def short(monkeypatch):
    """The shortest utterances, in a given manner."""
    monkeypatch.setattr(synthesis, "draw_seconds", lambda rng: 0.7)
    return lambda manner: monkeypatch.setattr(synthesis, "draw_manner", lambda emotion, rng: manner)


def spoken(number: int) -> np.ndarray:
    return speak(VOICE, "angry", np.random.default_rng(number)).astype(int)


def test_the_gain_of_a_recording_is_drawn_anew(short):
    """With one manner, levels vary by 4 dB (standard deviation) around 27 dB below full scale: loudness is no label."""
    short(NEUTRAL)
    levels = [20 * np.log10(np.sqrt(np.mean((spoken(n) / 32_767) ** 2))) for n in range(60)]
    assert np.mean(levels) == pytest.approx(-27, abs=1.6)
    assert 3 < np.std(levels) < 5


def test_loud_speech_ends_at_95_percent_of_full_scale(short):
    """Beyond full scale 16 bits would wrap around."""
    short(NEUTRAL._replace(energy_db=25))
    peaks = [np.abs(spoken(n)).max() for n in range(6)]
    assert peaks == [round(0.95 * 32_767)] * 6
