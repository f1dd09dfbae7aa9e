"""One training for both directions of a session; `ser crossval` starts it if both folds are needed.

Under protocol `speaker` the folds k and k + 5 leave out the same session and train on the same speakers; only their
validation and test speakers are swapped. So one training validates both speakers after every epoch and keeps the best
epoch of each direction; then each direction is evaluated as by `ser fit`, in its own folder.
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
    """Train both directions, then evaluate one in the run's folder and the other in `folder`."""
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

    finish()  # or W&B would continue the first direction's run
    metrics = pd.read_csv(run.folder / "metrics.csv")
    run.folder, run.data = folder, other
    run.trainer.loggers = run.loggers() or [DummyLogger()]  # Lightning warns if there is none
    for logger in run.trainer.loggers:
        logger.log_hyperparams(config)
        for row in metrics.to_dict("records"):
            logger.log_metrics({key: value for key, value in row.items() if not pd.isna(value)}, int(row["step"]))
    run.evaluate(run.best, "val", "test")


def watch(trainer: Trainer, folder: Path) -> None:
    """Make a trainer also record the other direction's validation and keep that direction's best epoch."""
    history = next(each for each in trainer.callbacks if isinstance(each, History))
    trainer.callbacks.insert(trainer.callbacks.index(history) + 1, SwappedHistory(folder, history, SWAPPED))
    # Before this direction's: the last of those writes `last.ckpt`, which contains the state of all others.
    best, *_ = checkpoints(folder / "checkpoints", monitor=f"{SWAPPED}/wa")
    trainer.callbacks.insert(trainer.callbacks.index(trainer.checkpoint_callback), best)


def _drop_single(run: Run) -> None:
    """Remove checkpoints of trainings of this direction only, which lack the state of the other direction."""
    while found := run.newest_checkpoint():
        path, checkpoint = found
        if SwappedHistory.__qualname__ in checkpoint["callbacks"]:
            return
        path.unlink()


def _share_epochs(here: Path, there: Path, known: dict) -> None:
    """Copy the checkpoints that both directions share to the other one, with validation and test swapped."""
    here, there = here / "checkpoints", there / "checkpoints"
    for path in [here / "last.ckpt", *here.glob("epoch=*.ckpt")]:
        exchange_roles(path, there / path.name, known)
    exchange_roles(there / "best.ckpt", there / "best.ckpt", known)
