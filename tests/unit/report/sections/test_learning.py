"""Learning curves of a report, read from the folds' files of any version."""

import json
from pathlib import Path
from runpy import run_path

import numpy as np
import pandas as pd

from ser.emotions import PAPER_EMOTIONS
from ser.results.curves import epoch_curves
from tests.made_up.results import make_curves


def test_half_empty_rows_of_older_files_give_the_same_curves():
    full = pd.DataFrame(
        {"epoch": [0, 1], "step": [44, 88], "train/loss": [1.2, 1.0], "val/loss": 1.1, "val/wa": [0.4, 0.5]}
    )
    halves = [full.assign(**{"train/loss": np.nan}), full.assign(**{"val/loss": np.nan, "val/wa": np.nan})]
    older = pd.concat(halves).sort_values("epoch", kind="stable")
    pd.testing.assert_frame_equal(epoch_curves(full, 2), epoch_curves(older, 2))
    assert epoch_curves(full, 2).epoch.tolist() == [1, 2]
    pd.testing.assert_frame_equal(epoch_curves(full.assign(epoch=[1, 2]), 2), epoch_curves(full, 2))
    assert epoch_curves(full, 2).val_wa.tolist() == [0.4, 0.5]


def test_the_evaluation_after_the_last_epoch_is_no_epoch():
    """Older files end with the chosen epoch's evaluation, numbered like an epoch; an epoch without a loss is kept."""
    epochs = pd.DataFrame({"epoch": [0, 1, 2], "train/loss": [1.2, 1.0, np.nan], "val/wa": [0.4, 0.5, 0.25]})
    after = pd.DataFrame({"epoch": [3, 3], "train/loss": np.nan, "val/wa": [0.5, np.nan], "test/wa": [np.nan, 0.6]})
    curves = epoch_curves(pd.concat([epochs, after]), 3)
    assert curves.epoch.tolist() == [1, 2, 3]
    assert curves.val_wa.tolist() == [0.4, 0.5, 0.25]
    assert curves.train_loss.isna().tolist() == [False, False, True]


def test_the_figure_of_a_run_is_the_same_for_files_that_count_from_0(tmp_path, monkeypatch):
    metrics = make_curves(4, np.random.default_rng(1))
    about = {"system": "CNNGRU", "corpus": "emodb", "protocol": "speaker", "fold": 1, "epoch": 2, "wa": 0.5, "ua": 0.5}
    about |= {"confusion": np.eye(4).tolist(), "recall": dict.fromkeys(PAPER_EMOTIONS, 1.0)}
    (tmp_path / "result.json").write_text(json.dumps(about))
    drawn = []
    for first in (1, 0):
        metrics.assign(epoch=metrics.epoch - 1 + first).to_csv(tmp_path / "metrics.csv", index=False)
        monkeypatch.setattr("sys.argv", ["figure.py", str(tmp_path), str(tmp_path / f"{first}.png")])
        found = run_path(str(Path(__file__).parents[4] / "docs" / "figure.py"))
        drawn.append([line.get_xdata().tolist() for line in found["loss"].lines[:2]])
        found["plt"].close("all")
    assert drawn == 2 * [2 * [[1, 2, 3, 4]]]
