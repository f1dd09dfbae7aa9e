"""`metrics.csv`: the scores of every epoch, recorded independently of W&B."""

import math
from pathlib import Path

import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer

from ser.errors import InputError
from ser.files import write_text


class History(Callback):
    """Sum the training loss over an epoch's segments and write a row per epoch.

    Rows and sum are saved in every checkpoint: after an interruption the file continues from the checkpoint, and later
    rows are dropped. Epochs count from 1, in files of older versions from 0.

    Attributes:
        batches_here: number of batches trained by this process, without those before an interruption.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "metrics.csv"
        self.rows: list[dict] = []
        self.batches_here = 0
        self._loss = torch.zeros((), dtype=torch.float64)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loss = self._loss.to(pl_module.device)
        if not trainer.is_global_zero:  # rank 0 continues from the sum of all processes
            self._loss.zero_()
        self._write(trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        self.batches_here += 1
        self._loss += outputs["loss"].detach() / batch.scale

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loss = self.sum(trainer) / len(trainer.datamodule.pieces["train"])
        if not math.isfinite(loss):
            raise InputError(
                f"the training loss of epoch {trainer.current_epoch + 1} is {loss}; training cannot continue. "
                f"Lower --model.learning_rate (now {pl_module.learning_rate:g})"
            )
        pl_module.log("train/loss", loss, rank_zero_only=True)
        self.rows.append(
            {
                "epoch": trainer.current_epoch + 1,
                "step": trainer.global_step,
                "rate": trainer.optimizers[0].param_groups[0]["lr"],
                "train/loss": loss,
                **measured(trainer, "val"),
            }
        )
        self._loss.zero_()
        self._write(trainer)

    def sum(self, trainer: Trainer) -> float:
        """The loss of this epoch's segments so far, of all processes; waits for the device."""
        return trainer.strategy.reduce(self._loss.clone(), reduce_op="sum").item()

    def _write(self, trainer: Trainer) -> None:
        if trainer.is_global_zero and self.rows:
            write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False))
        elif trainer.is_global_zero:
            self.path.unlink(missing_ok=True)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict) -> None:
        """Save the sum over all processes; rank 0, which writes the file, has only its own share."""
        checkpoint["callbacks"][self.state_key]["loss"] = self.sum(trainer)

    def state_dict(self) -> dict:
        return {"rows": self.rows, "loss": self._loss.item()}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows = list(state_dict["rows"])
        self._loss.fill_(state_dict["loss"])


class OtherHistory(Callback):
    """`metrics.csv` of another fold that shares the training.

    Args:
        folder: the other fold's folder.
        history: of the fold that is trained; it must run before this callback.
        prefix: prefix of the other fold's validation metrics.
    """

    def __init__(self, folder: Path, history: History, prefix: str) -> None:
        self.path, self.history, self.prefix = folder / "metrics.csv", history, prefix
        self.rows: list[dict] = []

    @property
    def state_key(self) -> str:
        return f"{type(self).__qualname__} {self.prefix}"

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        shared = {name: value for name, value in self.history.rows[-1].items() if not name.startswith("val/")}
        self.rows.append(shared | measured(trainer, self.prefix))
        write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False))

    def state_dict(self) -> dict:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows = list(state_dict["rows"])


def measured(trainer: Trainer, prefix: str) -> dict[str, float]:
    """The scores of the last validation, named "val/..."."""
    found = trainer.callback_metrics.items()
    return {
        f"val/{name.removeprefix(f'{prefix}/')}": float(value) for name, value in found if name.startswith(f"{prefix}/")
    }
