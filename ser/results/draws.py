"""Samples of whole speakers for a bootstrap: any sample for WA, only samples with every emotion for UA.

A UA over the emotions that happen to occur in a sample is another quantity in every sample: a constant answer would
score 1/4 in one and 1/3 in the next. A sample that lacks an emotion of the test set is therefore drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser.results.speaker_counts import Tally

DRAWS = 10_000
# Of the draws. More must be drawn again where two emotions have one speaker each: what is left then hardly varies, and
# an interval of it would be too narrow. A single emotion of a single speaker stays below (0.72 for many speakers).
MOST_REDRAWN = 0.75


@dataclass(frozen=True)
class Draws:
    """Samples of as many speakers as there are, with replacement.

    Args:
        weights: how often each speaker is drawn, (draws, speakers).
        complete: the same, where each draw that lacked an emotion was drawn again until it had all; None where that
            would have been more than `MOST_REDRAWN`.
        redrawn: how many samples lacked an emotion.
    """

    weights: np.ndarray
    complete: np.ndarray | None
    redrawn: int

    def scores(self, counts: Tally) -> tuple[np.ndarray, np.ndarray]:
        """WA of `weights` and UA of `complete`, (..., draws) each; UA is NaN where there are no complete draws."""
        wa, ua = counts.drawn(self.weights)
        if self.complete is None:
            return wa, np.full_like(ua, np.nan)
        return wa, ua if self.complete is self.weights else counts.drawn(self.complete)[1]


def draw_speakers(counts: Tally, draws: int = DRAWS, seed: int = 1) -> Draws:
    """Draw speakers; the same seed gives the same samples, and those that need no other are the first ones drawn.

    Args:
        counts: of the test set, whose emotions a draw must have for UA.
        draws: how many samples.
        seed: of the drawing.
    """
    generator, speakers = np.random.default_rng(seed), len(counts.speakers)

    def draw(number: int) -> np.ndarray:
        return generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=number).astype(float)

    weights = complete = draw(draws)
    redrawn = 0
    while lacking := (places := np.flatnonzero(counts.lacks(complete))).size:
        redrawn += lacking
        if redrawn > MOST_REDRAWN * draws:
            return Draws(weights, None, redrawn)
        complete = complete.copy()
        complete[places] = draw(lacking)
    return Draws(weights, complete, redrawn)


def redraw_note(redrawn: int, available: bool) -> str:
    """How an interval of UA came about, or why there is none; "" where no draw lacked an emotion."""
    if not redrawn:
        return ""
    if available:
        return f"UA: {redrawn:,} draws of speakers lacked an emotion of the test set and were drawn again."
    return (
        "UA: no interval, as too many draws of speakers lack an emotion of the test set (few speakers have it; at most "
        f"{100 * MOST_REDRAWN:.0f} % of the draws are drawn again)."
    )
