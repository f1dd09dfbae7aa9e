"""Curves of a training in W&B: the rows of `metrics.csv`, and loss and learning rate every ten steps."""

from lightning import Callback, LightningModule, Trainer

from ser.training.callbacks.history import History
from ser.training.tracking.records import record_epochs, record_steps
from ser.training.tracking.wandb_run import WandbRun

STEPS = 10  # between two points within an epoch


class Curves(Callback):
    """Record the epochs, and within them the mean loss of every ten steps, on one axis of epochs.

    The loss is read from the device at every tenth step only, and reading changes nothing of the training. After an
    interruption W&B gets all earlier epochs again, since a kill can lose its last rows.

    Args:
        history: of the training; it must run before this callback.
    """

    def __init__(self, history: History, runs: list[WandbRun]) -> None:
        self.history, self.runs = history, runs
        self._before = (0.0, 0)  # loss and number of the epoch's segments until the last point

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        record_epochs(self.runs, self.history.rows)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        if (batch_idx + 1) % STEPS:
            return
        data = trainer.datamodule
        loss = self.history.sum(trainer)
        segments = min((batch_idx + 1) * data.batch_size, len(data.pieces["train"]))
        mean = (loss - self._before[0]) / (segments - self._before[1])
        self._before = (loss, segments)
        values = {
            "epoch": trainer.current_epoch + (batch_idx + 1) / data.steps_per_epoch,
            "train/loss_step": mean,
            "train/rate": trainer.optimizers[0].param_groups[0]["lr"],
        }
        record_steps(self.runs, values, trainer.global_step)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._before = (0.0, 0)
        record_epochs(self.runs, self.history.rows[-1:])

    def state_dict(self) -> dict:
        return {"before": self._before}

    def load_state_dict(self, state_dict: dict) -> None:
        self._before = tuple(state_dict["before"])
