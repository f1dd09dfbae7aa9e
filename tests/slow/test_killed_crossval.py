"""A killed cross-validation continues with the same command; its results are those of an undisturbed one."""

import json

import pandas as pd

from tests.conftest import CONF
from tests.process import Command


def test_killed_in_the_middle_and_continued(ser, undisturbed, two_epochs, tmp_path):
    """kill -9 between the two epochs of fold 3; after the same command, the tables equal the undisturbed ones."""
    folder = tmp_path / "killed"
    options = ["--config", CONF / "gru_seqcap.yaml", *two_epochs, "--out", folder]
    process = Command(["crossval", *options], tmp_path / "log")
    process.until((folder / "seed1-fold03" / "metrics.csv").exists)  # written atomically, with the first epoch's row
    process.kill()
    assert pd.read_csv(folder / "seed1-fold03" / "metrics.csv").epoch.tolist()[0] == 1
    assert not (folder / "seed1-fold03" / "result.json").exists()
    kept = {path: path.stat().st_mtime_ns for fold in (1, 2) for path in (folder / f"seed1-fold0{fold}").rglob("*")}
    assert kept

    finished = ser("crossval", *options)
    assert finished.code == 0, finished.err
    assert "3 (2 finished before)" in finished.out
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in ("predictions.csv", "validation.csv"):
        assert (folder / name).read_bytes() == (undisturbed[0] / name).read_bytes()


def test_a_direction_that_was_begun_alone_is_not_continued_for_both(ser, least, tmp_path):
    """Killed with fold 2 alone, continued with folds 2 and 7: fold 7 must choose its best epoch among all epochs."""
    folder = tmp_path / "pair"
    options = ["--config", CONF / "cnn_gru.yaml", *least, "--data.protocol", "speaker", "--trainer.max_epochs", 2]
    process = Command(["crossval", *options, "--folds", 2, "--out", folder], tmp_path / "log")
    process.until((folder / "seed1-fold02" / "checkpoints" / "last.ckpt").exists)
    process.kill()
    finished = ser("crossval", *options, "--folds", "2,7", "--out", folder)
    assert finished.code == 0, finished.err
    for fold in (2, 7):
        curve = pd.read_csv(folder / f"seed1-fold0{fold}" / "metrics.csv")
        about = json.loads((folder / f"seed1-fold0{fold}" / "result.json").read_text())
        assert curve.epoch.tolist() == [1, 2]
        assert about["epoch"] == curve.epoch[curve["val/wa"].idxmax()]
