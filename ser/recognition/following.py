"""Follow the emotions of a recording: answer for its windows, and join them to a timeline."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor
from tqdm import tqdm

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.sound import Sound
from ser.recognition.answers import SPREAD, entropy
from ser.recognition.cautions import cautions, level_difference
from ser.recognition.ensemble import Ensemble
from ser.recognition.recordings import Recording
from ser.recognition.speech import by_energy, by_silero
from ser.recognition.stretches import TimelineOptions, segments_of, smoothed, stretches_of, windows_of
from ser.recognition.timeline import Timeline
from ser.results.predictions import posterior_columns

BATCHES = 8  # of windows that are read at once


def follow(
    ensemble: Ensemble,
    recording: Recording,
    sound: Sound,
    options: TimelineOptions,
    batch_seconds: float,
    statistics: Tensor | None = None,
) -> Timeline:
    """The timeline of a recording.

    Args:
        batch_seconds: audio of a batch, padding included.
        statistics: (2, bins) of the speaker.
    """
    levels = sound.levels()
    found = cautions(ensemble, recording, sound, levels)
    speech = by_silero(sound) if options.silence == "silero" else by_energy(levels, options.silence_db, sound.seconds)
    edges = windows_of(sound.num_samples, options)
    starts, ends = np.array(edges).T / SAMPLE_RATE_HZ
    centres = (starts + ends) / 2
    stretches = stretches_of(centres, speech)
    silent = stretches < 0
    spoken = [edge for edge, without in zip(edges, silent, strict=True) if not without]
    number = len(ensemble.emotions)
    each = np.full((len(ensemble.members), len(edges), number), np.nan)
    inner = np.full((2, len(edges), number), np.nan)
    if spoken:
        answered = _answers(ensemble, sound, spoken, batch_seconds, statistics)
        each[:, ~silent], inner[:, ~silent] = answered[:2]
        found |= level_difference(ensemble, answered[2].mean())
    mean = each.mean(axis=0)
    places = smoothed(mean, stretches, options.smoothing)
    answers = [ensemble.emotions[place] if place >= 0 else "" for place in places]
    table = {"start": starts, "end": ends, "emotion": answers, "silent": silent}
    table |= _columns(posterior_columns(ensemble.emotions), mean)
    if len(each) > 1:
        table |= _columns([f"{SPREAD}{emotion}" for emotion in ensemble.emotions], each.std(axis=0, ddof=1))
    table["entropy"] = np.where(silent, np.nan, entropy(np.nan_to_num(mean)))
    if ensemble.has_capsules:
        for name, values in zip(("length", "coupling"), inner, strict=True):
            table |= _columns([f"{name}_{capsule}" for capsule in range(1, number + 1)], values)
    windows = pd.DataFrame(table)
    segments = segments_of(centres, answers, stretches, speech, sound.seconds)
    systems = tuple(member.name for member in ensemble.members)
    return Timeline(recording.name, sound.seconds, ensemble.emotions, windows, segments, found, options, systems)


def _answers(
    ensemble: Ensemble, sound: Sound, edges: list[tuple[int, int]], batch_seconds: float, statistics: Tensor | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors (systems, windows, emotions), lengths and coupling of capsules (2, windows, emotions), magnitudes."""
    longest = max(stop - start for start, stop in edges)
    at_once = max(int(BATCHES * batch_seconds * SAMPLE_RATE_HZ / longest), 1)
    each, inner, magnitudes = [], [], []
    with tqdm(total=len(edges), desc="windows", disable=None, leave=False, delay=1) as bar:
        for first in range(0, len(edges), at_once):
            some = edges[first : first + at_once]
            waveforms = [ensemble.heard_part(sound.part(*edge)).read() for edge in some]
            own = None if statistics is None else [statistics] * len(some)
            found = ensemble.posteriors(waveforms, batch_seconds, own)
            each.append(found.each)
            inner.append(np.stack([found.lengths, found.coupling]) if ensemble.has_capsules else found.each[[0, 0]])
            magnitudes.append(found.magnitudes)
            bar.update(len(some))
    return np.concatenate(each, axis=1), np.concatenate(inner, axis=1), np.concatenate(magnitudes)


def _columns(names: Sequence[str], values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, values.T, strict=True))
