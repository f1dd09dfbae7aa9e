"""A corpus that trains in a second, for tests with many trainings: short recordings of the built-in corpus, cut."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from ser.data import Synthetic

UTTERANCES_PER_SPEAKER = 8  # the minimum
SECONDS = 0.3  # also of a segment, which cannot be shorter than the shortest tail kept by default
SHARES = (1, 0.85, 0.6, 0.85)  # unequal lengths, so that batches are padded
COLUMNS = ["utterance", "path", "session", "speaker", "emotion", "dialog_half"]


def shorten(paths: Iterable[Path], seconds: float) -> None:
    """Cut recordings to `seconds` times each of `SHARES` in turn."""
    for path, share in zip(paths, cycle(SHARES), strict=False):
        with wave.open(str(path), "rb") as whole:
            settings, samples = whole.getparams(), whole.readframes(round(share * seconds * whole.getframerate()))
        with wave.open(str(path), "wb") as cut:
            cut.setparams(settings)
            cut.writeframes(samples)


def write_short_corpus(folder: Path, seconds: float = SECONDS, sessions: int = 5, built_in: Path | None = None) -> Path:
    """Write the built-in corpus and a table of each speaker's shortest utterance of each emotion, eight per session.

    Args:
        folder: for both.
        seconds: length of the longest recordings, see `shorten`.
        sessions: number of sessions in the table.
        built_in: a built-in corpus with `UTTERANCES_PER_SPEAKER` to copy; None writes a new one.

    Returns:
        The table, a CSV file for `ser.data.Manifest`.
    """
    if built_in:
        shutil.copytree(built_in, folder / "built-in")
    corpus = Synthetic(str(folder / "built-in"), UTTERANCES_PER_SPEAKER)
    corpus.prepare()
    table = corpus.utterances()
    shortest = table.loc[table.groupby(["speaker", "emotion"], observed=True).seconds.idxmin()]
    shortest = shortest[shortest.session.isin(sorted(table.session.unique())[:sessions])].sort_values("utterance")
    shortest[COLUMNS].to_csv(folder / "short.csv", index=False)
    for _, rows in shortest.groupby("speaker"):
        shorten(map(Path, rows.path), seconds)
    return folder / "short.csv"


def short_options(table: Path) -> dict[str, object]:
    """Options of a run on this corpus: a few steps in one epoch, without W&B."""
    corpus = {"class_path": "ser.data.Manifest", "init_args": {"csv": str(table), "name": "short"}}
    return {
        "data.corpus": corpus,
        "data.batch_size": 4,
        "data.segment_seconds": SECONDS,
        "trainer.max_epochs": 1,
        "wandb.mode": "disabled",
    }
