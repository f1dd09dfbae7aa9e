"""Answer for any number of recordings of any length, in bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from ser.audio.sound import Sound
from ser.recognition.answers import Answer
from ser.recognition.cautions import cautions, level_difference
from ser.recognition.ensemble import Ensemble
from ser.recognition.recordings import Recording, read_sounds
from ser.recognition.speakers import SpeakerStatistics

POOLED_BATCHES = 8  # of blocks that are sorted by length, so that a batch needs little padding


@dataclass
class _Open:
    """A recording whose answer is not complete yet; it cannot be used if there is an error."""

    recording: Recording
    error: Exception | None = None
    seconds: float = 0.0
    cautions: dict[str, str] = field(default_factory=dict)
    missing: int = 0  # blocks
    weights: list[int] = field(default_factory=list)  # samples of the answered blocks
    answers: list[np.ndarray] = field(default_factory=list)  # (systems, emotions) each
    magnitudes: list[float] = field(default_factory=list)

    def answer(self, ensemble: Ensemble) -> Answer | AudioError:
        """The mean over blocks, weighted by their durations."""
        if self.error:
            return AudioError(str(self.error))
        mean = np.average(self.answers, axis=0, weights=self.weights)
        if "silent" not in self.cautions:
            self.cautions |= level_difference(ensemble, np.average(self.magnitudes, weights=self.weights))
        return Answer(self.recording, self.seconds, mean, self.cautions)


def predict(
    ensemble: Ensemble,
    recordings: Iterable[Recording],
    max_seconds: float,
    batch_seconds: float,
    statistics: SpeakerStatistics | None = None,
) -> Iterator[Answer | AudioError]:
    """The answer for each recording, or why it cannot be used, in their order.

    Args:
        max_seconds: a longer recording is answered by the mean over blocks of this length.
        batch_seconds: audio of a batch, padding included.
    """
    waiting: deque[_Open] = deque()
    pool: list[tuple[_Open, np.ndarray, Tensor | None]] = []
    pooled = 0
    for recording, sound in read_sounds(recordings):
        own = _Open(recording)
        waiting.append(own)
        if not isinstance(sound, Sound):
            own.error = sound
            continue
        levels = sound.levels()
        own.seconds, own.cautions = sound.seconds, cautions(ensemble, recording, sound, levels)
        sound = ensemble.heard_part(sound, levels)
        edges = blocks_of(sound.num_samples, round(max_seconds * SAMPLE_RATE_HZ))
        own.missing = len(edges)
        if len(edges) > 1:
            own.cautions["blocks"] = f"mean over {len(edges)} blocks of at most {max_seconds:g} s"
        spoken = statistics.of(recording) if statistics else None
        for start, stop in edges:
            pool.append((own, sound.read(start, stop), spoken))
            pooled += stop - start
            if pooled >= POOLED_BATCHES * batch_seconds * SAMPLE_RATE_HZ:
                _answer(ensemble, pool, batch_seconds)
                pooled = 0
        while waiting and not waiting[0].missing:
            yield waiting.popleft().answer(ensemble)
    _answer(ensemble, pool, batch_seconds)
    for own in waiting:
        yield own.answer(ensemble)


def blocks_of(num_samples: int, most: int) -> list[tuple[int, int]]:
    """Consecutive blocks of at most `most` samples; a rest shorter than an analysis window joins the last block.

    Example:
        >>> blocks_of(5000, 2000), blocks_of(4100, 2000)
        ([(0, 2000), (2000, 4000), (4000, 5000)], [(0, 2000), (2000, 4100)])
    """
    starts = list(range(0, max(num_samples, 1), most))
    if len(starts) > 1 and num_samples - starts[-1] < WINDOW_SAMPLES:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_samples], strict=True))


def _answer(ensemble: Ensemble, pool: list[tuple[_Open, np.ndarray, Tensor | None]], batch_seconds: float) -> None:
    """Answer for all blocks of the pool, and empty it."""
    if not pool:
        return
    statistics = None if pool[0][2] is None else [spoken for _, _, spoken in pool]
    found = ensemble.posteriors([samples for _, samples, _ in pool], batch_seconds, statistics)
    for place, (own, samples, _) in enumerate(pool):
        own.answers.append(found.each[:, place])
        own.magnitudes.append(found.magnitudes[place])
        own.weights.append(len(samples))
        own.missing -= 1
    pool.clear()
