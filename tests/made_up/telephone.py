"""The built-in corpus in another recording condition: other voices, heard over a noisy telephone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, sosfiltfilt

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.data import Synthetic

BAND_HZ = (300, 3400)
NOISE_DB = 25  # below the mean level of the utterance


def telephone(samples: np.ndarray, seed: int) -> np.ndarray:
    """16-bit samples limited to a telephone's band, with white noise; as many as before."""
    band = butter(4, BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    heard = sosfiltfilt(band, samples.astype(float))
    noise = np.random.default_rng(seed).normal(size=len(heard)) * heard.std() * 10 ** (-NOISE_DB / 20)
    return np.clip(np.round(heard + noise), -32_768, 32_767).astype(np.int16)


def write_telephone_corpus(folder: Path, utterances_per_speaker: int) -> Path:
    """Write `telephone.csv`, a manifest, and its recordings: ten speakers other than those of the built-in corpus."""
    corpus = Synthetic(str(folder / "voices"), utterances_per_speaker, seed=2)
    corpus.prepare()
    table = corpus.utterances()
    for number, path in enumerate(table.path):
        rate, samples = wavfile.read(path)
        wavfile.write(path, rate, telephone(samples, number))
    table["speaker"] = "caller" + table.speaker.str.removeprefix("Ses")
    table["utterance"] = "call" + table.utterance.str.removeprefix("Ses")
    columns = ["utterance", "path", "session", "speaker", "gender", "emotion"]
    table[columns].to_csv(folder / "telephone.csv", index=False)
    return folder / "telephone.csv"
