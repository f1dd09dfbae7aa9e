"""The timeline of joined recordings by a trained system has the right answers, and boundaries where they change."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser.data import Synthetic
from tests.conftest import CONF
from tests.made_up.release import write_wav
from tests.shared_runs import run_once

PAUSE_SECONDS = 0.6


@pytest.fixture(scope="module")
def demo(made_once):
    """The README's first command: the folder of its corpus and of its run."""

    def make(place):
        Synthetic(str(place / "corpus")).prepare()
        words = ["fit", "--config", CONF / "reccap.yaml", "--config", CONF / "demo.yaml"]
        run_once(place, *words, "--data.corpus.root", place / "corpus", "--wandb.mode", "disabled")

    return made_once("demo", make)


def test_boundaries_are_within_a_step(ser, demo, tmp_path):
    """Of the test set, the recordings with the surest right answers: two of each emotion, never one emotion twice."""
    table = pd.read_csv(demo / "run" / "predictions.csv")
    table = table[table.emotion == table.predicted]
    names = [name for name in table if name.startswith("p_")]
    table["sure"] = table[names].max(axis=1)
    best = table.sort_values("sure", ascending=False).groupby("emotion").head(2).sort_values(["sure"])
    first, second = (best.groupby("emotion").nth(place) for place in (0, 1))
    chosen = pd.concat([first, second])
    assert len(chosen) >= 6
    files = [next((demo / "corpus").rglob(f"[!.]*{name}.wav")) for name in chosen.utterance]
    parts, edges = [np.zeros(round(16_000 * PAUSE_SECONDS), np.int16)], []
    for path in files:
        before = sum(map(len, parts)) / 16_000
        parts += [soundfile.read(path, dtype="int16")[0], parts[0]]
        edges.append((before, before + len(parts[-2]) / 16_000))
    write_wav(tmp_path / "joined.wav", np.concatenate(parts))
    words = ["--window_seconds", 1, "--step_seconds", 0.25, "--json"]
    finished = ser("predict", demo / "run", tmp_path / "joined.wav", "--timeline", *words)
    assert finished.code == 0, finished.err
    segments = [row for row in json.loads(finished.out)["segments"] if not row["silent"]]
    assert [row["emotion"] for row in segments] == chosen.emotion.tolist()
    found = np.array([(row["start"], row["end"]) for row in segments])
    assert np.abs(found - edges).max() <= 0.25
