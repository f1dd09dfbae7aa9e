"""A capsule network learns to recognise emotions of unseen speakers, and nothing from shuffled labels.

Smoke tests of a complete training: the demo passes even without squash, without the head's ReLU, or with a single
routing iteration. tests/unit/networks compares the networks with the paper's equations.
"""

import json

import numpy as np
import pandas as pd
import yaml

from ser.data import Synthetic
from tests.conftest import CONF


def test_the_demo_reaches_70_percent(demo):
    assert json.loads((demo / "run" / "result.json").read_text())["ua"] >= 0.70


def test_shuffled_labels_teach_nothing(ser, demo, tmp_path):
    """The same recordings and training, with the emotions permuted within each speaker."""
    table = Synthetic(str(demo / "corpus")).utterances()
    generator = np.random.default_rng(0)
    table["emotion"] = table.groupby("speaker").emotion.transform(lambda column: generator.permutation(column))
    table.drop(columns="seconds").to_csv(tmp_path / "shuffled.csv", index=False)
    finished = ser(
        *("fit", "--config", CONF / "reccap.yaml", "--config", CONF / "demo.yaml"),
        *("--data.corpus", "ser.data.Manifest", "--data.corpus.csv", tmp_path / "shuffled.csv"),
        *("--out", tmp_path / "run", "--wandb.mode", "disabled"),
    )
    assert finished.code == 0, finished.err
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["corpus"] == "shuffled"
    assert result["ua"] < 0.45  # chance is 0.25; 40 utterances leave a standard error of about 0.07
    curve = pd.read_csv(tmp_path / "run" / "metrics.csv")["train/loss"].dropna()
    demo = yaml.safe_load((CONF / "demo.yaml").read_text())
    assert len(curve) == demo["trainer"]["max_epochs"], "trained as long as the demo"
