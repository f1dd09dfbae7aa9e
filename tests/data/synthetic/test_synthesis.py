"""The synthesiser says what its score says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import sosfilt

from ser.data.synthetic.prosody import LONGEST_SECONDS, SHORTEST_SECONDS, VOWELS_HZ, draw_seconds, speak
from ser.data.synthetic.synthesis import BLOCK, SAMPLE_RATE_HZ, Score, render, resonate, spread
from ser.data.synthetic.voices import draw_manner, draw_voice
from ser.emotions import EMOTIONS


def vowel(pitch_hz: float, formants_hz: list[float], seconds: float = 0.6) -> Score:
    """A steady vowel without noise."""
    num_blocks = round(seconds * SAMPLE_RATE_HZ / BLOCK)
    formants = np.tile(np.array([*formants_hz, 3500.0, 4500.0]), (num_blocks, 1))
    flat = np.ones(num_blocks)
    return Score(
        pitch_hz=pitch_hz * flat,
        voicing=flat,
        aspiration=0 * flat,
        frication=np.zeros((num_blocks, 3)),
        formants_hz=formants,
        bandwidths_hz=50 + 0.04 * formants,
        tilt_hz=2000.0,
    )


def measured_pitch_hz(speech: np.ndarray) -> float:
    """The highest peak of the autocorrelation between 60 and 600 Hz, interpolated."""
    spectrum = np.abs(np.fft.rfft(speech * np.hanning(len(speech)), 4 * len(speech))) ** 2
    correlation = np.fft.irfft(spectrum)
    # An octave down correlates as well: the shortest lag that comes near the best is the period.
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
    speech = render(vowel(pitch_hz, [500, 1500, 2500]), np.random.default_rng(1))
    assert measured_pitch_hz(speech) == pytest.approx(pitch_hz, rel=0.03)


@pytest.mark.parametrize("formants_hz", VOWELS_HZ[:4].tolist())
def test_formants_are_the_ones_asked_for(formants_hz):
    speech = render(vowel(100.0, formants_hz), np.random.default_rng(1))
    peaks_hz = linear_prediction_peaks_hz(speech)
    for wanted_hz, tolerance_hz in zip(formants_hz[:2], (60, 100), strict=True):
        assert np.min(np.abs(peaks_hz - wanted_hz)) < tolerance_hz, peaks_hz


def test_steady_resonators_equal_a_recursive_filter():
    source = np.zeros(60 * BLOCK)
    source[300:-1200] = np.random.default_rng(1).standard_normal(len(source) - 1500)
    formants = np.tile([500.0, 1500.0, 2500.0], (60, 1))
    bandwidths = np.tile([60.0, 90.0, 150.0], (60, 1))
    radius = np.exp(-np.pi * bandwidths[0] / SAMPLE_RATE_HZ)
    a1, a2 = -2 * radius * np.cos(2 * np.pi * formants[0] / SAMPLE_RATE_HZ), radius**2
    sections = np.array([[1 + one + two, 0, 0, 1, one, two] for one, two in zip(a1, a2, strict=True)])
    expected = sosfilt(sections, source)
    np.testing.assert_allclose(resonate(source, formants, bandwidths), expected, atol=1e-4 * np.abs(expected).max())


def test_moving_formants_do_not_click():
    moving = vowel(120.0, [700, 1200, 2500])
    formants = moving.formants_hz.copy()
    formants[:, 1] = np.linspace(900, 2200, len(formants))
    speech = render(replace(moving, formants_hz=formants, tilt_hz=500.0), np.random.default_rng(1))
    frames = np.lib.stride_tricks.sliding_window_view(speech, 320)[1600:-1600:80] * np.hanning(320)
    high = np.abs(np.fft.rfft(frames))[:, 120:].mean(axis=1)  # above 6 kHz
    assert high.max() < 6 * np.median(high)


def test_unvoiced_score_is_noise_in_its_band():
    silent = vowel(120.0, [500, 1500, 2500])
    frication = silent.frication.copy()
    frication[:, 0] = 1
    speech = render(replace(silent, voicing=0 * silent.voicing, frication=frication), np.random.default_rng(1))
    power = np.abs(np.fft.rfft(speech)) ** 2
    hz = np.fft.rfftfreq(len(speech), 1 / SAMPLE_RATE_HZ)
    assert power[(hz > 4000) & (hz < 7700)].sum() > 0.9 * power.sum()


def test_spread_passes_through_the_centres_of_the_blocks():
    samples = spread(np.array([0.0, 1.0, 0.0]))
    assert len(samples) == 3 * BLOCK
    assert samples[BLOCK + BLOCK // 2] == pytest.approx(1.0)


def test_durations():
    seconds = np.array([draw_seconds(np.random.default_rng([7, number])) for number in range(2000)])
    assert seconds.min() >= SHORTEST_SECONDS
    assert seconds.max() <= LONGEST_SECONDS
    assert seconds.mean() == pytest.approx(2.7, abs=0.2)


def test_speech_is_16_bit_unclipped_and_repeatable():
    voice = draw_voice(True, np.random.default_rng(1))
    for number, emotion in enumerate(EMOTIONS):
        pcm = speak(voice, emotion, np.random.default_rng(number))
        assert pcm.dtype == np.int16
        assert 300 < np.abs(pcm.astype(int)).max() < 32767
        np.testing.assert_array_equal(pcm, speak(voice, emotion, np.random.default_rng(number)))


def test_emotions_are_shifts_of_manner_that_overlap():
    manners = {emotion: [draw_manner(emotion, np.random.default_rng(n)) for n in range(200)] for emotion in EMOTIONS}
    pitch = {emotion: np.array([manner.pitch_semitones for manner in drawn]) for emotion, drawn in manners.items()}
    rate = {emotion: np.mean([manner.rate_octaves for manner in drawn]) for emotion, drawn in manners.items()}
    assert pitch["sad"].mean() < pitch["neutral"].mean() < pitch["angry"].mean() < pitch["happy"].mean()
    assert rate["sad"] < rate["neutral"] < rate["happy"] < rate["angry"]
    assert pitch["sad"].max() > pitch["neutral"].min()
    assert pitch["angry"].max() > pitch["happy"].min()
