"""Training progress, on the terminal and for the launcher."""

import sys
import time

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor
from tqdm import tqdm

from ser.processes.forked import tell_launcher


class Progress(TQDMProgressBar):
    """A progress bar on a terminal, and a permanent line per epoch on any output."""

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
            # Read lazily; logging it would synchronise with the GPU at every step.
            metrics = {"loss": f"{self._loss.item():.3f}", **metrics}
        if trainer.optimizers:
            metrics["rate"] = f"{trainer.optimizers[0].param_groups[0]['lr']:g}"
        return metrics

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if trainer.is_global_zero:
            tqdm.write(describe_epoch(trainer))


def describe_epoch(trainer: Trainer) -> str:
    """A line of text about the epoch that has just ended: number, learning rate, losses, validation scores."""
    measured = trainer.callback_metrics
    line = f"epoch {trainer.current_epoch + 1:2d}/{trainer.max_epochs}"
    line += f"  rate {trainer.optimizers[0].param_groups[0]['lr']:g}"
    for name in ("train/loss", "val/loss"):
        line += f"  {name} {measured[name]:.3f}" if name in measured else ""
    for name in ("val/wa", "val/ua"):
        line += f"  {name} {100 * measured[name]:.1f} %" if name in measured else ""
    return line


class ToldProgress(Callback):
    """Send the progress of this training to its launcher."""

    def __init__(self) -> None:
        self._told = 0.0

    def _tell(self, trainer: Trainer, epoch: str | None = None) -> None:
        scores = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        tell_launcher(trainer.global_step, int(trainer.estimated_stepping_batches), scores, epoch)
        self._told = time.monotonic()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        if time.monotonic() - self._told > 0.5:
            self._tell(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell(trainer, describe_epoch(trainer))
