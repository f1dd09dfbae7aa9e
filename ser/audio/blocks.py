"""Consecutive samples of a recording, and their extremes."""

from typing import NamedTuple

import numpy as np


class Block(NamedTuple):
    """Consecutive samples of a recording.

    Args:
        channels: (samples, channels) float32, as stored in the file.
        samples: (samples,) their mean, clipped to [-1, 1].
        sample_rate_hz: of the file.
        promised: number of samples of the whole recording.
        container: libsndfile's name of the file's format, "WAV".
    """

    channels: np.ndarray
    samples: np.ndarray
    sample_rate_hz: int
    promised: int
    container: str


class Extremes:
    """Lowest and highest sample, of every channel, of the blocks added."""

    def __init__(self) -> None:
        self.lowest, self.highest = np.float32(np.inf), np.float32(-np.inf)

    def add(self, channels: np.ndarray) -> None:
        self.lowest = np.minimum(self.lowest, channels.min(axis=0))
        self.highest = np.maximum(self.highest, channels.max(axis=0))

    @property
    def peak(self) -> float:
        """Largest absolute sample."""
        return float(np.maximum(-self.lowest, self.highest).max())

    @property
    def spread(self) -> float:
        """Largest peak-to-peak range of any channel."""
        return float((self.highest.astype(float) - self.lowest).max())
