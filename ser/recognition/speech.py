"""Where a recording has speech: by the energy of its frames, or by the voice activity detector Silero."""

from collections.abc import Iterator

import numpy as np
import torch

from ser.audio.frames import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from ser.audio.silence import RUN_FRAMES, is_loud
from ser.audio.sound import Sound
from ser.errors import InputError

SHORTEST_SILENCE_SECONDS = 0.3  # a shorter pause belongs to the speech
Interval = tuple[float, float]  # start and end in seconds
_SILERO_SAMPLES = 512  # of one step of the detector


def by_energy(levels: np.ndarray, threshold_db: float, seconds: float) -> list[Interval]:
    """Speech is less than `threshold_db` below the loudest sound of the recording.

    Args:
        levels: variance in every 10 ms.
        seconds: length of the recording; a rest of less than 10 ms at its end belongs to what is before.

    Example:
        >>> by_energy(np.array([0.0] * 50 + [1.0] * 20 + [0.0] * 10 + [1.0] * 20 + [0.0] * 40 + [0.5] * 10), 40, 1.504)
        [(0.5, 1.0), (1.4, 1.504)]
    """
    if len(levels) < RUN_FRAMES:
        return []
    loud = np.zeros(len(levels), bool)
    for shift in range(RUN_FRAMES):
        loud[shift : len(levels) - RUN_FRAMES + 1 + shift] |= is_loud(levels, threshold_db)
    edges = np.flatnonzero(np.diff(loud, prepend=False, append=False)).reshape(-1, 2)
    ends = [seconds if last == len(levels) else last / FRAMES_PER_SECOND for last in edges[:, 1].tolist()]
    return joined(zip((edges[:, 0] / FRAMES_PER_SECOND).tolist(), ends, strict=True))


def by_silero(sound: Sound) -> list[Interval]:
    """Speech as Silero's detector finds it, read step by step.

    Raises:
        InputError: if silero-vad is not installed.
    """
    try:
        threads = torch.get_num_threads()
        from silero_vad import VADIterator, load_silero_vad

        detector = VADIterator(
            load_silero_vad(),
            sampling_rate=SAMPLE_RATE_HZ,
            min_silence_duration_ms=round(1000 * SHORTEST_SILENCE_SECONDS),
        )
        torch.set_num_threads(threads)  # loading it sets one
    except ImportError as error:
        raise InputError("silence silero needs silero-vad: pip install 'ser[vad]'") from error
    found, start = [], None
    for step in _steps(sound):
        event = detector(step) or {}
        start = event.get("start", start)
        if "end" in event:
            found.append((start / SAMPLE_RATE_HZ, min(event["end"] / SAMPLE_RATE_HZ, sound.seconds)))
            start = None
    if start is not None:
        found.append((start / SAMPLE_RATE_HZ, sound.seconds))
    return joined(found)


def _steps(sound: Sound) -> Iterator[torch.Tensor]:
    for piece in sound.pieces():
        padded = np.zeros(-(-len(piece) // _SILERO_SAMPLES) * _SILERO_SAMPLES, np.float32)
        padded[: len(piece)] = piece
        yield from torch.from_numpy(padded).split(_SILERO_SAMPLES)


def joined(intervals: Iterator[Interval] | list[Interval]) -> list[Interval]:
    """Join intervals with less than the shortest silence between them.

    Example:
        >>> joined([(0.0, 1.0), (1.1, 2.0), (2.5, 3.0)])
        [(0.0, 2.0), (2.5, 3.0)]
    """
    found: list[Interval] = []
    for start, end in intervals:
        if found and round(start - found[-1][1], 6) < SHORTEST_SILENCE_SECONDS:  # 5.31 - 5.01 is less than 0.3
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
