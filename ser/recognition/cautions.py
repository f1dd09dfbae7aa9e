"""What makes the answer for a recording doubtful, each with its measurement."""

from collections.abc import Iterable

import numpy as np

from ser.audio.frames import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from ser.audio.silence import silence_of
from ser.audio.sound import Sound
from ser.data.corpora.cautions import LONG_SILENCE_SECONDS
from ser.networks.spectrogram import FLOOR
from ser.recognition.ensemble import LEVEL_BINS, Ensemble
from ser.recognition.recordings import Recording
from ser.systems.lineage import HEARD, printable

LEVEL_DB = 15  # the recordings of EMO-DB are between 6 dB below and 13 dB above the mean, which includes silence
WHAT_FOR = {"train": "trained", "val": "validated"}


def cautions(ensemble: Ensemble, recording: Recording, sound: Sound, levels: np.ndarray) -> dict[str, str]:
    """Everything doubtful about one recording but its level: a word or two, and its measurement.

    Args:
        sound: before silence is trimmed.
        levels: its variance in every 10 ms.
    """
    found = {}
    if sound.num_samples < WINDOW_SAMPLES:
        shown = f"{1000 * sound.seconds:.1f} ms, less than an analysis window"
        found["short"] = f"{shown} of {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms; silence is added"
    found |= sound.cautions
    if ensemble.trim is None:
        found |= silent_ends(levels)
    return found | used_in_training(ensemble, recording, sound)


def level_difference(ensemble: Ensemble, magnitude: float) -> dict[str, str]:
    """A level far from that of the training audio.

    Args:
        magnitude: mean of `LEVEL_BINS` of the recording's spectrogram, without silence.
    """
    if ensemble.per_speaker:
        return {}
    spectrogram, statistics = ensemble.system.spectrogram, ensemble.system.standardisation.statistics
    trained = statistics[0, LEVEL_BINS].double().mean().item()
    if spectrogram.magnitude == "log":
        decibels = 20 / np.log(10) * (magnitude - trained)
    else:
        decibels = 20 * np.log10(max(magnitude, FLOOR) / max(trained, FLOOR))
    if abs(decibels) < LEVEL_DB:
        return {}
    word, comparison = ("loud", "above") if decibels > 0 else ("quiet", "below")
    return {word: f"{abs(decibels):.0f} dB {comparison} the mean of the training audio"}


def silent_ends(levels: np.ndarray) -> dict[str, str]:
    """Long silence before or after the speech."""
    before, after = silence_of(levels)
    if max(before, after) <= LONG_SILENCE_SECONDS:
        return {}
    shown = f"{before:.1f} s before and {after:.1f} s after the speech"
    return {"silence at the ends": f"{shown}; the system was trained without trimming"}


def used_in_training(ensemble: Ensemble, recording: Recording, sound: Sound) -> dict[str, str]:
    """Whether the recording, or a speaker of its name, was in the training or validation set of a system."""
    found = {}
    digest = sound.digest()
    for role in HEARD:
        number = sum(digest in member.heard["recordings"][role] for member in ensemble.members)
        if number:
            found[f"{WHAT_FOR[role]} on"] = f"this recording{_share(number, len(ensemble.members))}"
        if recording.speaker:
            each = [_namesakes(recording.speaker, member.heard["speakers"][role]) for member in ensemble.members]
            if names := sorted({name for names in each for name in names}):
                share = _share(sum(map(bool, each)), len(each))
                found[f"speaker {WHAT_FOR[role]} on"] = f"{', '.join(map(printable, names))}{share}"
    return found


def _namesakes(speaker: str, identities: Iterable[str]) -> list[str]:
    """Identities ("emodb:03") of speakers of this name ("03")."""
    return [identity for identity in identities if identity.partition(":")[2] == speaker]


def _share(number: int, total: int) -> str:
    return f", by {number} of {total} systems" if total > 1 else ""
