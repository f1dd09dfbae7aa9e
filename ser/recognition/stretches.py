"""Windows of a recording, the stretches of speech that they answer for, and segments of one answer."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.silence import ThresholdDb
from ser.bounds import check
from ser.errors import InputError
from ser.recognition.speech import Interval


@dataclass(frozen=True)
class TimelineOptions:
    """How a timeline is made.

    Args:
        window_seconds: length of a window.
        step_seconds: between the starts of consecutive windows.
        smoothing: the answer of a window is that of the median posterior over this odd number of windows.
        silence: "energy" or "silero", which needs silero-vad.
        silence_db: with "energy", sound this much weaker than the loudest is silence.

    Raises:
        InputError: if a value is out of bounds.
    """

    window_seconds: float = 2.0
    step_seconds: float = 0.5
    smoothing: int = 5
    silence: str = "energy"
    silence_db: float = 40.0

    def __post_init__(self) -> None:
        check("window_seconds", self.window_seconds, Annotated[float, Field(ge=0.04, le=60)])
        check("step_seconds", self.step_seconds, Annotated[float, Field(ge=0.01, le=60)])
        check("smoothing", self.smoothing, Annotated[int, Field(ge=1, le=999)])
        check("silence", self.silence, Literal["energy", "silero"])
        check("silence_db", self.silence_db, ThresholdDb)
        if self.smoothing % 2 == 0:
            raise InputError(f"smoothing is {self.smoothing}, but must be an odd number of windows")
        if self.step_seconds > self.window_seconds:
            raise InputError(
                f"step_seconds is {self.step_seconds:g}, but must be at most window_seconds, {self.window_seconds:g}"
            )


def windows_of(num_samples: int, options: TimelineOptions) -> list[tuple[int, int]]:
    """First and last sample (exclusive) of each window; the last one ends with the recording, and may be shorter.

    Example:
        >>> windows_of(48_000, TimelineOptions(window_seconds=2, step_seconds=0.75))
        [(0, 32000), (12000, 44000), (24000, 48000)]
    """
    window = math.ceil(round(options.window_seconds * SAMPLE_RATE_HZ, 6))  # so that no sample is between two windows
    edges = [(0, min(window, num_samples))]
    while edges[-1][1] < num_samples:
        start = round(len(edges) * options.step_seconds * SAMPLE_RATE_HZ)
        edges.append((start, min(start + window, num_samples)))
    return edges


def stretches_of(centres: np.ndarray, speech: list[Interval]) -> np.ndarray:
    """The stretch of speech that each window answers for, (windows,); -1 for windows in silence.

    A window answers for the time at its centre. A stretch between two centres has the window that is nearest to it.

    Args:
        centres: of the windows, in seconds.

    Example:
        >>> stretches_of(np.array([1.0, 1.5, 2.0, 2.5]), [(0.2, 0.4), (1.4, 2.2)]).tolist()
        [0, 1, 1, -1]
    """
    found = np.full(len(centres), -1)
    for number, (start, end) in enumerate(speech):
        found[(start <= centres) & (centres < end)] = number
    for number, (start, end) in enumerate(speech):
        nearest = int(np.abs(centres - (start + end) / 2).argmin())
        if number not in found and found[nearest] == -1:
            found[nearest] = number
    return found


def smoothed(posteriors: np.ndarray, stretches: np.ndarray, number: int) -> np.ndarray:
    """The index of the emotion with the largest median posterior over `number` windows, (windows,); -1 in silence.

    Only windows of the same stretch of speech count, which are fewer at its ends.

    Args:
        posteriors: (windows, emotions).
        stretches: (windows,) as of `stretches_of`.

    Example:
        >>> posteriors = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.0, 1.0], [0.1, 0.9]])
        >>> smoothed(posteriors, np.array([0, 0, 0, -1, 1]), 3).tolist()
        [0, 0, 1, -1, 1]
    """
    found = np.full(len(posteriors), -1)
    for stretch in np.unique(stretches[stretches >= 0]):
        rows = np.flatnonzero(stretches == stretch)
        half = number // 2
        each = np.pad(posteriors[rows], ((half, half), (0, 0)), constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(each, number, axis=0)
        found[rows] = np.nanmedian(around, axis=-1).argmax(axis=-1)
    return found


def segments_of(
    centres: np.ndarray, answers: list[str], stretches: np.ndarray, speech: list[Interval], seconds: float
) -> pd.DataFrame:
    """Segments of one answer, or of silence, from the start of a recording to its end.

    Within a stretch of speech the answer changes in the middle between the centres of two windows.

    Args:
        centres: of the windows, in seconds.
        answers: emotion of each window.
    """
    rows: list[tuple[float, float, str]] = []
    answered = np.flatnonzero(stretches >= 0)
    before = 0.0
    for number, (start, end) in enumerate(speech):
        if start > before:
            rows.append((before, start, ""))
        own = np.flatnonzero(stretches == number)
        if not len(own):  # its nearest window answers for another short stretch as well
            own = answered[[np.abs(centres[answered] - (start + end) / 2).argmin()]]
        changes = [start, *((centres[own[1:]] + centres[own[:-1]]) / 2).tolist(), end]
        for first, last, place in zip(changes[:-1], changes[1:], own, strict=True):
            answer = answers[place]
            if rows and rows[-1][2] == answer and rows[-1][1] == first:
                rows[-1] = (rows[-1][0], last, answer)
            else:
                rows.append((first, last, answer))
        before = end
    if seconds > before or not rows:
        rows.append((before, seconds, ""))
    return pd.DataFrame([(*row, not row[2]) for row in rows], columns=["start", "end", "emotion", "silent"])
