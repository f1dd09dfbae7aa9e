"""Callbacks that write checkpoints, and their options."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from pydantic import Field

from ser.bounds import checked
from ser.checkpoint.contents import network
from ser.checkpoint.reading import LAST, WITHIN_EPOCH, read_checkpoint, write_checkpoint
from ser.errors import InputError
from ser.processes.interruption import LISTENER, Interrupted


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write checkpoints atomically, and read them without executing code.

    The first checkpoint is read back at once, so that unreadable ones are noticed early. Every checkpoint contains the
    identity of the run.
    """

    def __init__(self, identity: dict | None = None) -> None:
        self.identity = identity
        self._proved = False

    def save_checkpoint(self, checkpoint: dict[str, Any], path, storage_options: Any | None = None) -> None:
        """Write a checkpoint.

        Raises:
            InputError: if it cannot be written, or its weights are not finite.
        """
        if not all(weight.isfinite().all() for weight in network(checkpoint["state_dict"]).values()):
            raise InputError(
                f"the weights are NaN or infinite after step {checkpoint['global_step']}; training cannot continue. "
                "Lower --model.learning_rate"
            )
        write_checkpoint(checkpoint | {"identity": self.identity}, Path(path))
        if not self._proved:
            read_checkpoint(path)
            self._proved = True

    def load_checkpoint(self, path, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return read_checkpoint(path)


class Kept(ModelCheckpoint):
    """A `ModelCheckpoint` that keeps the best epoch when an interrupted run continues in a moved folder.

    Lightning forgets the best epoch if the folder differs from the one in the checkpoint.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return path and os.path.join(self.dirpath, os.path.basename(path))

        paths = {name: here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
        scores = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | paths | {"dirpath": self.dirpath, "best_k_models": scores})
        self.current_score = state_dict["current_score"]


class WithinEpoch(Kept):
    """Periodic checkpoints within an epoch, to continue from after an interruption.

    None on an epoch's last batch: Lightning would train a wrong number of steps from it, and the end of the epoch has
    its own checkpoint.
    """

    def __init__(self, folder: Path, minutes: float, steps: int | None) -> None:
        when = {"train_time_interval": timedelta(minutes=minutes)} if steps is None else {"every_n_train_steps": steps}
        super().__init__(dirpath=folder, filename=WITHIN_EPOCH, save_top_k=1, enable_version_counter=False, **when)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        if not trainer.is_last_batch:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)


class EndInOrder(Checkpoint):
    """After a signal, stop all processes at the end of the step, with a checkpoint.

    A subclass of `Checkpoint`, so that Lightning calls it after the callbacks whose state the checkpoint contains. On
    an epoch's last batch it waits for the validation and the epoch's own checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{WITHIN_EPOCH}.ckpt"

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        LISTENER.be_patient()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        if not trainer.is_last_batch:
            self._obey(trainer, self.path)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._obey(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        LISTENER.patient = False
        self._obey(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        LISTENER.listen()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        LISTENER.listen()

    def _obey(self, trainer: Trainer, path: Path | None = None) -> None:
        if not trainer.strategy.reduce_boolean_decision(LISTENER.heard is not None, all=False):
            return
        if path:
            trainer.save_checkpoint(path, weights_only=False)  # with the optimiser's state
        raise Interrupted(LISTENER.heard or signal.SIGTERM)  # SIGTERM: only another process received a signal


class Checkpoints:
    """Checkpoints within an epoch, besides those at the end of every epoch.

    Args:
        minutes: interval between checkpoints.
        steps: interval in training steps, instead of minutes.
    """

    @checked("checkpoints.")
    def __init__(
        self,
        minutes: Annotated[float, Field(gt=0, le=525_600)] = 10.0,
        steps: Annotated[int | None, Field(ge=1, le=1_000_000_000)] = None,
    ) -> None:
        self.minutes, self.steps = minutes, steps

    def callbacks(self, folder: Path, epochs_averaged: int = 0) -> list[Callback]:
        """The callbacks that write `best.ckpt`, `last.ckpt`, `within.ckpt` and the epochs to average."""
        within = WithinEpoch(folder, self.minutes, self.steps)
        return [*checkpoints(folder, epochs_averaged), within, EndInOrder(folder)]


def checkpoints(folder: Path, epochs_averaged: int = 0, monitor: str = "val/wa") -> list[ModelCheckpoint]:
    """Keep the epoch with the best validation WA (the first on a tie) as `best.ckpt` and the last as `last.ckpt`.

    The weights of the last `epochs_averaged` epochs are kept as well, as `epoch=20.ckpt` for example.

    Source:
        Wu et al. (2019), section 4.1.
    """
    options = {"dirpath": folder, "save_top_k": 1, "enable_version_counter": False}
    kept = [Kept(filename="best", monitor=monitor, mode="max", **options)]
    if epochs_averaged:
        averaged = options | {"save_top_k": epochs_averaged, "save_weights_only": True}
        kept.append(Kept(filename="{epoch}", monitor="epoch", mode="max", **averaged))
    # Last, since training continues from it: it contains the state of the others after this epoch.
    return [*kept, Kept(filename=LAST, **options)]
