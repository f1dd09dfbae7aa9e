"""The picture of a timeline: posteriors over time, the answers below, and the coupling of capsules."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser.report.page.drawing import GREY, drawing, label, styles

SECONDS_PER_INCH = 4
WIDTHS = (8, 40)  # inches
SILENCE_COLOUR = "#e6e6e6"
MOST_MARKERS = 200


def draw(windows: pd.DataFrame, segments: pd.DataFrame, emotions: Sequence[str], seconds: float, title: str) -> bytes:
    """A PNG with a panel of the windows' posteriors, one of the segments and, for capsule systems, one of coupling.

    Args:
        windows: as in `Timeline`.
        segments: likewise.
    """
    looks = styles(len(emotions))
    if len(windows) > MOST_MARKERS:
        looks = [look | {"marker": "."} for look in looks]  # also for a window between two silent ones
    has_capsules = "coupling_1" in windows
    width = float(np.clip(seconds / SECONDS_PER_INCH, *WIDTHS))
    heights = [2.4, 0.2 + 0.16 * len(emotions)] + [1.6] * has_capsules
    centres = (windows.start + windows.end) / 2
    with warnings.catch_warnings(), drawing(width, 0.8 + sum(heights)) as drawn:
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # names in any script; boxes are drawn
        axes = drawn.figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        for emotion, look in zip(emotions, looks, strict=True):
            axes[0].plot(centres, windows[f"p_{emotion}"], label=emotion, markersize=3, linewidth=1.2, **look)
        axes[0].set_ylabel("posterior")
        if has_capsules:
            for number, look in enumerate(looks, start=1):  # not in the colours of emotions, which capsules do not have
                values = windows[f"coupling_{number}"]
                axes[2].plot(centres, values, label=str(number), markersize=3, linewidth=1, **look | {"color": GREY})
            axes[2].set_ylabel("coupling to\nutterance capsule")
            axes[2].legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
        for axis in (axes[0], *axes[2:]):
            axis.set_ylim(-0.02, 1.02)
        places = {emotion: place for place, emotion in enumerate(emotions)}
        for row in segments.itertuples():
            if row.silent:
                for axis in axes:
                    axis.axvspan(row.start, row.end, color=SILENCE_COLOUR, lw=0)
            else:
                place = places[row.emotion]
                axes[1].barh(place, row.end - row.start, 0.8, row.start, color=looks[place]["color"])
        axes[1].set_yticks(range(len(emotions)), emotions, fontsize=8)
        axes[1].set_ylim(len(emotions) - 0.5, -0.5)
        axes[-1].set_xlabel("seconds (grey: silence)", color=GREY)
        axes[-1].set_xlim(0, seconds)
        axes[0].set_title(label(title, 60), fontsize=10)
        axes[0].legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
        return drawn.png()
