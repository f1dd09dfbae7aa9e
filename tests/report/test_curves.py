"""The learning curves that a report reads from the folds' own files, whichever version wrote them."""

import numpy as np
import pandas as pd

from ser.report.entries import _curves


def test_half_empty_rows_of_older_files_give_the_same_curves():
    full = pd.DataFrame(
        {"epoch": [0, 1], "step": [44, 88], "train/loss": [1.2, 1.0], "val/loss": 1.1, "val/wa": [0.4, 0.5]}
    )
    halves = [full.assign(**{"train/loss": np.nan}), full.assign(**{"val/loss": np.nan, "val/wa": np.nan})]
    older = pd.concat(halves).sort_values("epoch", kind="stable")
    pd.testing.assert_frame_equal(_curves(full, 2), _curves(older, 2))
    assert _curves(full, 2).epoch.tolist() == [1, 2]
    pd.testing.assert_frame_equal(_curves(full.assign(epoch=[1, 2]), 2), _curves(full, 2))
    assert _curves(full, 2).val_wa.tolist() == [0.4, 0.5]


def test_the_evaluation_after_the_last_epoch_is_no_epoch():
    """Older files end with the chosen epoch's evaluation, numbered like an epoch; one without a loss may be real."""
    epochs = pd.DataFrame({"epoch": [0, 1, 2], "train/loss": [1.2, 1.0, np.nan], "val/wa": [0.4, 0.5, 0.25]})
    after = pd.DataFrame({"epoch": [3, 3], "train/loss": np.nan, "val/wa": [0.5, np.nan], "test/wa": [np.nan, 0.6]})
    curves = _curves(pd.concat([epochs, after]), 3)
    assert curves.epoch.tolist() == [1, 2, 3]
    assert curves.val_wa.tolist() == [0.4, 0.5, 0.25]
    assert curves.train_loss.isna().tolist() == [False, False, True]
