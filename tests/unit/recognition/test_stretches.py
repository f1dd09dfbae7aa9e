"""Windows, stretches of speech, smoothing and segments, against literal loops."""

import math
from decimal import Decimal

import numpy as np
import pytest
import scipy.ndimage

from ser.errors import InputError
from ser.recognition.stretches import TimelineOptions, segments_of, smoothed, stretches_of, windows_of


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smoothing": 4}, "smoothing is 4, but must be an odd number of windows"),
        ({"smoothing": 0}, "smoothing is 0, but must be at least 1"),
        ({"step_seconds": 3}, "step_seconds is 3, but must be at most window_seconds, 2"),
        ({"window_seconds": 0.03}, "window_seconds is 0.03, but must be at least 0.04"),
        ({"step_seconds": float("nan")}, "step_seconds is nan"),
        ({"silence": "quiet"}, "silence is 'quiet'"),
        ({"silence_db": 91}, "silence_db is 91"),
    ],
)
def test_bounds(options, message):
    with pytest.raises(InputError, match=message):
        TimelineOptions(**options)


@pytest.mark.parametrize("samples", [1, 639, 640, 31_999, 32_000, 32_001, 40_000, 40_001, 100_000])
@pytest.mark.parametrize(("window", "step"), [(2, 0.5), (2, 2), (0.04, 0.01), (0.7, 0.7), (0.0401, 0.0401), (1, 0.3)])
def test_windows_begin_at_multiples_of_the_step_until_one_ends_with_the_recording(samples, window, step):
    edges = windows_of(samples, TimelineOptions(window_seconds=window, step_seconds=step))
    starts = [round(Decimal(place) * Decimal(str(step)) * 16_000) for place in range(len(edges))]
    stops = [start + math.ceil(Decimal(str(window)) * 16_000) for start in starts]
    assert edges == list(zip(starts, np.minimum(stops, samples).tolist(), strict=True))
    assert all(stop < samples for stop in stops[:-1])
    assert stops[-1] >= samples


def test_a_window_belongs_to_the_stretch_around_its_centre():
    centres = np.arange(1, 6, 0.5)
    speech = [(0.0, 1.0), (1.5, 3.0), (4.0, 6.0)]
    expected = [next((n for n, (start, end) in enumerate(speech) if start <= c < end), -1) for c in centres]
    # The centre 1.0 is after the first stretch, but nearest to it.
    expected[0] = 0
    assert stretches_of(centres, speech).tolist() == expected
    assert stretches_of(centres, []).tolist() == [-1] * len(centres)


def test_a_short_stretch_takes_no_window_of_another_one():
    assert stretches_of(np.array([1.0, 2.0]), [(0.9, 1.1), (1.2, 1.3), (1.4, 1.45)]).tolist() == [0, -1]
    assert stretches_of(np.array([1.0, 2.0]), [(1.6, 1.7), (1.75, 1.9)]).tolist() == [-1, 0]


@pytest.mark.parametrize("number", [1, 3, 5, 9])
def test_smoothing_is_a_median_over_windows(number):
    """Away from the ends it is scipy's median filter; at the ends fewer windows count."""
    posteriors = np.random.default_rng(number).dirichlet(np.ones(4), 60)
    found = smoothed(posteriors, np.zeros(60, int), number)
    half = number // 2
    filtered = scipy.ndimage.median_filter(posteriors, size=(number, 1))
    inside = slice(half, 60 - half)
    assert (found[inside] == filtered.argmax(axis=1)[inside]).all()
    for row in (0, 1, 58, 59):
        assert found[row] == np.median(posteriors[max(row - half, 0) : row + half + 1], axis=0).argmax()


def test_smoothing_does_not_cross_silence():
    posteriors = np.random.default_rng(3).dirichlet(np.ones(3), 9)
    stretches = np.array([0, 0, 0, -1, 1, 1, -1, 2, 2])
    posteriors[stretches < 0] = np.nan
    found = smoothed(posteriors, stretches, 5)
    assert (found[stretches < 0] == -1).all()
    for rows in ([0, 1, 2], [4, 5], [7, 8]):
        for row in rows:
            near = [other for other in rows if abs(other - row) <= 2]
            assert found[row] == np.median(posteriors[near], axis=0).argmax()


def rows_of(*arguments):
    return [(row.start, row.end, row.emotion, row.silent) for row in segments_of(*arguments).itertuples()]


def test_the_answer_changes_in_the_middle_between_two_windows():
    centres = np.array([1.0, 1.5, 2.0, 2.5])
    found = rows_of(centres, ["sad", "sad", "angry", "angry"], np.zeros(4, int), [(0.25, 3.0)], 4.0)
    assert found == [(0, 0.25, "", True), (0.25, 1.75, "sad", False), (1.75, 3, "angry", False), (3, 4, "", True)]


def test_a_pause_separates_segments_of_one_answer():
    found = rows_of(np.array([1.0, 2.0, 3.0]), ["sad", "", "sad"], np.array([0, -1, 1]), [(0, 1.5), (2.5, 4)], 4.0)
    assert found == [(0, 1.5, "sad", False), (1.5, 2.5, "", True), (2.5, 4, "sad", False)]


def test_no_speech_is_one_segment_of_silence():
    assert rows_of(np.array([1.0]), [""], np.array([-1]), [], 2.5) == [(0, 2.5, "", True)]


def test_a_stretch_without_a_window_has_the_answer_of_the_nearest():
    speech = [(0.9, 1.2), (1.6, 1.62)]
    found = rows_of(np.array([1.0, 9.0]), ["sad", "angry"], np.array([0, 2]), [*speech, (8, 10)], 10.0)
    assert [(start, emotion) for start, _, emotion, silent in found if not silent] == [
        (0.9, "sad"),
        (1.6, "sad"),
        (8, "angry"),
    ]
