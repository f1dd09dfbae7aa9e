"""Trimming silence: repeated, shifted or scaled audio gives the same speech, that of a literal loop."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.audio.silence import Trim, frame_levels, is_loud, speech, trim_levels, trimmed

FRAME = 160
trims = st.builds(Trim, st.floats(10, 90), st.floats(0, 0.3))
levels = st.lists(st.sampled_from([0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]), min_size=1, max_size=120)


def sound(levels, rest, seed):
    """Noise with a level for every 10 ms, and the beginning of a further frame; at least one analysis window."""
    noise = np.random.default_rng(seed).uniform(-1, 1, FRAME * len(levels) + rest)
    whole = noise * np.append(np.repeat(levels, FRAME), np.full(rest, levels[-1]))
    return np.pad(whole, (0, max(640 - len(whole), 0))).astype(np.float32)


sounds = st.builds(sound, levels, st.integers(0, FRAME - 1), st.integers(0, 99))


@given(sounds, trims)
@settings(deadline=None, max_examples=300)
def test_what_is_trimmed_once_is_not_trimmed_again(samples, trim):
    start, stop = trimmed(samples, trim)
    assert 0 <= start < stop <= len(samples)
    assert stop - start >= 640
    again = samples[start:stop]
    # A sound of less than a window is widened to one, off the grid of frames at the end of the recording.
    assert stop - start == 640 or trimmed(again, trim) == (0, len(again))


@given(sounds, trims, st.integers(0, 200), st.integers(0, 200))
@settings(deadline=None, max_examples=300)
def test_more_silence_before_moves_the_speech_and_changes_nothing_else(samples, trim, before, more):
    # Silence longer than the margin and than a window, so that neither is cut short at the ends.
    padded = [np.pad(samples, (FRAME * (40 + each), FRAME * 40)) for each in (before, more)]
    one, other = (trimmed(each, trim) for each in padded)
    if one == (0, len(padded[0])):  # no speech
        assert other == (0, len(padded[1]))
    else:
        assert [here - there for here, there in zip(one, other, strict=True)] == [FRAME * (before - more)] * 2


@given(sounds, trims, st.integers(-20, 20))
@settings(deadline=None, max_examples=200)
def test_the_volume_does_not_matter(samples, trim, power_of_two):
    assert trimmed(samples * np.float32(2.0**power_of_two), trim) == trimmed(samples, trim)


@given(sounds, st.floats(10, 90))
@settings(deadline=None, max_examples=300)
def test_speech_is_from_the_first_to_the_last_run_of_loud_frames(samples, threshold_db):
    """The definition as a loop over frames; so no pause inside is cut."""
    levels = [samples[start : start + FRAME].var() for start in range(0, len(samples) - FRAME + 1, FRAME)]
    runs = {place: min(levels[place : place + 3]) for place in range(len(levels) - 2)}
    loud = [place for place, level in runs.items() if level > max(runs.values()) * 10 ** (-threshold_db / 10)]
    first, last = (loud[0], loud[-1] + 3) if loud else (0, len(levels))
    expected = first * FRAME, len(samples) if last == len(levels) else last * FRAME
    found = trimmed(samples, Trim(threshold_db, 0))
    assert found == expected or (found[1] - found[0] == 640 and expected[1] - expected[0] < 640)


def loud_runs(levels, threshold_db):
    """First frames of the runs of three that are above the threshold, by a loop."""
    weakest = [min(levels[place : place + 3]) for place in range(len(levels) - 2)]
    return [place for place, level in enumerate(weakest) if level > max(weakest) * 10 ** (-threshold_db / 10)]


measured = levels.map(lambda each: np.array(each) ** 2)


@given(measured, st.floats(10, 90))
@settings(deadline=None, max_examples=300)
def test_levels_have_the_loud_runs_and_the_speech_of_a_loop(levels, threshold_db):
    loud = loud_runs(levels.tolist(), threshold_db)
    assert speech(levels, threshold_db) == ((loud[0], loud[-1] + 3) if loud else (0, len(levels)))
    if len(levels) >= 3:
        found = is_loud(levels, threshold_db)
        assert found.shape == (len(levels) - 2,)
        assert np.flatnonzero(found).tolist() == loud


@given(measured, st.integers(0, FRAME - 1), trims)
@settings(deadline=None, max_examples=300)
def test_levels_are_trimmed_with_a_margin_as_by_a_loop(levels, rest, trim):
    """Samples are taken one frame at a time, first to the margins, then to the length of a window."""
    num_samples = max(FRAME * len(levels) + rest, 640)
    levels = np.pad(levels, (0, num_samples // FRAME - len(levels)))
    loud = loud_runs(levels.tolist(), trim.threshold_db)
    first, last = (loud[0], loud[-1] + 3) if loud else (0, len(levels))
    for _ in range(round(100 * trim.margin_seconds)):
        first, last = first - (first > 0), last + (last < len(levels))
    start, stop = FRAME * first, FRAME * last if last < len(levels) else num_samples
    while stop - start < 640 and stop < num_samples:
        stop += 1
    while stop - start < 640:
        start -= 1
    assert trim_levels(levels, num_samples, trim) == (start, stop)


@given(sounds)
@settings(deadline=None)
def test_levels_are_variances_of_whole_frames(samples):
    frames = [samples[place : place + FRAME].var() for place in range(0, len(samples) - FRAME + 1, FRAME)]
    assert frame_levels(samples).tolist() == frames
