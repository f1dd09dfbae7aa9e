"""`--loggers`: Lightning's loggers beside the run's own record, which they do not change."""

import sys

import pandas as pd
import pytest

from tests.conftest import CONF

OWN = ("metrics.csv", "predictions.csv", "validation.csv")


def test_csv_and_tensorboard_beside_the_own_record(ser, fitted, tiny, tmp_path):
    folder, alone = tmp_path / "run", fitted("cnn_gru")[0]
    done = ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--loggers", "[tensorboard, csv]", "--out", folder)
    assert done.code == 0, done.err
    for name in OWN:
        assert (folder / name).read_bytes() == (alone / name).read_bytes()
    own = pd.read_csv(folder / "metrics.csv")
    theirs = pd.read_csv(folder / "csv" / "version_0" / "metrics.csv")
    for name in ("train/loss", "val/wa", "val/ua", "val/loss", "val/recall/sad"):
        assert theirs[name].dropna().tolist() == pytest.approx(own[name].tolist(), rel=1e-6), name
    (events,) = (folder / "tensorboard" / "version_0").glob("events.out.tfevents.*")
    content = events.read_bytes()
    assert b"val/wa" in content
    assert b"train/loss" in content


def test_every_fold_of_a_shared_training_has_its_rows(ser, tiny, tmp_path):
    folder = tmp_path / "both"
    words = [
        "crossval",
        "--config",
        CONF / "cnn_gru.yaml",
        *tiny,
        "--folds",
        "1,6",
        "--loggers",
        "csv",
        "--out",
        folder,
    ]
    done = ser(*words)
    assert done.code == 0, done.err
    for fold in (1, 6):
        run = folder / f"seed1-fold{fold:02d}"
        own, theirs = pd.read_csv(run / "metrics.csv"), pd.read_csv(run / "csv" / "version_0" / "metrics.csv")
        for name in ("train/loss", "val/wa", "val/loss"):
            assert theirs[name].dropna().tolist() == pytest.approx(own[name].tolist(), rel=1e-6), (fold, name)


@pytest.mark.parametrize("given", ["wandb", "[csv, mlflow]"])
def test_an_unknown_logger_is_refused(ser, tiny, tmp_path, given):
    refused = ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--loggers", given, "--out", tmp_path / "run")
    assert refused.code == 2
    assert "loggers" in refused.err
    assert "tensorboard" in refused.err
    assert not (tmp_path / "run").exists()


def test_tensorboard_that_is_not_installed(ser, tiny, tmp_path, monkeypatch):
    for name in ("tensorboard", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setattr(f"lightning.fabric.loggers.tensorboard._{name.upper()}_AVAILABLE", False)
    refused = ser(
        "fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--loggers", "tensorboard", "--out", tmp_path / "run"
    )
    assert refused.code == 2
    assert "pip install 'ser[tensorboard]'" in refused.err
