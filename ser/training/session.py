"""One training for both directions of a session: what `ser crossval` starts where both folds are wanted.

Under protocol `speaker` the folds k and k + 5 leave the same session out and train on the same speakers; they differ in
who validates and who is tested. So one training validates both speakers after every epoch and keeps a best epoch for
each direction; then each direction is evaluated as `ser fit` would have done, into a folder of its own.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from lightning import Trainer
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import exchange_roles
from ser.data.datamodule import EmotionData
from ser.results.identity import identity
from ser.systems.system import SWAPPED
from ser.training.callbacks.checkpointing import checkpoints
from ser.training.callbacks.history import SwappedHistory
from ser.training.folder import claim_folder
from ser.training.options.command import run
from ser.training.run import RunCLI
from ser.training.tracking.tracking import finish, forget_run


class SessionCLI(RunCLI):
    """`ser fit` for a fold and its other direction at once."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        super().add_arguments_to_parser(parser)
        parser.add_argument("--out_swapped", type=str, help="Folder of the other direction.")

    def instantiate_trainer(self, **kwargs) -> Trainer:
        self.folder_swapped = Path(self._get(self.config, "out_swapped"))
        trainer = super().instantiate_trainer(**kwargs)
        best, *_ = checkpoints(self.folder_swapped / "checkpoints", monitor=f"{SWAPPED}/wa")
        trainer.callbacks.insert(
            trainer.callbacks.index(self.history) + 1, SwappedHistory(self.folder_swapped, self.history, SWAPPED)
        )
        # Before this direction's: the last one of them writes `last.ckpt`, which holds what all others have chosen.
        trainer.callbacks.insert(trainer.callbacks.index(trainer.checkpoint_callback), best)
        return trainer

    def _folds(self) -> list[EmotionData]:
        return [self.datamodule, self.datamodule.other_direction()]

    def fit(self, **options) -> None:
        """Train once, then evaluate both directions."""
        self._record_config()
        other = self.datamodule.other_direction()
        self._record_swapped_config(other)
        self.datamodule.validated = ("val", "test")
        self._train(**options)
        self.datamodule.validated = ("val",)
        self._complete_swapped()

        self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val", "test"])
        finish()  # or W&B goes on in the first direction's run
        self.folder, self.datamodule = self.folder_swapped, other
        loggers = self._get(self.config_init, "wandb").loggers(self.folder, self._tags())
        self.trainer.loggers = loggers or [DummyLogger()]  # without any, Lightning warns
        self._replay_metrics()
        self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val", "test"])

    def _newest_checkpoint(self) -> tuple[Path, dict] | None:
        """That of a training of both directions; one of this direction alone knows nothing of the other."""
        while found := super()._newest_checkpoint():
            path, checkpoint = found
            if SwappedHistory.__qualname__ in checkpoint["callbacks"]:
                return found
            path.unlink()
        return None

    def _complete_swapped(self) -> None:
        """Give the other direction the checkpoints of all epochs that both share, with its own roles in each."""
        here, there = (folder / "checkpoints" for folder in (self.folder, self.folder_swapped))
        for path in [here / "last.ckpt", *here.glob("epoch=*.ckpt")]:
            exchange_roles(path, there / path.name, self.identity_swapped)
        exchange_roles(there / "best.ckpt", there / "best.ckpt", self.identity_swapped)

    def _record_swapped_config(self, other: EmotionData) -> None:
        self.config_swapped = self._plain_config()
        self.config_swapped["data"]["fold"] = other.fold
        self.identity_swapped = identity(self.config_swapped, other.corpus_digest)
        claim_folder(self.folder_swapped, self.config_swapped, self.identity_swapped)

    def _replay_metrics(self) -> None:
        metrics = pd.read_csv(self.folder / "metrics.csv")
        for logger in self.trainer.loggers:
            logger.log_hyperparams(self.config_swapped)
            for row in metrics.to_dict("records"):
                logger.log_metrics({key: value for key, value in row.items() if not pd.isna(value)}, int(row["step"]))


def main() -> int:
    """Run `ser session OPTIONS`; the options are those of `ser fit`."""
    forget_run()
    run(SessionCLI, "fit")
    return 0
