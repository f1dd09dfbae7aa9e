"""Preloaded by the process that commands are forked from: runs one minimal training.

A third of a short training is work that a process does only once: imports on demand, and testing for every class
whether it is a mapping or a sequence. Forked commands skip it.
"""

from __future__ import annotations

import contextlib
import csv
import gc
import os
import sys
import tempfile
import threading
import wave
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tests.slow.faults.fork  # noqa: F401
from ser.__main__ import main
from ser.emotions import EMOTIONS
from tests.slow.faults.runs import fit_options


def write_noise(folder: Path) -> Path:
    """Write two sessions of two speakers with every emotion once, in 0.2 s of noise; return their table."""
    generator, table = np.random.default_rng(0), folder / "noise.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["utterance", "path", "session", "speaker", "emotion"])
        for session, letter, emotion in product("12", "FM", EMOTIONS):
            name = f"{session}{letter}{emotion}"
            with wave.open(str(folder / f"{name}.wav"), "wb") as recording:
                recording.setparams((1, 2, 16_000, 0, "NONE", ""))
                recording.writeframes(generator.integers(-9000, 9000, 3200, dtype=np.int16).tobytes())
            rows.writerow([name, f"{name}.wav", session, session + letter, emotion])
    return table


def train_once() -> None:
    """Train, then restore environment and arguments, with one thread left."""
    words, variables, interval = sys.argv, dict(os.environ), tqdm.monitor_interval
    tqdm.monitor_interval = 0  # no monitor thread, which would remain
    with tempfile.TemporaryDirectory() as place, open(os.devnull, "w") as nowhere:
        least = {"trainer.max_epochs": 1}
        sys.argv = ["ser", *fit_options("cnn_gru", write_noise(Path(place)), Path(place) / "run", **least)]
        with contextlib.redirect_stdout(nowhere):
            code = main()
    os.environ.clear()
    os.environ.update(variables)
    sys.argv, tqdm.monitor_interval = words, interval
    if code or threading.active_count() > 1:
        raise RuntimeError(f"exit code {code}, {threading.active_count()} threads: nothing should be forked from this")


train_once()
gc.freeze()  # as in the fork server of `ser`
