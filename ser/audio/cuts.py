"""Utterances that are cuts of longer recordings, given by start and end in seconds."""

import math
from typing import NamedTuple

from ser.audio.frames import SAMPLE_RATE_HZ

TOLERANCE_SECONDS = 0.01  # times are often rounded


class Cut(NamedTuple):
    """Start and end of an utterance in its recording, in seconds; NaN for the recording's own."""

    start: float = math.nan
    end: float = math.nan

    @property
    def is_whole(self) -> bool:
        """Whether the utterance is the whole recording."""
        return math.isnan(self.start) and math.isnan(self.end)

    def samples(self, num_samples: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> tuple[int, int]:
        """First and last sample (exclusive) in a recording of this length, rounded.

        Example:
            >>> Cut(0.5, 1.00004).samples(48_000), Cut(2.0).samples(48_000), Cut().samples(48_000)
            ((8000, 16001), (32000, 48000), (0, 48000))
        """

        def place(seconds: float, otherwise: int) -> int:
            return otherwise if math.isnan(seconds) else round(min(max(seconds, 0) * sample_rate_hz, num_samples))

        return place(self.start, 0), place(self.end, num_samples)

    def fault(self, seconds: float = math.inf) -> str | None:
        """What is wrong with the times in a recording of this length, if anything.

        An end up to 10 ms after the recording's is the recording's end.

        Example:
            >>> Cut(3.0, 2.0).fault(), Cut(1.0, 2.5).fault(seconds=2)
            ('end is 2 s, but must be after start, 3 s', 'end is 2.5 s, but the recording has 2 s')
        """
        for name, time in zip(self._fields, self, strict=True):
            if time < 0:
                return f"{name} is {time:.6g} s, but must be at least 0"
            if time > seconds + TOLERANCE_SECONDS or math.isinf(time):
                return f"{name} is {time:.6g} s, but the recording has {seconds:.6g} s"
        if self.end <= self.start:
            return f"end is {self.end:.6g} s, but must be after start, {self.start:.6g} s"
        return None

    def __str__(self) -> str:
        start = 0 if math.isnan(self.start) else self.start
        return f"{start:.6g} s to " + ("the end" if math.isnan(self.end) else f"{self.end:.6g} s")


WHOLE = Cut()
