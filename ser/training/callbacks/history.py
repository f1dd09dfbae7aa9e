"""The run's own record of its epochs, which W&B cannot lose: `metrics.csv`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from ser.emotions import IGNORED
from ser.errors import InputError
from ser.files import write_text


class History(Callback):
    """Add up the training loss over an epoch's segments and write a row per epoch.

    Rows and sums are part of every checkpoint: after an interruption the file continues where the checkpoint was made,
    and what was written after it is gone.

    Epochs count from 1; files of older versions count them from 0.

    Args:
        folder: of the run.

    Attributes:
        batches_here: that this process has trained on, whatever was trained before an interruption.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "metrics.csv"
        self.rows: list[dict] = []
        self.batches_here = 0
        self._loss = torch.zeros((), dtype=torch.float64)
        self._segments = torch.zeros((), dtype=torch.int64)
        self._seen = torch.zeros((), dtype=torch.int64)  # `fingerprint` of them

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._loss, self._segments = self._loss.to(pl_module.device), self._segments.to(pl_module.device)
        self._seen = self._seen.to(pl_module.device)
        self._write(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:  # which goes on with the sums of all processes
            self._clear()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        self.batches_here += 1
        self._loss += outputs["loss"].detach() / batch.scale
        self._segments += (batch.emotion != IGNORED).sum()
        self._seen += fingerprint(batch.piece)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        segments = int(self._summed(trainer, self._segments))
        if segments != (expected := len(trainer.datamodule.pieces["train"])):
            raise RuntimeError(f"epoch {trainer.current_epoch + 1} saw {segments} segments, but there are {expected}")
        if int(self._summed(trainer, self._seen)) != int(fingerprint(torch.arange(expected))):
            raise RuntimeError(f"epoch {trainer.current_epoch + 1} saw segments twice, and others not at all")
        loss = float(self._summed(trainer, self._loss)) / segments
        if not loss - loss == 0:
            raise InputError(
                f"the training loss of epoch {trainer.current_epoch + 1} is {loss}; nothing more can be learned. "
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
        self._clear()
        self._write(trainer)

    def _clear(self) -> None:
        for each in (self._loss, self._segments, self._seen):
            each.zero_()

    def _summed(self, trainer: Trainer, value: Tensor) -> Tensor:
        return trainer.strategy.reduce(value.clone(), reduce_op="sum")

    def _write(self, trainer: Trainer) -> None:
        if trainer.is_global_zero and self.rows:
            write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False))
        elif trainer.is_global_zero:
            self.path.unlink(missing_ok=True)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict) -> None:
        """The file is the first process's, and its sums are those of all: of one alone they would be a part."""
        state = checkpoint["callbacks"][self.state_key]
        for name, own in (("loss", self._loss), ("segments", self._segments), ("seen", self._seen)):
            state[name] = self._summed(trainer, own).item()

    def state_dict(self) -> dict:
        sums = {"loss": self._loss.item(), "segments": self._segments.item(), "seen": self._seen.item()}
        return {"rows": self.rows, **sums}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows = list(state_dict["rows"])
        self._loss.fill_(state_dict["loss"])
        self._segments.fill_(state_dict["segments"])
        self._seen.fill_(state_dict["seen"])


class SwappedHistory(Callback):
    """The record of the other direction of a session, which trains with this one.

    Args:
        folder: of the other direction.
        history: of this direction; stands before this callback.
        prefix: under which the other direction's validation is logged.
    """

    def __init__(self, folder: Path, history: History, prefix: str) -> None:
        self.path, self.history, self.prefix = folder / "metrics.csv", history, prefix
        self.rows: list[dict] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        shared = {name: value for name, value in self.history.rows[-1].items() if not name.startswith("val/")}
        self.rows.append(shared | measured(trainer, self.prefix))
        write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False))

    def state_dict(self) -> dict:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows = list(state_dict["rows"])


def fingerprint(pieces: Tensor) -> Tensor:
    """A number that only the same pieces add up to, each as often, in whatever order and batches.

    Filler, -1, adds nothing. Overflow is meant: the arithmetic is that of 64 bits.

    Example:
        >>> one, two = fingerprint(torch.tensor([0, 3, -1])), fingerprint(torch.tensor([2, 1]))
        >>> int(one + two) == int(fingerprint(torch.arange(4))), int(one) == int(two)
        (True, False)

    Source:
        Steele, Lea & Flood (2014), the mixing of SplitMix64.
    """
    mixed = (pieces + 1) * -0x61C8864680B583EB
    mixed = (mixed ^ (mixed >> 30)) * -0x40A7B892E31B1A47
    mixed = (mixed ^ (mixed >> 27)) * -0x6B2FB644ECCEEE15
    return (mixed ^ (mixed >> 31)).sum()


def measured(trainer: Trainer, prefix: str) -> dict[str, float]:
    """The last validation's scores, as "val/..."."""
    found = trainer.callback_metrics.items()
    return {
        f"val/{name.removeprefix(f'{prefix}/')}": float(value) for name, value in found if name.startswith(f"{prefix}/")
    }
