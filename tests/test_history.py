"""The record of a training's epochs."""

from types import SimpleNamespace

import pytest

from ser.callbacks import Progress
from ser.data.segments import BatchIndices, TrainingBatches
from tests.conftest import CONF


def test_an_epoch_that_sees_a_segment_twice_and_another_not_at_all_is_an_error(ser, tiny, tmp_path, monkeypatch):
    in_order = TrainingBatches.__iter__

    def with_a_repetition(self):
        for pieces, scale in in_order(self):
            yield BatchIndices([1 if piece == 0 else piece for piece in pieces], scale)

    monkeypatch.setattr(TrainingBatches, "__iter__", with_a_repetition)
    with pytest.raises(RuntimeError, match="epoch 1 saw segments twice, and others not at all"):
        ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "run")


def test_the_bar_counts_epochs_like_metrics_csv():
    bar = Progress()
    for current_epoch, shown in enumerate(["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]):
        trainer = SimpleNamespace(current_epoch=current_epoch, max_epochs=3, num_training_batches=5)
        bar._trainer = trainer
        bar.on_train_start(trainer)
        bar.on_train_epoch_start(trainer, None)
        assert bar.train_progress_bar.desc.startswith(shown)
