"""Predictions tables of a system with two branches."""

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns


def table(actual, capsule, gru, speakers, folds=1, lambda_=0.6, emotions=PAPER_EMOTIONS):
    """A predictions table of a system with two branches, from given posteriors."""
    capsule, gru = np.asarray(capsule, float), np.asarray(gru, float)
    posterior = lambda_ * capsule + (1 - lambda_) * gru
    rows = pd.DataFrame(
        {
            "utterance": [f"u{i}" for i in range(len(actual))],
            "speaker": np.asarray(speakers).astype(str),
            "session": "1",
            "seed": 1,
            "fold": folds,
            "emotion": [emotions[i] for i in actual],
            "predicted": [emotions[i] for i in posterior.argmax(1)],
        }
    )
    for branch, values in (("", posterior), ("capsule", capsule), ("gru", gru)):
        rows[posterior_columns(emotions, branch)] = values
    return rows


def sample(seed, utterances=120, folds=2, sharpness=1.5, emotions=PAPER_EMOTIONS):
    """Two branches with independent errors, each right in most cases."""
    generator = np.random.default_rng(seed)
    number = len(emotions)
    actual = generator.integers(0, number, utterances)
    logits = generator.normal(size=(2, utterances, number)) + sharpness * np.eye(number)[actual]
    capsule, gru = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    fold = np.arange(utterances) % folds + 1
    speakers = 10 * fold + generator.integers(0, 3, utterances)
    return table(actual, capsule, gru, speakers, folds=fold, emotions=emotions)


def one_branch_wrong_each():
    """Four utterances with certain posteriors: the GRU is wrong on the third, the capsules on the fourth."""
    right, wrong = np.eye(4), np.roll(np.eye(4), 1, axis=1)
    return table(range(4), [*right[:3], wrong[3]], [*right[:2], wrong[2], right[3]], speakers=[1, 2, 1, 2])
