"""Time the bootstrap over speakers (10,000 draws), for one system and for a pair, on as many utterances as IEMOCAP has.

python benchmarks/bootstrap.py
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.results.statistics import bootstrap_speakers, compare

UTTERANCES, SPEAKERS = 2280, 10


def made_up(seed: int) -> pd.DataFrame:
    """Random predictions, about 70 % of them correct."""
    draw, answers = np.random.default_rng(1), np.random.default_rng(seed)
    actual, speaker = draw.integers(0, 4, UTTERANCES), draw.integers(0, SPEAKERS, UTTERANCES)
    wrong = answers.random(UTTERANCES) > 0.7
    return pd.DataFrame(
        {
            "utterance": [f"u{place}" for place in range(UTTERANCES)],
            "speaker": speaker.astype(str),
            "seed": 1,
            "emotion": [PAPER_EMOTIONS[place] for place in actual],
            "predicted": [PAPER_EMOTIONS[place] for place in (actual + wrong) % 4],
        }
    )


def main() -> None:
    first, second = made_up(1), made_up(2)
    for name, run in {
        "one system": lambda: bootstrap_speakers(first),
        "a pair": lambda: compare(first, second),
    }.items():
        started = time.perf_counter()
        run()
        print(f"{name:10s}  {time.perf_counter() - started:5.2f} s")


if __name__ == "__main__":
    main()
