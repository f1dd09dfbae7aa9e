"""The corpus that a trained system is tested on."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ser.bounds import Emotions, check, checked
from ser.data.corpora.corpus import Corpus
from ser.data.datamodule import EmotionData
from ser.data.labels import Labels
from ser.data.protocols.protocol import WholeCorpus
from ser.errors import InputError, nearest
from ser.systems.lineage import audio_options, emotions_in


class Target:
    """The corpus to test on.

    Args:
        corpus: where the utterances come from; all of them are tested.
        emotions: emotions to score, in the order of the tables; by default those that the system and the corpus have.
        merge: labels that count as an emotion of the system, as {joy: happy}.
        max_batch_seconds: audio of a batch, padding included.
        num_workers: worker processes that read audio.
    """

    @checked("data.")
    def __init__(
        self,
        corpus: Corpus,
        emotions: list[str] | None = None,
        merge: dict[str, str] | None = None,
        max_batch_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0,
        num_workers: Annotated[int, Field(ge=0, le=256)] = 0,
    ) -> None:
        if emotions is not None:
            check("data.emotions", emotions, Emotions)
        self.corpus, self.emotions, self.merge = corpus, emotions, merge
        self.options = {"max_batch_seconds": max_batch_seconds, "num_workers": num_workers}

    def data(self, checkpoint: Mapping) -> EmotionData:
        """Read the corpus: the utterances of the emotions that it shares with the system of a checkpoint.

        Raises:
            InputError: if there are fewer than two, a chosen one is not an emotion of the system, or no utterance has a
                chosen emotion or a merged label.
        """
        known = emotions_in(checkpoint)
        for emotion in self.emotions or ():
            if emotion not in known:
                raise InputError(
                    f"data.emotions: the system has no emotion {emotion!r}{nearest(emotion, known)} "
                    f"(it answers with {', '.join(known)})"
                )
        labels = Labels(self._shared(known), self.merge)
        options = {**audio_options(checkpoint), **self.options}
        data = EmotionData(self.corpus, list(labels.emotions), labels.merge, **options)
        data.emotions, data.rules = tuple(known), WholeCorpus()
        data.setup()
        return data

    def _shared(self, known: list[str]) -> list[str]:
        """The emotions to score: those asked for, or those of the system that the corpus has."""
        whole, (rows, _, problems) = Labels(self.emotions or known, self.merge), self.corpus.listed()
        if problems:
            return list(whole.emotions)  # reading the corpus reports them
        there = sorted({row["emotion"] for row in rows})
        if typos := [label for label in whole.merge if label not in there]:
            raise InputError(
                f"data.merge: no utterance is labelled {typos[0]!r}{nearest(typos[0], there)} "
                f"(labels of {self.corpus.name}: {', '.join(there)})"
            )
        found = {whole.emotion_of(label) for label in there}
        shared = [emotion for emotion in known if emotion in found]
        if self.emotions or len(shared) > 1:
            return self.emotions or shared
        raise InputError(
            f"the system answers with {', '.join(known)}, but of these {self.corpus.name} has only "
            f"{', '.join(shared) or 'none'} (its labels: {', '.join(there)}); "
            "--data.merge '{LABEL: EMOTION}' counts a label as one of the system's emotions"
        )
