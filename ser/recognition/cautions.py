"""What makes the answer for a recording doubtful, each with its measurement."""

from collections.abc import Iterable

import numpy as np
import torch

from ser.audio.frames import FRAMES_PER_SECOND, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from ser.audio.silence import Trim, speech
from ser.audio.sound import Sound
from ser.data.corpora.cautions import LONG_SILENCE_SECONDS
from ser.recognition.ensemble import Ensemble
from ser.recognition.recordings import Recording
from ser.systems.lineage import HEARD, printable
from ser.systems.system import System

LEVEL_DB = 12  # of 339 recordings of EMO-DB, none is farther than 9 dB from the mean level
LEVEL_SECONDS = 10  # in the middle of a recording
WHAT_FOR = {"train": "trained", "val": "validated"}


def cautions(ensemble: Ensemble, recording: Recording, sound: Sound, levels: np.ndarray) -> dict[str, str]:
    """Everything doubtful about one recording: a word or two, and its measurement.

    Args:
        sound: before silence is trimmed.
        levels: its variance in every 10 ms.
    """
    found = {}
    if sound.num_samples < WINDOW_SAMPLES:
        shown = f"{1000 * sound.seconds:.1f} ms, less than an analysis window"
        found["short"] = f"{shown} of {1000 * WINDOW_SAMPLES // SAMPLE_RATE_HZ} ms; silence is added"
    found |= sound.cautions
    if "silent" not in found and not ensemble.per_speaker:
        found |= level_difference(ensemble.system, _middle(ensemble.heard_part(sound, levels)))
    if ensemble.trim is None:
        found |= silent_ends(levels)
    return found | used_in_training(ensemble, recording, sound)


def _middle(sound: Sound) -> np.ndarray:
    most = LEVEL_SECONDS * SAMPLE_RATE_HZ
    start = max((sound.num_samples - most) // 2, 0)
    return sound.read(start, start + most)


def level_difference(system: System, samples: np.ndarray) -> dict[str, str]:
    """A level far from that of the training audio, by the mean magnitude of the spectrogram.

    Args:
        samples: (samples,) at 16 kHz.
    """
    padded = torch.zeros(max(len(samples), WINDOW_SAMPLES))
    padded[: len(samples)] = torch.from_numpy(samples)
    with torch.no_grad():
        device = system.standardisation.statistics.device
        found = system.spectrogram(padded[None].to(device)).double().mean().item()
    trained = system.standardisation.statistics[0].double().mean().item()
    if system.spectrogram.magnitude == "log":
        decibels = 20 / np.log(10) * (found - trained)
    else:
        decibels = 20 * np.log10(max(found, 1e-12) / max(trained, 1e-12))
    if abs(decibels) < LEVEL_DB:
        return {}
    word, comparison = ("loud", "above") if decibels > 0 else ("quiet", "below")
    return {word: f"{abs(decibels):.0f} dB {comparison} the mean of the training audio"}


def silent_ends(levels: np.ndarray) -> dict[str, str]:
    """Long silence before or after the speech."""
    first, last = speech(levels, Trim.threshold_db)
    before, after = first / FRAMES_PER_SECOND, (len(levels) - last) / FRAMES_PER_SECOND
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
