"""Runs, recordings and rows for the tests of `ser predict`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from tests.conftest import CONF, SMALL_CAPSULES
from tests.shared_runs import run_once

EMOTIONS = ["neutral", "angry", "happy", "sad"]
POSTERIORS = [f"p_{name}" for name in EMOTIONS]


@pytest.fixture(scope="session")
def trimmed_run(made_once, tiny):
    """A run without the silence at the ends of utterances."""
    words = ["fit", "--config", CONF / "gru_seqcap.yaml", *tiny, *SMALL_CAPSULES, "--data.trim_silence", "true"]
    words += ["--data.trim_margin_seconds", 0, "--data.trim_threshold_db", 10]
    return made_once("trimmed", lambda place: run_once(place, *words)) / "run"


@pytest.fixture(scope="session")
def speaker_run(made_once, tiny):
    """A run that is standardised by speaker."""
    words = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--data.statistics", "speaker"]
    return made_once("by-speaker", lambda place: run_once(place, *words)) / "run"


@pytest.fixture(scope="session")
def recordings(tiny_corpus):
    """The file of every utterance."""
    return {path.stem: path for path in tiny_corpus.rglob("[!.]*.wav")}


@pytest.fixture
def tested(recordings):
    """The test files of a run in the order of its predictions, and their posteriors."""

    def read(run: Path) -> tuple[list[Path], np.ndarray]:
        table = pd.read_csv(run / "predictions.csv")
        return [recordings[name] for name in table.utterance], table[POSTERIORS].to_numpy()

    return read


@pytest.fixture
def rows(ser):
    """The rows that `ser predict ARGUMENTS --json` prints."""

    def predict(*words, code: int = 0) -> pd.DataFrame:
        finished = ser("predict", *words, "--json")
        assert finished.code == code, finished.err
        return pd.DataFrame([json.loads(line) for line in finished.out.splitlines()])

    return predict


@pytest.fixture
def long(recordings, tmp_path):
    """The first recordings joined, 3.3 s."""
    samples = np.concatenate([soundfile.read(recordings[name])[0] for name in sorted(recordings)])[:52_800]
    soundfile.write(tmp_path / "long.wav", samples, 16_000, "PCM_16")
    return tmp_path / "long.wav"
