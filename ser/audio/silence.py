"""Find the speech of an utterance between silence at its two ends."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ser.audio.frames import FRAMES_PER_SECOND, SAMPLE_RATE_HZ, SHIFT_SAMPLES, WINDOW_SAMPLES
from ser.bounds import check

RUN_FRAMES = 3  # shorter sounds, such as a click of the lips, are not speech

ThresholdDb = Annotated[float, Field(ge=10, le=90)]
MarginSeconds = Annotated[float, Field(ge=0, le=2)]


@dataclass(frozen=True)
class Trim:
    """How silence at the two ends of an utterance is cut off; a pause inside is kept.

    Args:
        threshold_db: sound that is this much weaker than the loudest of the utterance, or more, is silence.
        margin_seconds: silence to keep at either end, rounded to 10 ms.

    Raises:
        InputError: if a value is out of bounds.
    """

    threshold_db: float = 40.0
    margin_seconds: float = 0.1

    def __post_init__(self) -> None:
        check("threshold_db", self.threshold_db, ThresholdDb)
        check("margin_seconds", self.margin_seconds, MarginSeconds)

    def __str__(self) -> str:
        return f"trimmed, {self.threshold_db:g} dB below the loudest sound, margin {self.margin_seconds:g} s"


def trimmed(samples: np.ndarray, trim: Trim) -> tuple[int, int]:
    """First and last sample (exclusive) of an utterance without the silence at its ends.

    At least one analysis window is kept. An utterance without speech as in `silence` is kept whole.

    Args:
        samples: (samples,) float at 16 kHz.

    Example:
        >>> tone = np.sin(np.arange(8000))
        >>> trimmed(np.concatenate([np.zeros(16_000), tone, np.zeros(16_000)]), Trim(margin_seconds=0.1))
        (14400, 25600)
    """
    return trim_levels(frame_levels(samples), len(samples), trim)


def trim_levels(levels: np.ndarray, num_samples: int, trim: Trim) -> tuple[int, int]:
    """`trimmed` for an utterance of which only the `frame_levels` are known."""
    first, last = speech(levels, trim.threshold_db)
    margin = round(trim.margin_seconds * FRAMES_PER_SECOND)
    start = max(first - margin, 0) * SHIFT_SAMPLES
    stop = (last + margin) * SHIFT_SAMPLES if last + margin < len(levels) else num_samples
    stop = min(max(stop, start + WINDOW_SAMPLES), num_samples)
    return max(min(start, stop - WINDOW_SAMPLES), 0), stop


def silence(
    samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ, threshold_db: float = Trim.threshold_db
) -> tuple[float, float]:
    """Seconds of silence before and after the speech of an utterance.

    The level is the variance of frames of 10 ms, so an offset is no sound. Speech begins with the first and ends with
    the last three consecutive frames above the threshold, and the loudest sound is the loudest such three by their
    weakest frame: a click is neither.

    Example:
        >>> silence(np.concatenate([np.zeros(16_000), np.sin(np.arange(8000)), np.zeros(8_000)]))
        (1.0, 0.5)
    """
    return silence_of(frame_levels(samples, round(sample_rate_hz / FRAMES_PER_SECOND)), threshold_db)


def silence_of(levels: np.ndarray, threshold_db: float = Trim.threshold_db) -> tuple[float, float]:
    """`silence` for an utterance of which only the `frame_levels` are known."""
    first, last = speech(levels, threshold_db)
    return first / FRAMES_PER_SECOND, (len(levels) - last) / FRAMES_PER_SECOND


def frame_levels(samples: np.ndarray, frame_samples: int = SHIFT_SAMPLES) -> np.ndarray:
    """The variance of every whole frame."""
    frames = len(samples) // frame_samples
    return samples[: frames * frame_samples].reshape(frames, frame_samples).var(axis=1)


def is_loud(levels: np.ndarray, threshold_db: float) -> np.ndarray:
    """Whether each run of three consecutive frames is above the threshold, (frames - 2,); of silence, none is."""
    weakest = np.lib.stride_tricks.sliding_window_view(levels, RUN_FRAMES).min(axis=1)  # of every run
    return weakest > weakest.max() * 10 ** (-threshold_db / 10)


def speech(levels: np.ndarray, threshold_db: float) -> tuple[int, int]:
    """First and last frame (exclusive) of the speech; all frames if there is none."""
    if len(levels) < RUN_FRAMES or not len(loud := np.flatnonzero(is_loud(levels, threshold_db))):
        return 0, len(levels)
    return int(loud[0]), int(loud[-1]) + RUN_FRAMES
