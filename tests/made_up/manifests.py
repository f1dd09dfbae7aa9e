"""Small corpora of noise as manifests."""

from __future__ import annotations

from pathlib import Path

from ser.emotions import PAPER_EMOTIONS
from tests.made_up.release import noise, write_wav

SHORT = {"segment_seconds": 0.1, "min_tail_seconds": 0.04}  # data options for these recordings


def write_manifest(folder: Path, name: str, speakers: str, seed: int, emotions: list[str] = PAPER_EMOTIONS) -> Path:
    """Write `NAME.csv`: two sessions of two speakers, named by one letter each; per emotion one recording of 0.2 s.

    Fold 1 tests the first speaker and validates on the second, fold 2 the third and the fourth; folds 3 and 4 are the
    other directions.
    """
    lines = ["utterance,path,session,speaker,emotion"]
    for number, (who, emotion) in enumerate((who, emotion) for who in speakers for emotion in emotions):
        write_wav(folder / f"{name}{number}.wav", noise(0.2, seed=1000 * seed + number))
        lines.append(f"{name}{number},{name}{number}.wav,{speakers.index(who) // 2},{who},{emotion}")
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines))
    return path
