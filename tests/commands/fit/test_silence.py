"""Silence that a training trims is trimmed in every test of its checkpoint."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from tests.conftest import CONF
from tests.made_up.manifests import SHORT, write_manifest

TRIM = {"threshold_db": 40.0, "margin_seconds": 0.05}


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Options of a minimal run on recordings with silence at both ends."""
    manifest = write_manifest(tmp_path_factory.mktemp("corpus"), "silent", "abcd", 0)
    for path in manifest.parent.glob("*.wav"):
        soundfile.write(path, np.pad(soundfile.read(path, dtype="int16")[0], (4_800, 8_000)), 16_000)
    same = {f"data.{name}": value for name, value in SHORT.items()} | {
        "data.corpus.csv": manifest,
        "model.gru_units": 4,
    }
    same |= {"data.corpus": "ser.data.Manifest", "wandb.mode": "disabled", "trainer.max_epochs": 1}
    words = [word for name, value in sorted(same.items()) for word in (f"--{name}", value)]
    return ["--config", CONF / "cnn_gru.yaml", *words]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def trained(folder, options, ser):
    """A run with silence trimmed."""
    if not (folder / "run").exists():
        words = ["--data.trim_silence", "true", "--data.trim_margin_seconds", 0.05, "--out", folder / "run"]
        finished = ser("fit", *options, *words)
        assert finished.code == 0, finished.err
        assert "\n  silence     trimmed, 40 dB below the loudest sound, margin 0.05 s\n" in finished.out
        exported = ["--out", folder / "a.safetensors"]
        assert ser("export-weights", folder / "run" / "checkpoints" / "best.ckpt", *exported).code == 0
    return {"checkpoint": folder / "run" / "checkpoints" / "best.ckpt", "exported": folder / "a.safetensors"}


def test_it_is_recorded(trained, folder):
    assert read_checkpoint(trained["checkpoint"])["trim_silence"] == TRIM
    assert load(trained["exported"]).lineage["trim_silence"] == TRIM
    result = json.loads((folder / "run" / "result.json").read_text())
    assert result["trim_silence"] == TRIM
    assert result["train_segments"] == 8 * 3, "0.3 s are left of 0.2 s of noise between 0.3 and 0.5 s of silence"


@pytest.mark.parametrize("kind", ["checkpoint", "exported"])
def test_a_checkpoint_trims_whatever_the_options_are(trained, options, folder, ser, tmp_path, kind):
    finished = ser("test", *options, "--ckpt_path", trained[kind], "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    expected = pd.read_csv(folder / "run" / "predictions.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "predictions.csv"), expected)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["trim_silence"] == result["trained_on"]["trim_silence"] == TRIM


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--data.trim_silence", "false"], "was trained with --data.trim_silence true; test it with the same"),
        (["--data.trim_threshold_db=30"], "was trained with --data.trim_threshold_db 40.0; test it with the same"),
        (["--data.trim_margin_seconds", 0.1], "was trained with --data.trim_margin_seconds 0.05; test it"),
    ],
)
def test_other_trimming_than_that_of_the_training_is_refused(trained, options, ser, tmp_path, words, part):
    finished = ser("test", *options, *words, "--ckpt_path", trained["checkpoint"], "--out", tmp_path / "out")
    assert finished.code == 2
    assert part in finished.err
    assert not (tmp_path / "out").exists()


def test_bounds(options, ser, tmp_path):
    finished = ser("fit", *options, "--data.trim_threshold_db", 5, "--out", tmp_path / "out")
    assert finished.code == 2
    assert "data.trim_threshold_db is 5.0, but must be at least 10" in finished.err
