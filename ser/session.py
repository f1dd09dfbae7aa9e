"""One training for both directions of a session: what `ser crossval` starts where both folds are wanted.

Under protocol `speaker` the folds k and k + 5 leave the same session out and train on the same speakers; they differ in
who validates and who is tested. So one training validates both speakers after every epoch and keeps a best epoch for
each direction; then each direction is evaluated as `ser fit` would have done, into a folder of its own.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.loggers import CSVLogger, Logger

from ser.arguments import files_first
from ser.callbacks import checkpoints
from ser.checkpoint import exchange_roles
from ser.cli import RunCLI, quieten
from ser.run import make_folder
from ser.system import SWAPPED
from ser.tracking import finish


class SwappedHistory(Callback):
    """Write the other direction's `metrics.csv`, as its own training would have written it.

    Args:
        folder: of the other direction.
    """

    def __init__(self, folder: Path) -> None:
        self.logger = CSVLogger(folder, name="", version="")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.training or (trainer.validating and trainer.state.fn == "fit"):
            self._log(trainer, f"{SWAPPED}/", "val/")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer, "train/", "train/")

    def _log(self, trainer: Trainer, prefix: str, name: str) -> None:
        measured = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith(prefix)}
        row = {name + key.removeprefix(prefix): value for key, value in measured.items()}
        self.logger.log_metrics({**row, "epoch": trainer.current_epoch}, trainer.global_step - 1)
        self.logger.save()


class SessionCLI(RunCLI):
    """`ser fit` for a fold and its other direction at once."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        super().add_arguments_to_parser(parser)
        parser.add_argument("--out_swapped", type=str, help="Folder of the other direction.")

    def instantiate_trainer(self, **kwargs) -> Trainer:
        self.folder_swapped = Path(self._get(self.config, "out_swapped"))
        trainer = super().instantiate_trainer(**kwargs)
        best, *_ = checkpoints(self.folder_swapped / "checkpoints", monitor=f"{SWAPPED}/wa")
        self.history = SwappedHistory(self.folder_swapped)
        trainer.callbacks += [best, self.history]
        return trainer

    def fit(self, **options) -> None:
        """Train once, then evaluate both directions."""
        self._record_config()
        other = self.datamodule.other_direction()
        self._record_swapped_config(other.fold)
        self.datamodule.validated = ("val", "test")
        self._train(**options)
        self.datamodule.validated = ("val",)
        for name in ("last.ckpt", *self._averaged_names()):
            shutil.copy(self.folder / "checkpoints" / name, self.folder_swapped / "checkpoints" / name)
        for path in sorted((self.folder_swapped / "checkpoints").iterdir()):
            exchange_roles(path)

        self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val", "test"])
        finish()  # or W&B goes on in the first direction's run
        self.folder, self.datamodule = self.folder_swapped, other
        tracking = self._get(self.config_init, "wandb").loggers(self.folder, self._tags())
        self._replay_metrics(tracking)
        self.trainer.loggers = [self.history.logger, *tracking]
        self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val", "test"])

    def _averaged_names(self) -> list[str]:
        return [path.name for path in (self.folder / "checkpoints").glob("epoch=*.ckpt")]

    def _record_swapped_config(self, fold: int) -> None:
        self.config_swapped = self._plain_config()
        self.config_swapped["data"]["fold"] = fold
        make_folder(self.folder_swapped, self.config_swapped)

    def _replay_metrics(self, loggers: list[Logger]) -> None:
        metrics = pd.read_csv(self.folder / "metrics.csv")
        for logger in loggers:
            logger.log_hyperparams(self.config_swapped)
            for row in metrics.to_dict("records"):
                logger.log_metrics({key: value for key, value in row.items() if not pd.isna(value)}, int(row["step"]))


def main() -> int:
    """Run `ser session OPTIONS`; the options are those of `ser fit`."""
    quieten()
    sys.argv[1:] = ["fit", *files_first(sys.argv[2:])]
    try:
        SessionCLI()
    finally:
        finish()
    return 0
