"""The record of a training's epochs."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from ser.systems.learning_rate import LearningRateRule
from ser.training.callbacks.history import History, OtherHistory
from ser.training.callbacks.progress import Progress


def trainer(epoch: int, scores: dict, segments: int) -> SimpleNamespace:
    """The parts of a trainer that a record reads at an epoch's end."""
    strategy = SimpleNamespace(reduce=lambda value, reduce_op: value)
    data = SimpleNamespace(pieces={"train": range(segments)})
    optimizers = [SimpleNamespace(param_groups=[{"lr": 0.5 / (epoch + 1)}])]
    place = {"current_epoch": epoch, "global_step": 2 * epoch + 2, "is_global_zero": True}
    return SimpleNamespace(strategy=strategy, datamodule=data, optimizers=optimizers, callback_metrics=scores, **place)


def test_the_loss_of_an_epoch_is_the_mean_over_its_segments(tmp_path):
    """Five segments in a batch of three and a batch of two with filler; a step's loss is the sum times its scale."""
    history, module = History(tmp_path), SimpleNamespace(log=lambda *given, **options: None)
    second = OtherHistory(tmp_path / "other", history, "val_fold6")
    for epoch, losses in enumerate([[1.0, 2.0, 4.0, 7.0, 11.0], [5.0, 4.0, 3.0, 2.0, 0.5]]):
        for pieces, scale in (([0, 3, 2], 1 / 3), ([4, 1, -1], 1 / 2)):
            outputs = {"loss": torch.tensor(sum(losses[piece] for piece in pieces if piece >= 0) * scale)}
            history.on_train_batch_end(None, module, outputs, SimpleNamespace(scale=scale), 0)
        scores = {"val/wa": 0.25 + epoch, "val/ua": 0.5, "val_fold6/wa": 0.75 + epoch, "train/other": 9.0}
        for each in (history, second):
            each.on_train_epoch_end(trainer(epoch, scores, segments=5), module)
    found, other = (pd.read_csv(folder / "metrics.csv") for folder in (tmp_path, tmp_path / "other"))
    assert found["train/loss"].tolist() == pytest.approx([5.0, 2.9])
    for name, values in {"epoch": [1, 2], "step": [2, 4], "rate": [0.5, 0.25]}.items():
        assert found[name].tolist() == other[name].tolist() == values
    assert found["val/wa"].tolist() == [0.25, 1.25]
    assert found["val/ua"].tolist() == [0.5, 0.5]
    assert other["val/wa"].tolist() == [0.75, 1.75], "of the other fold's speaker"
    assert set(other) == {"epoch", "step", "rate", "train/loss", "val/wa"}


def test_a_checkpoint_within_an_epoch_holds_what_all_processes_have_added_up(tmp_path):
    """The first of two processes writes it and both read it; the total of their sums is unchanged."""
    module = SimpleNamespace(learning_rate=0.001, device="cpu")
    processes = [[History(tmp_path), LearningRateRule(window_steps=2)] for _ in range(2)]
    for callbacks, loss in zip(processes, (3.0, 5.0), strict=True):
        for callback in callbacks:
            outputs, batch = {"loss": torch.tensor(loss)}, SimpleNamespace(scale=1)
            callback.on_train_batch_end(SimpleNamespace(optimizers=[], current_epoch=0), module, outputs, batch, 0)
    written = {"callbacks": {callback.state_key: callback.state_dict() for callback in processes[0]}}
    for callback, others in zip(*processes, strict=True):
        theirs = others._loss if isinstance(others, History) else others.losses

        def reduce(value, reduce_op, theirs=theirs):
            return (value + theirs) / (2 if reduce_op == "mean" else 1)

        callback.on_save_checkpoint(SimpleNamespace(strategy=SimpleNamespace(reduce=reduce)), module, written)

    sums = []
    for rank in range(2):
        history, rule = History(tmp_path), LearningRateRule(window_steps=2)
        for callback in (history, rule):
            callback.load_state_dict(written["callbacks"][callback.state_key])
            callback.on_train_start(SimpleNamespace(is_global_zero=rank == 0), module)
        sums.append(history._loss.item())
        assert rule.losses.tolist() == [4, 0]
    assert sums == [8, 0]


def test_what_older_versions_wrote_is_read(tmp_path):
    """It also contains a number of segments and a hash of those already seen."""
    history, module = History(tmp_path), SimpleNamespace(device="cpu")
    rows = [{"epoch": 1, "step": 2, "rate": 0.5, "train/loss": 1.25}]
    history.load_state_dict({"rows": rows, "loss": 4.5, "segments": 3, "seen": -7046029254386353131})
    history.on_train_start(SimpleNamespace(is_global_zero=True), module)
    assert pd.read_csv(tmp_path / "metrics.csv").to_dict("records") == rows
    assert history.state_dict() == {"rows": rows, "loss": 4.5}


def test_the_bar_counts_epochs_like_metrics_csv():
    bar = Progress()
    for current_epoch, shown in enumerate(["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]):
        trainer = SimpleNamespace(current_epoch=current_epoch, max_epochs=3, num_training_batches=5)
        bar._trainer = trainer
        bar.on_train_start(trainer)
        bar.on_train_epoch_start(trainer, None)
        assert bar.train_progress_bar.desc.startswith(shown)
