"""Silence at the ends of utterances whose speech begins and ends at known samples."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ser.audio.silence import Trim, silence, trimmed
from ser.errors import InputError

RNG = np.random.default_rng(0)
SPEECH = RNG.uniform(-0.5, 0.5, 8_000)  # half a second
CLICK = np.r_[0.9, -0.9, np.zeros(158)]
TIGHT = Trim(margin_seconds=0)


def quiet(seconds, decibels=60, rng=RNG):
    return rng.normal(0, 0.5 * 10 ** (-decibels / 20), round(16_000 * seconds))


def around(*inside, before=1.0, after=0.5):
    return np.concatenate([quiet(before), *inside, quiet(after)])


def test_speech_is_found_between_faint_noise():
    assert trimmed(around(SPEECH), TIGHT) == (16_000, 24_000)
    assert silence(around(SPEECH)) == (1.0, 0.5)


@pytest.mark.parametrize(("margin", "expected"), [(0.1, (14_400, 25_600)), (0.6, (6_400, 32_000)), (2, (0, 32_000))])
def test_a_margin_is_kept_up_to_the_ends(margin, expected):
    assert trimmed(around(SPEECH), Trim(margin_seconds=margin)) == expected


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_silence_is_measured_at_the_rate_of_the_file(rate):
    samples = np.concatenate([np.zeros(rate), RNG.uniform(-1, 1, rate), np.zeros(rate // 2)])
    assert silence(samples, rate) == pytest.approx((1, 0.5), abs=0.011)


def test_a_pause_inside_is_kept():
    assert trimmed(around(SPEECH, quiet(3), SPEECH), TIGHT) == (16_000, 80_000)


@pytest.mark.parametrize("decibels", [20, 30, 39, 41, 50])
def test_the_threshold_is_in_decibels_below_the_loudest_sound(decibels):
    faint = 10 ** (-decibels / 20) * SPEECH
    start, stop = trimmed(np.concatenate([faint, SPEECH, faint]), TIGHT)
    # Levels of single frames of noise are off by a few tenths of a decibel.
    assert (start, stop) == ((0, 24_000) if decibels < 40 else (8_000, 16_000))


@pytest.mark.parametrize("threshold", [30, 50])
def test_another_threshold(threshold):
    faint = 10 ** (-40 / 20) * SPEECH
    found = trimmed(np.concatenate([faint, SPEECH, faint]), Trim(threshold, 0))
    assert found == ((8_000, 16_000) if threshold == 30 else (0, 24_000))


def test_a_click_is_neither_speech_nor_the_loudest_sound():
    beside = around(CLICK, quiet(0.5), SPEECH, quiet(0.5), CLICK)
    assert trimmed(beside, TIGHT) == (24_160, 32_160)
    assert trimmed(around(200 * CLICK, quiet(0.5), SPEECH), TIGHT) == (24_160, 32_160)


def test_an_offset_is_no_sound():
    assert trimmed(around(SPEECH) + 0.4, TIGHT) == (16_000, 24_000)


@pytest.mark.parametrize("samples", [SPEECH, np.zeros(16_000), np.full(16_000, 0.3), CLICK, SPEECH[:640]])
def test_nothing_is_cut_where_nothing_is_quieter(samples):
    assert trimmed(samples, TIGHT) == (0, len(samples))
    assert silence(samples) == (0, 0)


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.5), (0.0, 0.5), (1.0, 0.0)])
def test_one_analysis_window_is_left(before, after):
    start, stop = trimmed(around(SPEECH[:480], before=before, after=after), TIGHT)
    assert stop - start == 640
    assert start <= 16_000 * before
    assert stop >= 16_000 * before + 480


def test_an_incomplete_frame_at_the_end_is_speech_with_the_last_one():
    assert trimmed(np.append(quiet(1), SPEECH[:7_950]), TIGHT) == (16_000, 23_950)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((5, 0.1), "threshold_db is 5, but must be at least 10"),
        ((91, 0.1), "threshold_db is 91, but must be at most 90"),
        ((40, -0.1), "margin_seconds is -0.1, but must be at least 0"),
        ((40, float("nan")), "margin_seconds is nan"),
    ],
)
def test_bounds(values, message):
    with pytest.raises(InputError, match=message):
        Trim(*values)


def test_ten_minutes_take_less_than_two_seconds():
    samples = np.resize(SPEECH.astype(np.float32), 600 * 16_000)
    began = time.process_time()
    trimmed(samples, TIGHT)
    assert time.process_time() - began < 2
