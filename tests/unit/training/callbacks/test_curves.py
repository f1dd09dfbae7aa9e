"""The curves of a training in W&B."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch

from ser.training.callbacks.curves import Curves
from ser.training.callbacks.history import History
from ser.training.tracking.wandb_run import WandbRun

BATCH, SEGMENTS = 3, 70  # 24 steps, the last of one segment


class Sent(WandbRun):
    """A W&B run that only keeps its rows."""

    def __init__(self, folder, first: int = 0) -> None:
        super().__init__(folder)
        self.rows, self.wandb = [], SimpleNamespace(step=first, log=self.add)

    def add(self, values, step, commit) -> None:
        self.rows.append((step, values, commit))

    def record(self, what, write) -> None:
        write(self.wandb)


def batches(epoch: int, losses: torch.Tensor):
    """The steps of an epoch: trainer and outputs of each, from the losses of the segments."""
    for place, part in enumerate(losses.split(BATCH)):
        scale = 1 / len(part)
        outputs, batch = {"loss": part.sum() * scale}, SimpleNamespace(scale=scale)
        yield trainer(epoch, len(losses), epoch * 24 + place + 1), outputs, batch, place


def trainer(epoch: int, segments: int, step: int) -> SimpleNamespace:
    strategy = SimpleNamespace(reduce=lambda value, reduce_op: value)
    data = SimpleNamespace(pieces={"train": range(segments)}, batch_size=BATCH, steps_per_epoch=24)
    optimizers = [SimpleNamespace(param_groups=[{"lr": 0.5 / (epoch + 1)}])]
    place = {"current_epoch": epoch, "global_step": step, "is_global_zero": True, "callback_metrics": {"val/wa": 0.75}}
    return SimpleNamespace(strategy=strategy, datamodule=data, optimizers=optimizers, **place)


MODULE = SimpleNamespace(log=lambda *given, **options: None, device="cpu")


def train(callbacks, epoch, losses, steps=slice(None)):
    """The steps of an epoch, and its end if the last step is among them."""
    for each in [*batches(epoch, losses)][steps]:
        for callback in callbacks:
            callback.on_train_batch_end(each[0], MODULE, *each[1:])
    if each[-1] == 23:
        for callback in callbacks:
            callback.on_train_epoch_end(each[0], MODULE)


def test_a_point_is_the_mean_loss_of_ten_steps_and_an_epoch_that_of_its_segments(tmp_path):
    losses = torch.arange(1.0, 2 * SEGMENTS + 1).split(SEGMENTS)
    sent, history = Sent(tmp_path), History(tmp_path)
    for epoch in (0, 1):
        train([history, Curves(history, [sent])], epoch, losses[epoch])
    expected = []
    for epoch in (0, 1):
        rate = {"train/rate": 0.5 / (epoch + 1)}
        for first in (0, 30):
            place, mean = epoch + (first + 30) / 72, losses[epoch][first : first + 30].mean().item()
            expected.append((epoch * 24 + first // 3 + 10, {"epoch": place, "train/loss_step": mean, **rate}, None))
        whole = {"epoch": epoch + 1, "train/loss": losses[epoch].mean().item(), "val/wa": 0.75, **rate}
        expected.append((epoch * 24 + 24, whole, True))
    assert [(step, pytest.approx(values), commit) for step, values, commit in expected] == sent.rows


@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupted_training_sends_its_epochs_again_and_the_same_points(kept, tmp_path):
    """Interrupted at step 13 of the second epoch; an older checkpoint does not have the state of the curves."""
    losses = torch.arange(1.0, 2 * SEGMENTS + 1).split(SEGMENTS)
    sent, history = Sent(tmp_path), History(tmp_path)
    curves = Curves(history, [sent])
    train([history, curves], 0, losses[0])
    train([history, curves], 1, losses[1], slice(13))
    states = deepcopy((history.state_dict(), curves.state_dict()))
    train([history, curves], 1, losses[1], slice(13, None))

    again, history = Sent(tmp_path), History(tmp_path)
    curves = Curves(history, [again])
    history.load_state_dict(states[0])
    if kept:
        curves.load_state_dict(states[1])
    curves.on_train_start(None, MODULE)
    train([history, curves], 1, losses[1], slice(13, None))
    if kept:
        assert again.rows == [row for row in sent.rows if row[0] not in (10, 20, 34)]
    else:
        point = next(values for step, values, _ in again.rows if step == 44)
        assert point["train/loss_step"] == pytest.approx(losses[1][:60].mean().item())
