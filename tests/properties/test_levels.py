"""The level of a recording, measured block by block, is that of a literal loop over all samples."""

from itertools import chain
from math import log10

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ser.audio.levels import LevelMeter

# Sums of these are exact. Few values, so that runs at the extremes are frequent.
VALUES = [-1.0, -0.75, -0.25, -0.125, 0.0, 2.0**-12, 0.25, 0.5, 1.0]
runs = st.tuples(st.sampled_from(VALUES), st.integers(1, 5)).map(lambda run: [run[0]] * run[1])
recordings = st.lists(runs, min_size=2, max_size=20).map(lambda each: list(chain(*each)))
scaled = st.tuples(recordings, st.sampled_from([1, 0.5, 2.0**-11])).map(
    lambda given: [value * given[1] for value in given[0]]
)


def expected(samples: list[float], peak: float, spread: float) -> dict[str, str]:
    """The definition, sample by sample."""
    lowest, highest, number = min(samples), max(samples), len(samples)
    held = 0
    for before, sample, after in zip(samples, samples[1:], samples[2:], strict=False):
        held += before == sample == after and sample in (lowest, highest) and abs(sample) >= 0.25
    mean, swing = sum(samples) / number, highest - lowest
    found = {}
    if peak > 1:
        found["beyond full scale"] = f"samples reach {peak:.4g}; values beyond 1 are clipped"
    elif held / number > 0.001:
        found["clipped"] = f"{100 * held / number:.1f} % of the samples are in runs at the highest or lowest value"
    largest = max(abs(highest - mean), abs(lowest - mean))
    if swing < spread / 50:
        below = f"{20 * log10(spread / swing):.0f} dB"
        found["nearly cancelled"] = f"the mean of the channels is {below} below the largest of them"
    elif largest < 0.001:
        found["nearly silent"] = f"the peak is {-20 * log10(largest):.0f} dB below full scale"
    elif abs(mean) > swing / 20:
        found["off-centre"] = f"the mean is {mean:.4f} of full scale, between {lowest:.4f} and {highest:.4f}"
    return found


@given(scaled, st.lists(st.integers(1, 7), min_size=1), st.sampled_from([None, 1.05]), st.sampled_from([1, 1.5, 60]))
@settings(deadline=None, max_examples=500)
def test_any_blocks_give_the_cautions_of_a_loop(samples, sizes, peak, more):
    assume(min(samples) < max(samples))
    peak, spread = peak or max(map(abs, samples)), more * (max(samples) - min(samples))
    at_once, in_blocks = LevelMeter(), LevelMeter()
    at_once.add(np.float32(samples))
    start, number = 0, 0
    while start < len(samples):
        stop = start + sizes[number % len(sizes)]
        in_blocks.add(np.float32(samples[start:stop]))
        start, number = stop, number + 1
    assert at_once.cautions(peak, spread) == in_blocks.cautions(peak, spread) == expected(samples, peak, spread)
