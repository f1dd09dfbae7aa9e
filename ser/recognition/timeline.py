"""The course of emotions in a recording: a posterior for each of many overlapping windows, and segments."""

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
from ser.recognition.speech import Interval, seconds_until

SPEECH_SHARE = 0.1  # of a window; with less it is silent, and not classified


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
        check("window_seconds", float(self.window_seconds), Annotated[float, Field(ge=0.04, le=60)])
        check("step_seconds", float(self.step_seconds), Annotated[float, Field(ge=0.01, le=60)])
        check("smoothing", self.smoothing, Annotated[int, Field(ge=1, le=999)])
        check("silence", self.silence, Literal["energy", "silero"])
        check("silence_db", float(self.silence_db), ThresholdDb)
        if self.smoothing % 2 == 0:
            raise InputError(f"smoothing is {self.smoothing}, but must be an odd number of windows")
        if self.step_seconds > self.window_seconds:
            raise InputError(
                f"step_seconds is {self.step_seconds:g}, but must be at most window_seconds, {self.window_seconds:g}"
            )


@dataclass(frozen=True)
class Timeline:
    """The course of emotions in one recording.

    Args:
        path: of the recording; "samples" without a file.
        seconds: its length.
        emotions: in the order of the posteriors.
        windows: one row per window: start, end, emotion (smoothed; "" in silence), silent, p_<emotion>, with several
            systems their standard deviation sd_<emotion>, entropy, and for capsule systems length_<emotion> (mean
            length of the window emo-capsules) and coupling_<emotion> (mean coupling of their windows to the utterance
            capsule). Start and end in seconds; NaN in silence.
        segments: one row per segment: start, end, emotion ("" in silence), silent. They cover the recording.
        cautions: what makes the answers doubtful, by kind.
        options: how it was made.
    """

    path: str
    seconds: float
    emotions: tuple[str, ...]
    windows: pd.DataFrame
    segments: pd.DataFrame
    cautions: dict[str, str]
    options: TimelineOptions


def windows_of(num_samples: int, options: TimelineOptions) -> list[tuple[int, int]]:
    """First and last sample (exclusive) of each window; the last one ends with the recording, and may be shorter.

    Example:
        >>> windows_of(48_000, TimelineOptions(window_seconds=2, step_seconds=0.75))
        [(0, 32000), (12000, 44000), (24000, 48000)]
    """
    window, step = options.window_seconds * SAMPLE_RATE_HZ, options.step_seconds * SAMPLE_RATE_HZ
    count = 1 + max(math.ceil((num_samples - window) / step), 0)
    starts = [round(place * step) for place in range(count)]
    return [(start, min(round(start + window), num_samples)) for start in starts]


def smoothed(posteriors: np.ndarray, number: int) -> np.ndarray:
    """The index of the emotion with the largest median posterior over `number` windows, (windows,); -1 in silence.

    Args:
        posteriors: (windows, emotions), NaN in silence, which is left out of the median; fewer windows at the ends.

    Example:
        >>> smoothed(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [np.nan, np.nan]]), 3).tolist()
        [0, 0, 1, -1]
    """
    each = np.pad(posteriors, ((number // 2, number // 2), (0, 0)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(each, number, axis=0)
    found = np.full(len(posteriors), -1)
    speaking = np.flatnonzero(~np.isnan(posteriors).any(axis=1))
    if len(speaking):
        found[speaking] = np.nanmedian(around[speaking], axis=-1).argmax(axis=-1)
    return found


def is_silent(starts: np.ndarray, ends: np.ndarray, speech: list[Interval]) -> np.ndarray:
    """Whether each window has less than a tenth of speech."""
    return seconds_until(speech, ends) - seconds_until(speech, starts) < SPEECH_SHARE * (ends - starts)


def segments_of(
    windows: pd.DataFrame, speech: list[Interval], seconds: float, options: TimelineOptions
) -> pd.DataFrame:
    """Segments of one answer, or of silence, from the start of a recording to its end.

    The answer changes in the middle between the centres of two windows. Silence is as long as it is, whatever the step.

    Args:
        windows: with the columns start and emotion ("" in silence).
        speech: intervals of speech.
    """
    answered = windows[windows.emotion != ""]
    speech = speech if len(answered) else []
    centres = answered.start.to_numpy() + options.window_seconds / 2
    changes = windows.start.to_numpy()[1:] + (options.window_seconds - options.step_seconds) / 2
    times = np.unique([0.0, seconds, *changes, *(time for interval in speech for time in interval)])
    times = times[times <= seconds]
    middles = (times[1:] + times[:-1]) / 2
    spoken = np.diff(seconds_until(speech, times)) > 0
    rows: list[dict] = []
    for start, end, middle, speaking in zip(times[:-1], times[1:], middles, spoken, strict=True):
        emotion = answered.emotion.iloc[int(np.abs(centres - middle).argmin())] if speaking else ""
        if rows and rows[-1]["emotion"] == emotion:
            rows[-1]["end"] = float(end)
        else:
            rows.append({"start": float(start), "end": float(end), "emotion": emotion, "silent": not speaking})
    return pd.DataFrame(rows, columns=["start", "end", "emotion", "silent"])
