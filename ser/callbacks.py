"""What happens around a training: the learning-rate rule, the tables of predictions, progress for a person."""

from __future__ import annotations

import sys
import time
from hashlib import blake2b

import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor
from tqdm import tqdm

from ser.data.segments import FILLER
from ser.errors import InputError, check_bounds
from ser.progress import tell
from ser.results import predictions_table
from ser.schedule import rate_factor


class LearningRateRule(Callback):
    """Lower the learning rate when the training loss has fallen by a factor of 10, 100 and 1000; never raise it.

    Args:
        hold_epochs: epochs during which the first rate is kept.
        window_steps: steps whose mean loss decides; the first so many steps give the value it is compared with.
        check_every: steps between two looks, since a look waits for the device.

    Source:
        Wu et al. (2019), section 4.1; that the loss is compared with the mean of the first 100 steps is assumed.
    """

    def __init__(self, hold_epochs: int = 3, window_steps: int = 100, check_every: int = 10) -> None:
        check_bounds("learning_rate_rule.hold_epochs", hold_epochs, at_least=0, at_most=100_000)
        check_bounds("learning_rate_rule.window_steps", window_steps, at_least=1, at_most=1_000_000)
        check_bounds("learning_rate_rule.check_every", check_every, at_least=1, at_most=1_000_000)
        self.hold_epochs, self.window_steps, self.check_every = hold_epochs, window_steps, check_every
        self.step, self.factor, self.first_mean = 0, 1.0, None
        self.losses = torch.zeros(window_steps)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        self.losses = self.losses.to(outputs["loss"].device)
        self.losses[self.step % self.window_steps] = outputs["loss"].detach()
        self.step += 1
        if self.step == self.window_steps:
            self.first_mean = self._mean(trainer)
        elif self._may_act(trainer.current_epoch):
            self.factor = min(self.factor, rate_factor(self._mean(trainer) / self.first_mean))
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = pl_module.learning_rate * self.factor

    def _may_act(self, epoch: int) -> bool:
        return self.step > self.window_steps and epoch >= self.hold_epochs and self.step % self.check_every == 0

    def _mean(self, trainer: Trainer) -> float:
        return float(trainer.strategy.reduce(self.losses.mean(), reduce_op="mean"))

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict) -> None:
        """Write the losses averaged over the processes: all of them go on with what the file holds."""
        losses = trainer.strategy.reduce(self.losses.clone(), reduce_op="mean")
        checkpoint["callbacks"][self.state_key]["losses"] = losses.tolist()

    def state_dict(self) -> dict:
        return {
            "step": self.step,
            "factor": self.factor,
            "first_mean": self.first_mean,
            "losses": self.losses.tolist(),
        }

    def load_state_dict(self, state_dict: dict) -> None:
        if len(state_dict["losses"]) != self.window_steps:
            raise InputError(
                f"learning_rate_rule.window_steps is {self.window_steps}, but the checkpoint has "
                f"{len(state_dict['losses'])}"
            )
        self.step, self.factor = state_dict["step"], state_dict["factor"]
        self.first_mean, self.losses = state_dict["first_mean"], torch.tensor(state_dict["losses"])


class SeededDropout(Callback):
    """Draw the dropout of a step from (seed, step, process), whatever else has drawn random numbers before.

    A training then does not depend on what is validated beside it, nor on where it was interrupted.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx: int) -> None:
        words = f"{self.seed} {trainer.global_step} {trainer.global_rank}".encode()
        torch.manual_seed(int.from_bytes(blake2b(words, digest_size=4).digest(), "big"))


class Predictions(Callback):
    """Gather the posteriors of a validation or test outside training, from all processes, into a table.

    Attributes:
        tables: the last table of each set, "val" or "test", on every process.
    """

    def __init__(self) -> None:
        self.tables: dict[str, pd.DataFrame] = {}
        self._rows: dict[int, dict[str, list[float]]] = {}

    def _collect(self, trainer: Trainer, outputs: dict[str, Tensor], batch) -> None:
        if trainer.state.fn == "fit":
            return
        values = {name: posterior.tolist() for name, posterior in outputs.items()}
        for place, row in enumerate(batch.utterance.tolist()):
            if row != FILLER:
                self._rows[row] = {name: posterior[place] for name, posterior in values.items()}

    def _gather(self, trainer: Trainer, name: str) -> None:
        if trainer.state.fn == "fit":
            return
        parts = [self._rows]
        if trainer.world_size > 1:
            parts = [None] * trainer.world_size
            torch.distributed.all_gather_object(parts, self._rows)
        rows = dict(sorted(item for part in parts for item in part.items()))
        data = trainer.datamodule
        expected = data.utterances.index[data.utterances.set == name]
        if list(rows) != list(expected) or len(rows) != sum(map(len, parts)):
            raise RuntimeError(f"{name}: {sum(map(len, parts))} predictions for {len(expected)} utterances")
        branches = next(iter(rows.values()))
        posteriors = {branch: torch.tensor([row[branch] for row in rows.values()]).numpy() for branch in branches}
        self.tables[name] = predictions_table(data.utterances.loc[expected], data.fold, posteriors)
        self._rows = {}

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
        self._collect(trainer, outputs, batch)

    def on_test_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
        self._collect(trainer, outputs, batch)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._gather(trainer, "val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._gather(trainer, "test")


class Progress(TQDMProgressBar):
    """A bar where the output is a terminal, and everywhere one line per epoch that stays."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=10 if sys.stdout.isatty() else 0)
        self._loss: Tensor | None = None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_start(trainer, pl_module)
        self.train_progress_bar.set_description(f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}")

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        self._loss = outputs["loss"].detach()
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict:
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        if self._loss is not None:
            # Not read before a bar asks: what a system logs for it is read, and the device waited for, in every step.
            metrics = {"loss": f"{self._loss.item():.3f}", **metrics}
        if trainer.optimizers:
            metrics["rate"] = f"{trainer.optimizers[0].param_groups[0]['lr']:g}"
        return metrics

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if trainer.is_global_zero:
            tqdm.write(describe_epoch(trainer))


def describe_epoch(trainer: Trainer) -> str:
    """The epoch that has just ended in a line of text: its number, rate, losses and validation."""
    measured = trainer.callback_metrics
    line = f"epoch {trainer.current_epoch + 1:2d}/{trainer.max_epochs}"
    line += f"  rate {trainer.optimizers[0].param_groups[0]['lr']:g}"
    for name in ("train/loss", "val/loss"):
        line += f"  {name} {measured[name]:.3f}" if name in measured else ""
    for name in ("val/wa", "val/ua"):
        line += f"  {name} {100 * measured[name]:.1f} %" if name in measured else ""
    return line


class PipedProgress(Callback):
    """Tell the process that started this training how far it is."""

    def __init__(self) -> None:
        self._told = 0.0

    def _tell(self, trainer: Trainer, epoch: str | None = None) -> None:
        scores = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        tell(trainer.global_step, int(trainer.estimated_stepping_batches), scores, epoch)
        self._told = time.monotonic()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        if time.monotonic() - self._told > 0.5:
            self._tell(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell(trainer, describe_epoch(trainer))
