"""One training for both directions of a session: what `ser crossval` starts where both folds are wanted.

Under protocol `speaker` the folds k and k + 5 leave the same session out and train on the same speakers; they differ in
who validates and who is tested. So one training validates both speakers after every epoch and keeps a best epoch for
each direction; then each direction is evaluated as `ser fit` would have done, into a folder of its own.
"""

from pathlib import Path

import pandas as pd
from lightning import Trainer
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import exchange_roles
from ser.results.identity import identity
from ser.systems.system import SWAPPED
from ser.training.callbacks.checkpointing import checkpoints
from ser.training.callbacks.history import History, SwappedHistory
from ser.training.folder import claim_folder
from ser.training.run import Run
from ser.training.tracking.tracking import finish


def session(run: Run, folder: Path) -> None:
    """Train one direction in its own folder, then evaluate it, and the other direction in `folder`."""
    run.record_config()
    other = run.data.other_direction()
    config = run.config | {"data": run.config["data"] | {"fold": other.fold}}
    known = identity(config, other.corpus_digest)
    claim_folder(folder, config, known)
    watch(run.trainer, folder)
    _drop_single(run)
    run.data.validated = ("val", "test")
    run.train()
    run.data.validated = ("val",)
    _share_epochs(run.folder, folder, known)
    run.evaluate(run.best, "val", "test")

    finish()  # or W&B goes on in the first direction's run
    metrics = pd.read_csv(run.folder / "metrics.csv")
    run.folder, run.data = folder, other
    run.trainer.loggers = run.loggers() or [DummyLogger()]  # without any, Lightning warns
    for logger in run.trainer.loggers:
        logger.log_hyperparams(config)
        for row in metrics.to_dict("records"):
            logger.log_metrics({key: value for key, value in row.items() if not pd.isna(value)}, int(row["step"]))
    run.evaluate(run.best, "val", "test")


def watch(trainer: Trainer, folder: Path) -> None:
    """Let a trainer record the other direction's validation as well, and keep that direction's best epoch."""
    history = next(each for each in trainer.callbacks if isinstance(each, History))
    trainer.callbacks.insert(trainer.callbacks.index(history) + 1, SwappedHistory(folder, history, SWAPPED))
    # Before this direction's: the last one of them writes `last.ckpt`, which holds what all others have chosen.
    best, *_ = checkpoints(folder / "checkpoints", monitor=f"{SWAPPED}/wa")
    trainer.callbacks.insert(trainer.callbacks.index(trainer.checkpoint_callback), best)


def _drop_single(run: Run) -> None:
    """Remove checkpoints of this direction alone: a training that goes on from one would know nothing of the other."""
    while found := run.newest_checkpoint():
        path, checkpoint = found
        if SwappedHistory.__qualname__ in checkpoint["callbacks"]:
            return
        path.unlink()


def _share_epochs(here: Path, there: Path, known: dict) -> None:
    """Give the other direction the checkpoints of all epochs that both share, with its own roles in each."""
    here, there = here / "checkpoints", there / "checkpoints"
    for path in [here / "last.ckpt", *here.glob("epoch=*.ckpt")]:
        exchange_roles(path, there / path.name, known)
    exchange_roles(there / "best.ckpt", there / "best.ckpt", known)
