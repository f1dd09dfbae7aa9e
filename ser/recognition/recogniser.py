"""A trained system, or all systems of a cross-validation, to use on one's own recordings."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.sound import Sound
from ser.bounds import check
from ser.errors import CorpusError, InputError
from ser.recognition.answers import Answer, as_table
from ser.recognition.ensemble import Ensemble, make_ensemble
from ser.recognition.following import follow
from ser.recognition.loading import find_checkpoints
from ser.recognition.predicting import predict
from ser.recognition.recordings import Recording, find_recordings, read_sounds
from ser.recognition.samples import given_samples
from ser.recognition.speakers import SpeakerStatistics
from ser.recognition.stretches import TimelineOptions
from ser.recognition.timeline import Timeline

MAX_SECONDS = 60.0
BATCH_SECONDS = 20.0  # a minute needs twice the memory, and is not faster

Source = str | os.PathLike | tuple[np.ndarray, int]


class Recogniser:
    """Answers for recordings; made by `ser.load`.

    A source is a path (a file, a folder that is searched for audio, or a CSV file with a column path), or
    (samples, sample_rate_hz) as `soundfile.read` returns them, or a list of such sources.

    Attributes:
        ensemble: the trained systems.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions, in the order of every posterior."""
        return self.ensemble.emotions

    @property
    def sample_rate_hz(self) -> int:
        """The rate that audio is converted to, 16000."""
        return SAMPLE_RATE_HZ

    def __repr__(self) -> str:
        number = len(self.ensemble.members)
        systems = type(self.ensemble.system).__name__ + (f" x {number}" if number > 1 else "")
        return f"<Recogniser {systems}: {', '.join(self.emotions)}>"

    def predict(
        self,
        source: Source | list[Source],
        speaker: Source | list[Source] | None = None,
        max_seconds: float = MAX_SECONDS,
        batch_seconds: float = BATCH_SECONDS,
    ) -> pd.DataFrame:
        """Answer for recordings.

        Args:
            source: see the class.
            speaker: recordings of the person who speaks, only for a system that is standardised by speaker.
            max_seconds: a longer recording is answered by the duration-weighted mean over blocks of this length.
            batch_seconds: audio of a batch; changes memory and speed, not the answer.

        Returns:
            One row per recording: path, emotion, p_<emotion>, with several systems the standard deviation sd_<emotion>,
            entropy (bits), seconds, cautions.

        Raises:
            InputError: if a recording cannot be used.
        """
        recordings = self._recordings(source)
        answers = list(self.answers(recordings, self._of_speaker(speaker), max_seconds, batch_seconds))
        if errors := [str(each) for each in answers if isinstance(each, AudioError)]:
            raise CorpusError("recordings", errors) if len(errors) > 1 else AudioError(errors[0])
        return as_table(answers, self.emotions)

    def posterior(self, source: Source | list[Source], **options) -> np.ndarray:
        """The posterior of one recording, (emotions,), or of a list of them, (recordings, emotions); as `predict`."""
        table = self.predict(source, **options)[[f"p_{emotion}" for emotion in self.emotions]].to_numpy()
        if isinstance(source, list):
            return table
        if len(table) > 1:
            raise InputError(f"{source} has {len(table)} recordings; posterior takes one, or a list")
        return table[0]

    def timeline(
        self,
        source: Source,
        speaker: Source | list[Source] | None = None,
        batch_seconds: float = BATCH_SECONDS,
        **options,
    ) -> Timeline:
        """The course of emotions in one recording.

        Args:
            source: a file, or (samples, sample_rate_hz).
            **options: of `TimelineOptions`: window_seconds, step_seconds, smoothing, silence, silence_db.

        Raises:
            InputError: if the recording or an option cannot be used.
        """
        recordings = self._recordings(source)
        if len(recordings) != 1:
            raise InputError(f"{source} has {len(recordings)} recordings; timeline takes one")
        found = next(self.timelines(recordings, self._of_speaker(speaker), TimelineOptions(**options), batch_seconds))
        if isinstance(found, Exception):
            raise found
        return found

    def answers(
        self,
        recordings: Sequence[Recording],
        of_speaker: Sequence[Recording] = (),
        max_seconds: float = MAX_SECONDS,
        batch_seconds: float = BATCH_SECONDS,
    ) -> Iterator[Answer | AudioError]:
        """The answer for each recording, or why it cannot be used; the arguments are those of `predict`."""
        check("max_seconds", max_seconds, Annotated[float, Field(ge=1, le=600)])
        check("batch_seconds", batch_seconds, Annotated[float, Field(gt=0, le=86_400)])
        statistics = self._statistics(recordings, of_speaker)
        return predict(self.ensemble, recordings, float(max_seconds), float(batch_seconds), statistics)

    def timelines(
        self,
        recordings: Sequence[Recording],
        of_speaker: Sequence[Recording],
        options: TimelineOptions,
        batch_seconds: float,
    ) -> Iterator[Timeline | Exception]:
        """The timeline of each recording, or why it cannot be used."""
        check("batch_seconds", batch_seconds, Annotated[float, Field(gt=0, le=86_400)])
        statistics = self._statistics(recordings, of_speaker)
        for recording, sound in read_sounds(recordings):
            if isinstance(sound, Sound):
                own = statistics.of(recording) if statistics else None
                yield follow(self.ensemble, recording, sound, options, batch_seconds, own)
            else:
                yield sound

    def _statistics(self, recordings: Sequence[Recording], of_speaker: Sequence[Recording]) -> SpeakerStatistics | None:
        if self.ensemble.per_speaker:
            return SpeakerStatistics(self.ensemble, recordings, of_speaker)
        if of_speaker:
            raise InputError("speaker: this system is not standardised by speaker, so it needs no recordings of one")
        return None

    def _recordings(self, source: Source | list[Source]) -> list[Recording]:
        found: list[Recording] = []
        for each in source if isinstance(source, list) else [source]:
            if isinstance(each, str | os.PathLike):
                listed = find_recordings([each])
                if listed.problems:
                    raise CorpusError("recordings", listed.problems)
                found += listed.found
            else:
                found.append(Recording("", samples=given_samples(each)))
        return found

    def _of_speaker(self, speaker: Source | list[Source] | None) -> list[Recording]:
        return [] if speaker is None else self._recordings(speaker)


def load(path: str | Path, device: str = "auto") -> Recogniser:
    """Load a trained system; `ser.load` describes it."""
    return Recogniser(make_ensemble(find_checkpoints(path), device))
