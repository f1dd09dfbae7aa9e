"""The shortest recordings of the built-in corpus, cut: what trains in a second, for work that starts many trainings."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from ser.data import Synthetic

UTTERANCES_PER_SPEAKER = 8  # the fewest
SECONDS = 0.3  # of a segment too, which may not be shorter than the shortest tail that is kept by default
SHARES = (1, 0.85, 0.6, 0.85)  # recordings of unequal length, or nothing would ever be padded
COLUMNS = ["utterance", "path", "session", "speaker", "emotion", "dialog_half"]


def shorten(paths: Iterable[Path], seconds: float) -> None:
    """Cut recordings, in turn to so many seconds and to 0.85, 0.6 and 0.85 of them."""
    for path, share in zip(paths, cycle(SHARES), strict=False):
        with wave.open(str(path), "rb") as whole:
            settings, samples = whole.getparams(), whole.readframes(round(share * seconds * whole.getframerate()))
        with wave.open(str(path), "wb") as cut:
            cut.setparams(settings)
            cut.writeframes(samples)


def write_short_corpus(folder: Path, seconds: float = SECONDS, sessions: int = 5, built_in: Path | None = None) -> Path:
    """Write the built-in corpus and a table of each speaker's shortest utterance of each emotion, eight in a session.

    Args:
        folder: receives both.
        seconds: of the longest recordings, see `shorten`.
        sessions: how many are in the table.
        built_in: the built-in corpus with so many utterances per speaker, to be copied; without it one is written.

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
    """Options of a run on these recordings: a few steps per epoch, and nothing tracked."""
    corpus = {"class_path": "ser.data.Manifest", "init_args": {"csv": str(table), "name": "short"}}
    return {
        "data.corpus": corpus,
        "data.batch_size": 4,
        "data.segment_seconds": SECONDS,
        "trainer.max_epochs": 1,
        "wandb.mode": "disabled",
    }
