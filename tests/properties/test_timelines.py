"""Segments cover a recording without gap or overlap, for any speech and any answers."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.recognition.stretches import TimelineOptions, segments_of, smoothed, stretches_of, windows_of


@st.composite
def recordings(draw):
    """Length in samples, intervals of speech, options of the timeline, and a posterior of three emotions per window."""
    samples = draw(st.integers(1, 80_000))
    most = 2 * draw(st.integers(0, min(samples // 2, 6)))
    edges = sorted(draw(st.lists(st.integers(0, samples), min_size=most, max_size=most, unique=True)))
    speech = [(start / 16_000, end / 16_000) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    window = draw(st.floats(0.04, 5))
    options = TimelineOptions(window, draw(st.floats(max(0.01, window / 4), window)), 1 + 2 * draw(st.integers(0, 3)))
    number = len(windows_of(samples, options))
    posteriors = np.random.default_rng(draw(st.integers(0, 99))).dirichlet(np.full(3, 0.3), number)
    return samples, speech, options, posteriors


@given(recordings())
@settings(deadline=None, max_examples=100)
def test_segments_cover_the_recording(recording):
    samples, speech, options, posteriors = recording
    edges = windows_of(samples, options)
    assert all(0 <= start < stop <= samples for start, stop in edges)
    assert edges[0][0] == 0
    assert edges[-1][1] == samples
    assert all(later[0] <= earlier[1] for earlier, later in itertools.pairwise(edges)), "no audio is left out"
    centres = np.array(edges).sum(axis=1) / 2 / 16_000
    stretches = stretches_of(centres, speech)
    posteriors[stretches < 0] = np.nan
    places = smoothed(posteriors, stretches, options.smoothing)
    answers = [("angry", "happy", "sad", "")[place] for place in places]
    assert [not answer for answer in answers] == (stretches < 0).tolist()
    found = segments_of(centres, answers, stretches, speech, samples / 16_000)
    assert found.start.iloc[0] == 0
    assert found.end.iloc[-1] == samples / 16_000
    assert (found.start.to_numpy()[1:] == found.end.to_numpy()[:-1]).all()
    assert (found.end > found.start).all()
    assert (found.silent == (found.emotion == "")).all()
    # Speech is exactly where it was found, and only there.
    inside = found[~found.silent]
    spoken = sum(end - start for start, end in speech)
    assert np.isclose((inside.end - inside.start).sum(), spoken, atol=1e-9)
    for row in inside.itertuples():
        assert any(start <= row.start and row.end <= end for start, end in speech)
    # Neighbours differ, unless silence or another stretch is between them.
    for earlier, later in zip(found[:-1].itertuples(), found[1:].itertuples(), strict=True):
        assert earlier.emotion != later.emotion
