"""Predictions tables with given hits."""

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS


def predictions(hits, actual=None, speakers=None, seed=1, names=None, emotions=PAPER_EMOTIONS):
    """A table with given hits; a wrong prediction is the emotion after the actual one."""
    hits = np.asarray(hits, dtype=bool)
    actual = np.zeros(len(hits), int) if actual is None else np.asarray(actual)
    predicted = [emotions[(i + (not hit)) % len(emotions)] for i, hit in zip(actual, hits, strict=True)]
    return pd.DataFrame(
        {
            "utterance": [f"u{i}" for i in range(len(hits))] if names is None else names,
            "speaker": np.arange(len(hits)).astype(str) if speakers is None else np.asarray(speakers).astype(str),
            "seed": seed,
            "emotion": [emotions[i] for i in actual],
            "predicted": predicted,
            **{f"p_{emotion}": [float(each == emotion) for each in predicted] for emotion in emotions},
        }
    )


def sample(seed, utterances=300, speakers=10, accuracy=0.7):
    generator = np.random.default_rng(seed)
    actual, spoken_by = generator.integers(0, 4, utterances), generator.integers(0, speakers, utterances)
    return predictions(generator.random(utterances) < accuracy, actual, spoken_by)


def rehit(table, seed, accuracy=0.7):
    hits = np.random.default_rng(seed).random(len(table)) < accuracy
    actual = [PAPER_EMOTIONS.index(name) for name in table.emotion]
    return predictions(hits, actual, table.speaker, names=table.utterance)
