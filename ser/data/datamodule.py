"""One LightningDataModule for all corpora, protocols and systems."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from lightning import LightningDataModule, Trainer
from pydantic import Field
from torch.utils.data import DataLoader

from ser.audio.frames import FRAMES_PER_SECOND, num_samples
from ser.audio.silence import MarginSeconds, ThresholdDb, Trim
from ser.audio.waveforms import Waveforms
from ser.bounds import Emotions, Seed, checked
from ser.data.anonymous_memory import avoid_shared_files, check_semaphores
from ser.data.corpora.corpus import Corpus
from ser.data.folds import set_warnings
from ser.data.labels import Labels
from ser.data.leaks import Shared, check_leaks, recording_digests
from ser.data.protocols import make_protocol
from ser.data.segments import EvaluationBatches, Pieces, TrainingBatches, cut
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.processes.interruption import leave_signals_to_parent


class EmotionData(LightningDataModule):
    """The utterances of one fold: segments for training, whole utterances for validation and test.

    Args:
        corpus: the corpus to read.
        emotions: labels to use; their order is the order of every table and posterior.
        merge: labels that count as another emotion, as {excited: happy}.
        protocol: "speaker" tests one of the two speakers of the left-out session and validates on the other; "wu2019"
            halves the session by dialog letter, as in the paper's tables; "session", "one_speaker" and
            "speaker_groups" test one session, speaker or group of speakers and validate on the next; "split" takes the
            sets from a file. `ser protocol --help` describes them.
        fold: 1 to the number of folds. Of five sessions, "speaker" has ten (6-10 swap the two speakers), "wu2019" five.
        test_halves: the tested dialog half of each session under "wu2019"; MMFFF gives Table 2, MMFFM Table 3.
        num_folds: number of groups under "speaker_groups".
        splits: CSV file under "split", with the columns utterance, set (train, val or dev, test) and, for several
            folds, fold.
        allow_leaks: whether the sets of a "split" may share speakers or recordings (`--allow_leaks`).
        statistics: audio whose statistics standardise the spectrogram: "train" (the training set), "corpus" (all audio
            including test, as in the paper) or "speaker" (each speaker's own audio; transductive).
        trim_silence: cut off silence at the two ends of every utterance, not at a pause inside.
        trim_threshold_db: sound this much weaker than the loudest of an utterance is silence.
        trim_margin_seconds: silence to keep at either end, rounded to 10 ms.
        segment_seconds: length of a training segment, counted in frames of 10 ms.
        min_tail_seconds: a shorter remainder after full segments is left out of training.
        batch_size: segments of a training step, summed over devices.
        max_batch_seconds: audio of an evaluation batch, padding included, summed over devices.
        num_workers: worker processes that read audio; with 0, or a single batch, the training process reads it.
        seed: determines the order of the segments.
    """

    @checked("data.")
    def __init__(
        self,
        corpus: Corpus,
        emotions: Emotions = PAPER_EMOTIONS,
        merge: dict[str, str] | None = None,
        protocol: Literal["speaker", "wu2019", "session", "one_speaker", "speaker_groups", "split"] = "speaker",
        fold: int = 1,
        test_halves: str = "MMFFF",
        num_folds: Annotated[int | None, Field(ge=3, le=10_000)] = None,
        splits: str | None = None,
        allow_leaks: bool = False,
        statistics: Literal["train", "corpus", "speaker"] = "train",
        trim_silence: bool = False,
        trim_threshold_db: ThresholdDb = Trim.threshold_db,
        trim_margin_seconds: MarginSeconds = Trim.margin_seconds,
        segment_seconds: Annotated[float, Field(ge=0.1, le=60)] = 2.0,
        min_tail_seconds: Annotated[float, Field(ge=0, le=60)] = 0.3,
        batch_size: Annotated[int, Field(ge=1, le=4096)] = 16,
        max_batch_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0,
        num_workers: Annotated[int, Field(ge=0, le=256)] = 0,
        seed: Seed = 1,
    ) -> None:
        super().__init__()
        if min_tail_seconds > segment_seconds:
            raise InputError(f"data.min_tail_seconds is {min_tail_seconds}, but segments have only {segment_seconds} s")
        self.labels = Labels(emotions, merge)
        self.emotions = self.labels.emotions
        self.left_out: dict[str, int] = {}  # utterances of other labels
        self.corpus, self.protocol, self.fold, self.allow_leaks = corpus, protocol, fold, allow_leaks
        self.rules = make_protocol(protocol, test_halves, num_folds, splits)
        if allow_leaks and not self.rules.may_leak:
            raise InputError(f"allow_leaks applies to protocol split, whose sets come from a file, not to {protocol}")
        self.statistics, self.batch_size, self.num_workers, self.seed = statistics, batch_size, num_workers, seed
        trim = Trim(float(trim_threshold_db), float(trim_margin_seconds))
        self.trim = trim if trim_silence else None
        self.trims_in_vain = not trim_silence and trim != Trim()
        self.segment_frames = round(segment_seconds * FRAMES_PER_SECOND)
        self.min_tail_frames = round(min_tail_seconds * FRAMES_PER_SECOND)
        self.max_batch_frames = max(round(max_batch_seconds * FRAMES_PER_SECOND), 1)
        self.others: list[EmotionData] = []  # folds that the training validates besides this one
        self.leaks: list[str] = []  # found by `check_leaks`
        self.utterances: pd.DataFrame | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read and check the corpus, split it, cut the segments; a second call does nothing."""
        if self.utterances is not None:
            return
        check_semaphores(self.num_workers)
        utterances, self.left_out = self.corpus.select(self.labels)
        self.rules.known = self.corpus.names
        sets = self.rules.sets(utterances, self.fold)
        self.waveforms = Waveforms(utterances, trim=self.trim)
        self._divide(utterances.assign(set=sets))

    def _divide(self, utterances: pd.DataFrame) -> None:
        """Cut the segments of the training set, and list the utterances of the other sets."""
        emotions = utterances.emotion.map(self.emotions.index).to_numpy()
        rows = np.flatnonzero(utterances.set == "train")
        segments = cut(rows, self.waveforms.num_samples[rows], self.segment_frames, self.min_tail_frames)
        self.tails_left_out = segments.tails_left_out
        width = num_samples(self.segment_frames)
        self.pieces = {"train": Pieces(self.waveforms, *segments[:3], emotions, width)}
        for name in ("val", "test"):
            rows = np.flatnonzero(utterances.set == name)
            lengths = self.waveforms.num_samples[rows]
            self.pieces[name] = Pieces(self.waveforms, rows, np.zeros_like(rows), lengths, emotions)
        self.utterances = utterances

    @property
    def speaker_identities(self) -> dict[str, list[str]]:
        """Speakers of each set, with the corpus name as prefix ("iemocap:Ses01F")."""
        speakers = self.utterances[self.utterances.set != ""].groupby("set").speaker.unique()
        return {name: [f"{self.corpus.name}:{each}" for each in sorted(found)] for name, found in speakers.items()}

    @cached_property
    def recordings(self) -> list[str]:
        """Digest of every utterance's samples before silence is trimmed; equal for copies under other names."""
        return recording_digests(self.waveforms, len(self.utterances))

    @property
    def digests(self) -> dict[str, list[str]]:
        """The recordings' digests by set."""
        digests: dict[str, list[str]] = {"train": [], "val": [], "test": [], "": []}
        for name, recording in zip(self.utterances.set, self.recordings, strict=True):
            digests[name].append(recording)
        del digests[""]
        return digests

    @property
    def corpus_digest(self) -> str:
        """Digest of names, labels and audio of the used utterances, independent of their folder."""
        columns = ["utterance", "session", "speaker", "dialog_half", "emotion", "seconds"]
        if self.utterances[["start", "end"]].notna().any(axis=None):
            columns += ["start", "end"]
        labels = self.utterances[columns].to_csv(index=False)
        return blake2b((labels + " ".join(self.recordings)).encode(), digest_size=8).hexdigest()

    @property
    def fold_name(self) -> str | None:
        """The fold's name in the file of protocol `split`, if it is not its number."""
        return self.rules.fold_name(self.fold)

    @property
    def warnings(self) -> list[str]:
        """What weakens the fold, and what its protocol has to say about it."""
        vain = ["silence is not trimmed, although a threshold or margin is given: data.trim_silence is false"]
        found = [*set_warnings(self.utterances), *self.rules.remarks(self.utterances, self.fold)]
        return found + vain * self.trims_in_vain

    def check_leaks(self) -> Shared:
        """What the sets share; leaks are refused, or kept in `leaks` if they are allowed.

        Raises:
            InputError: with the names of what leaks.
        """
        overlaps, self.leaks = check_leaks(self.utterances, self.recordings, self.rules, self.allow_leaks)
        return overlaps

    def at_fold(self, fold: int) -> EmotionData:
        """Another fold of the same corpus, whose audio is not read again.

        Raises:
            InputError: if the protocol has no such fold.
        """
        self.recordings  # noqa: B018 (is computed once, for all folds)
        other = copy(self)
        other.fold, other.others, other.leaks = fold, [], []
        other._divide(self.utterances.assign(set=self.rules.sets(self.utterances, fold)))
        return other

    def check_devices(self, trainer: Trainer) -> None:
        """Refuse a trainer whose processes cannot share the batches equally.

        Raises:
            InputError: naming the option to change.
        """
        if trainer.world_size > 1 and trainer._accelerator_connector.use_distributed_sampler:
            raise InputError("trainer.use_distributed_sampler must be false: ser distributes the batches itself")
        if self.batch_size % trainer.world_size:
            devices = f"{trainer.world_size}, the number of devices"
            raise InputError(f"data.batch_size is {self.batch_size}, but must be divisible by {devices}")

    def _rank(self) -> tuple[int, int]:
        if self.trainer is None:
            return 0, 1
        self.check_devices(self.trainer)
        return self.trainer.global_rank, self.trainer.world_size

    def _loader(self, pieces: Pieces, sampler: TrainingBatches | EvaluationBatches) -> DataLoader:
        batches = len(sampler)
        workers = min(self.num_workers, batches) if batches > 1 else 0
        return DataLoader(
            pieces,
            batch_size=None,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_begin_reading if workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def train_dataloader(self) -> DataLoader:
        epoch, batches = 0, 0  # completed before training was resumed
        if self.trainer is not None:
            loop = self.trainer.fit_loop
            trained = loop.epoch_loop.batch_progress.current.processed
            epoch, batches = loop.epoch_progress.current.processed, trained % self.steps_per_epoch
        size = len(self.pieces["train"]), self.batch_size
        return self._loader(self.pieces["train"], TrainingBatches(*size, self.seed, *self._rank(), epoch, batches))

    @property
    def steps_per_epoch(self) -> int:
        """Training batches per epoch."""
        return -(-len(self.pieces["train"]) // self.batch_size)

    def _evaluation_loader(self, pieces: Pieces) -> DataLoader:
        return self._loader(pieces, EvaluationBatches(pieces.lengths, self.max_batch_frames, *self._rank()))

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        loaders = [self._evaluation_loader(data.pieces["val"]) for data in (self, *self.others)]
        return loaders if len(loaders) > 1 else loaders[0]

    def test_dataloader(self) -> DataLoader:
        return self._evaluation_loader(self.pieces["test"])


def _begin_reading(worker: int) -> None:
    leave_signals_to_parent(worker)
    avoid_shared_files()
