"""The record of a training's epochs."""

from types import SimpleNamespace

import pytest
import torch

from ser.callbacks import LearningRateRule, Progress
from ser.data.segments import BatchIndices, TrainingBatches
from ser.history import History
from tests.conftest import CONF


def test_an_epoch_that_sees_a_segment_twice_and_another_not_at_all_is_an_error(ser, tiny, tmp_path, monkeypatch):
    in_order = TrainingBatches.__iter__

    def with_a_repetition(self):
        for pieces, scale in in_order(self):
            yield BatchIndices([1 if piece == 0 else piece for piece in pieces], scale)

    monkeypatch.setattr(TrainingBatches, "__iter__", with_a_repetition)
    with pytest.raises(RuntimeError, match="epoch 1 saw segments twice, and others not at all"):
        ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "run")


def test_a_checkpoint_within_an_epoch_holds_what_all_processes_have_added_up(tmp_path):
    """The first of two writes it and both read it; together they then know what they knew."""

    def batch(loss, pieces):
        return {"loss": torch.tensor(loss)}, SimpleNamespace(scale=1, emotion=torch.zeros(len(pieces)), piece=pieces)

    batches = [batch(3.0, torch.tensor([0, 3])), batch(5.0, torch.tensor([2]))]
    module = SimpleNamespace(learning_rate=0.001)
    processes = [[History(tmp_path), LearningRateRule(window_steps=2)] for _ in batches]
    for callbacks, (outputs, each) in zip(processes, batches, strict=True):
        for callback in callbacks:
            callback.on_train_batch_end(SimpleNamespace(optimizers=[], current_epoch=0), module, outputs, each, 0)
    before = [(history._loss, history._segments, history._seen) for history, _ in processes]
    written = {"callbacks": {callback.state_key: callback.state_dict() for callback in processes[0]}}
    for callback, others in zip(*processes, strict=True):
        theirs = iter(before[1] if callback is processes[0][0] else [others.losses])

        def reduce(value, reduce_op, theirs=theirs):
            both = value + next(theirs)
            return both / 2 if reduce_op == "mean" else both

        callback.on_save_checkpoint(SimpleNamespace(strategy=SimpleNamespace(reduce=reduce)), module, written)

    after = []
    for rank in range(2):
        history, rule = History(tmp_path), LearningRateRule(window_steps=2)
        for callback in (history, rule):
            callback.load_state_dict(written["callbacks"][callback.state_key])
            callback.on_train_start(SimpleNamespace(is_global_zero=rank == 0), module)
        after.append((history._loss, history._segments, history._seen))
        assert rule.losses.tolist() == [4, 0]
    assert torch.equal(*(torch.tensor([sum(each) for each in zip(*sums, strict=True)]) for sums in (before, after)))


def test_the_bar_counts_epochs_like_metrics_csv():
    bar = Progress()
    for current_epoch, shown in enumerate(["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]):
        trainer = SimpleNamespace(current_epoch=current_epoch, max_epochs=3, num_training_batches=5)
        bar._trainer = trainer
        bar.on_train_start(trainer)
        bar.on_train_epoch_start(trainer, None)
        assert bar.train_progress_bar.desc.startswith(shown)
