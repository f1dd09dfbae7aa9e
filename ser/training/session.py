"""One training for all folds with the same training set; `ser crossval` starts it if several of them are needed.

Under protocol `speaker` these are the folds k and k + 5: they leave out the same session and exchange the roles of its
two speakers. The training validates every fold after each epoch and keeps the best epoch of each; then each fold is
evaluated as by `ser fit`, in its own folder.
"""

from pathlib import Path

import pandas as pd
from lightning import Trainer
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import write_for_fold
from ser.data.datamodule import EmotionData
from ser.results.identity import identity
from ser.systems.system import validation_of
from ser.training.callbacks.checkpointing import checkpoints
from ser.training.callbacks.history import History, OtherHistory
from ser.training.folder import claim_folder
from ser.training.run import Run
from ser.training.run_files import headline
from ser.training.tracking.records import record_epochs
from ser.training.tracking.tracking import finish


def session(run: Run, folders: dict[int, Path]) -> None:
    """Train once, then evaluate the run's fold in its folder, and `run.data.others` in theirs.

    Args:
        folders: of the other folds, by fold.
    """
    run.record_config()
    others, run_config = run.data.others, run.config
    configs = {other.fold: run_config | {"data": run_config["data"] | {"fold": other.fold}} for other in others}
    identities = {other.fold: identity(configs[other.fold], other.corpus_digest) for other in others}
    print(headline(run.system, run.data, run.folder))
    for fold, folder in folders.items():
        claim_folder(folder, configs[fold], identities[fold])
        watch(run.trainer, folder, validation_of(fold))
    for other in others:
        print(headline(run.system, other, folders[other.fold]))
    _drop_incomplete(run)
    run.train()
    run.data.others = []
    for other in others:
        _share_epochs(run.folder, folders[other.fold], other, identities[other.fold])
    run.evaluate(run.best, "val", "test")
    for other in others:
        finish()  # or W&B would continue the run of the fold before
        _turn_to(run, other, folders[other.fold], configs[other.fold])
        run.evaluate(run.best, "val", "test")


def watch(trainer: Trainer, folder: Path, stage: str) -> None:
    """Make a trainer also record the validation of another fold and keep that fold's best epoch."""
    history = next(each for each in trainer.callbacks if isinstance(each, History))
    trainer.callbacks.insert(trainer.callbacks.index(history) + 1, OtherHistory(folder, history, stage))
    # Before the run's own: the last of those writes `last.ckpt`, which contains the state of all others.
    best, *_ = checkpoints(folder / "checkpoints", monitor=f"{stage}/wa")
    trainer.callbacks.insert(trainer.callbacks.index(trainer.checkpoint_callback), best)


def _drop_incomplete(run: Run) -> None:
    """Remove checkpoints of trainings of fewer folds, which lack the state of the others."""
    needed = {each.state_key for each in run.trainer.callbacks if isinstance(each, OtherHistory)}
    while found := run.newest_checkpoint():
        path, checkpoint = found
        if needed <= checkpoint["callbacks"].keys():
            return
        path.unlink()


def _share_epochs(here: Path, there: Path, data: EmotionData, known: dict) -> None:
    """Copy the checkpoints that all folds share to another fold, and give that fold's own best epoch its roles."""
    here, there = here / "checkpoints", there / "checkpoints"
    for path in [here / "last.ckpt", *here.glob("epoch=*.ckpt")]:
        write_for_fold(path, there / path.name, data, known)
    write_for_fold(there / "best.ckpt", there / "best.ckpt", data, known)


def _turn_to(run: Run, data: EmotionData, folder: Path, config: dict) -> None:
    """Make a run that of another fold, with loggers that know the fold's epochs."""
    settings, tracking = run.experiment.settings, run.experiment.settings["wandb"]
    if tracking.name:
        settings["wandb"] = tracking.but(name=tracking.name.replace(run.folder.name, folder.name))
    run.folder, run.data = folder, data
    run.trainer.loggers = run.loggers() or [DummyLogger()]  # Lightning warns if there is none
    for logger in run.trainer.loggers:
        logger.log_hyperparams(config)
    rows = pd.read_csv(folder / "metrics.csv").to_dict("records")
    record_epochs(run.trainer.loggers, rows)
    for logger in run.trainer.loggers:
        if isinstance(logger, CSVLogger | TensorBoardLogger):
            for row in rows:
                logger.log_metrics({name: value for name, value in row.items() if name != "step"}, int(row["step"]))
            logger.save()
