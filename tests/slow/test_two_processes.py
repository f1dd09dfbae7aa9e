"""One training in two processes, with `--trainer.devices 2`."""

import subprocess
import sys

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns
from tests.conftest import CONF, SMALL_CAPSULES


def test_two_processes_train_the_same_network_and_test_everyone_once(ser, tiny, tmp_path):
    """Without dropout, two processes must take the same steps as one; only rank 0 names the folder."""
    common = [*("fit", "--config", CONF / "reccap.yaml"), *tiny, *SMALL_CAPSULES, "--model.dropout", 0]
    assert ser(*common, "--out", tmp_path / "one").code == 0
    two = ["--trainer.devices", 2, "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp"]
    command = [sys.executable, "-m", "ser", *map(str, [*common, *two])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    for name in ("predictions.csv", "validation.csv"):
        one, both = pd.read_csv(tmp_path / "one" / name), pd.read_csv(folder / name)
        assert both.utterance.tolist() == one.utterance.tolist()
        difference = (
            one[posterior_columns(PAPER_EMOTIONS)].to_numpy() - both[posterior_columns(PAPER_EMOTIONS)].to_numpy()
        )
        assert np.abs(difference).max() < 1e-3
    assert done.stdout.count("Test (Ses01F)") == done.stdout.count("epoch  1/1 ") == 1
