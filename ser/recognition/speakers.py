"""Standardise by the audio of each speaker, for systems that were trained so."""

import os
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ser.audio.frames import SAMPLE_RATE_HZ, SHIFT_SAMPLES, WINDOW_SAMPLES
from ser.audio.sound import Sound
from ser.errors import InputError
from ser.networks.spectrogram import Moments
from ser.recognition.ensemble import Ensemble
from ser.recognition.recordings import Recording, read_sounds

NEEDED = (
    "this system standardises the spectrogram by each speaker's own audio; give --speaker FILE ... (other recordings "
    "of the person who speaks) or a CSV file with the columns path and speaker"
)
_PIECE_SAMPLES = 60 * SAMPLE_RATE_HZ


class SpeakerStatistics:
    """Mean and deviation of the spectrogram for the speaker of each recording.

    Args:
        recordings: those to answer for.
        of_speaker: recordings of the speaker of all of them, or with a speaker each; without them, the recordings
            themselves must have speakers.

    Raises:
        InputError: if speakers are not known, or their audio cannot be used.
    """

    def __init__(self, ensemble: Ensemble, recordings: Sequence[Recording], of_speaker: Sequence[Recording]) -> None:
        known = of_speaker or recordings
        unnamed = [recording.name for recording in known if not recording.speaker]
        if unnamed and not of_speaker:
            missing = "" if len(unnamed) == len(known) else f"{unnamed[0]}: has no speaker; "
            raise InputError(missing + NEEDED)
        if unnamed and len(unnamed) < len(known):
            raise InputError(f"{unnamed[0]}: has no speaker, but other recordings of --speaker have one")
        self._speakers = {} if unnamed else {_key(recording): recording.speaker for recording in known}
        for recording in recordings:
            if self._speakers and not self._speaker(recording):
                raise InputError(f"{recording.name}: is not in the list of --speaker, so its speaker is not known")
        wanted = {self._speaker(recording) for recording in recordings}
        groups: dict[str, list[Recording]] = {}
        for recording in known:
            if recording.speaker in wanted:
                groups.setdefault(recording.speaker, []).append(recording)
        self._statistics = {speaker: _measure(ensemble, group, bool(of_speaker)) for speaker, group in groups.items()}

    def _speaker(self, recording: Recording) -> str:
        return recording.speaker or self._speakers.get(_key(recording), "") if self._speakers else ""

    def of(self, recording: Recording) -> Tensor:
        """Statistics of the recording's speaker, (2, bins)."""
        return self._statistics[self._speaker(recording)]


def _key(recording: Recording) -> str:
    return os.path.realpath(recording.path)


def _measure(ensemble: Ensemble, recordings: Iterable[Recording], all_needed: bool) -> Tensor | None:
    """Mean and deviation over all frames of some recordings, (2, bins); None if none of them can be read.

    Args:
        all_needed: refuse a recording that cannot be used; else leave it out.
    """
    moments, too_short, measured = Moments(), [], 0
    for recording, sound in read_sounds(recordings):
        if not isinstance(sound, Sound):
            if all_needed:
                raise InputError(f"--speaker: {sound}")
            continue
        sound = ensemble.heard_part(sound)
        if sound.num_samples < WINDOW_SAMPLES:
            if all_needed:
                raise InputError(f"--speaker: {recording.name}: shorter than an analysis window")
            too_short.append(recording)
            continue
        if all_needed and "silent" in sound.cautions:
            raise InputError(f"--speaker: {recording.name}: silent ({sound.cautions['silent']})")
        measured += 1
        for start in range(0, sound.num_samples, _PIECE_SAMPLES):
            # Neighbours share the samples of a window, so that no frame is left out.
            piece = sound.read(start, start + _PIECE_SAMPLES + WINDOW_SAMPLES - SHIFT_SAMPLES)
            if len(piece) >= WINDOW_SAMPLES:
                with torch.no_grad():
                    moments.add(ensemble.system.spectrogram(torch.from_numpy(piece)[None].to(ensemble.device))[0].cpu())
    if too_short and not measured:
        raise InputError(f"{too_short[0].name}: shorter than an analysis window; its speaker has no longer recordings")
    return moments.statistics() if measured else None
