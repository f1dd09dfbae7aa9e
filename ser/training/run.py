"""A run: training of a system on a fold, or evaluation of a checkpoint, recorded in a folder."""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from lightning import Trainer
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import newest, put_weights, read_checkpoint
from ser.errors import InputError
from ser.files import digest, make_folder
from ser.processes import forked
from ser.processes.interruption import Interrupted
from ser.processes.jobs import only_one
from ser.results.identity import check_same_run, identity
from ser.systems.lineage import entries
from ser.training.callbacks.checkpointing import AtomicCheckpointIO
from ser.training.callbacks.curves import Curves
from ser.training.callbacks.history import History
from ser.training.callbacks.predictions import Predictions
from ser.training.callbacks.progress import Progress, ToldProgress
from ser.training.devices import device_name
from ser.training.evaluation import evaluate, evaluate_mean
from ser.training.experiment import Experiment
from ser.training.folder import claim_folder, drop_unused, name_folder
from ser.training.options.run_options import RunOptions, add_checkpoint
from ser.training.options.trainer import listed, refusals
from ser.training.run_files import headline, report, training_record, write_result, write_tables
from ser.training.tracking.artifacts import record_artifacts
from ser.training.tracking.other_loggers import other_loggers
from ser.training.tracking.records import record_epochs, record_result
from ser.training.tracking.tracking import JobType, tracked


class Run:
    """A system, its fold, its trainer and its folder.

    Args:
        experiment: system and data, with the corpus read; has a checkpoint if it is only tested.
        words: first words of the name of a new folder.
        job: the type of its W&B run.

    Attributes:
        data: the fold; if one training serves several folds, each of them in turn.
        config: the options as in `config.yaml`.

    Raises:
        InputError: if the trainer refuses its options, or the folder is in use.
    """

    def __init__(self, experiment: Experiment, words: tuple[str, ...] = (), job: JobType = "fold") -> None:
        self.experiment, self.system, self.data, self.job = experiment, experiment.system, experiment.data, job
        self.fitting, self.out = experiment.checkpoint is None, experiment.options.config["out"]
        self.epochs_averaged = experiment.options.config["epochs_averaged"] if self.fitting else 0
        self.folder = name_folder(self.out, [*words, *self.tags])
        self.config = experiment.options.plain()
        self.identity = identity(self.config, self.data.corpus_digest)
        try:
            with refusals():
                self.trainer = self._trainer()
            self.data.check_devices(self.trainer)
        except InputError:
            if not self.out:
                drop_unused(self.folder)
            raise

    def _trainer(self) -> Trainer:
        """The trainer with the run's loggers and callbacks."""
        settings = self.experiment.settings
        options, own, loggers = {**settings["trainer"]}, [Predictions()], self.loggers()
        if self.fitting:
            options["plugins"] = [*listed(options["plugins"]), AtomicCheckpointIO(self.identity)]
            history = History(self.folder)  # before the others, which show or save its values
            own += [history, *([Curves(history, loggers)] if loggers else [])]
        if forked.launcher:
            own.append(ToldProgress())
        if options["enable_progress_bar"] is not False:
            own.append(Progress())  # or Lightning would add its own, which counts epochs from 0
        if self.fitting:
            own += settings["checkpoints"].callbacks(self.folder / "checkpoints", self.epochs_averaged)
        options["callbacks"] = [*listed(options["callbacks"]), *own, settings["learning_rate_rule"]]
        return Trainer(**options | {"logger": loggers or DummyLogger(), "default_root_dir": self.folder})

    @property
    def tags(self) -> list[str]:
        """System, corpus, protocol, fold, and the statistics if not of the training set."""
        data = self.data
        transductive = [] if data.statistics == "train" else [f"statistics-{data.statistics}"]
        leaks = ["leaks"] if data.leaks else []
        fold = f"fold{data.fold}"
        return [type(self.system).__name__, data.corpus.name, data.protocol, fold, *transductive, *leaks]

    def loggers(self) -> list:
        """The W&B run of the folder, unless tracking is disabled, and the loggers of `--loggers`."""
        tracking, more = self.experiment.settings["wandb"], self.experiment.options.config["loggers"]
        return [*tracking.loggers(self.folder, self.tags, self.job), *other_loggers(more, self.folder)]

    @property
    def best(self) -> Path:
        """The checkpoint of the epoch with the best validation WA."""
        return self.folder / "checkpoints" / "best.ckpt"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder against other trainings."""
        if self.trainer.is_global_zero:
            make_folder(self.folder)
        with only_one(self.folder) if self.trainer.is_global_zero else nullcontext():
            yield

    def record_config(self) -> None:
        """Write the configuration into the folder, which must be new or of the same run.

        Raises:
            InputError: if the folder holds something else.
        """
        if self.trainer.is_global_zero:
            claim_folder(self.folder, self.config, self.identity)
            for logger in self.trainer.loggers:
                logger.log_hyperparams(self.config)

    def newest_checkpoint(self) -> tuple[Path, dict] | None:
        """The newest checkpoint of an interrupted training, with its contents.

        Raises:
            InputError: if it belongs to another run.
        """
        if found := newest(self.folder / "checkpoints"):
            check_same_run(*found, self.identity)
        return found

    def train(self) -> None:
        """Train all epochs, from the newest checkpoint if there is one.

        Raises:
            InputError: if the training cannot continue from it, or has not made all its steps.
        """
        path, checkpoint = self.newest_checkpoint() or (None, {})
        steps = self.trainer.max_epochs * self.data.steps_per_epoch
        if checkpoint.get("global_step") == steps:
            record_epochs(self.trainer.loggers, checkpoint["callbacks"]["History"]["rows"])
            return  # interrupted after the last step
        if path and self.trainer.is_global_zero:
            print(f"  continues   from {path}", flush=True)
        try:
            self.trainer.fit(self.system, datamodule=self.data, ckpt_path=path, weights_only=True)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            history = next(each for each in self.trainer.callbacks if isinstance(each, History))
            if path is None or isinstance(error, InputError) or history.batches_here:
                raise
            raise InputError(f"{path}: training cannot continue from it ({type(error).__name__}: {error})") from error
        if self.trainer.global_step != steps:
            cause = f"the training made {self.trainer.global_step} steps instead of {steps}"
            raise InputError(f"{path}: continuing from it, {cause}" if path else f"{cause}; did a callback stop it?")

    def evaluate(self, path: str | Path, *sets: str) -> None:
        """Evaluate a checkpoint on the given sets ("val", "test") and record the result."""
        checkpoint = self.experiment.checkpoint or read_checkpoint(path)
        put_weights(self.system, checkpoint, path)
        tables = evaluate(self.trainer, self.system, self.data, sets)
        averaged = {}
        if self.epochs_averaged:
            last = self.trainer.max_epochs
            epochs = range(last - self.epochs_averaged + 1, last + 1)
            paths = [Path(path).with_name(f"epoch={epoch}.ckpt") for epoch in epochs]
            averaged = evaluate_mean(self.trainer, self.system, self.data, paths, sets)
        if self.trainer.is_global_zero:
            self.record(path, checkpoint, tables, averaged)

    def record(self, path: str | Path, checkpoint: dict, tables: dict, averaged: dict) -> None:
        """Write the tables of each set and `result.json`, and print the result."""
        write_tables(self.folder, tables, averaged)
        about = {"checkpoint": os.path.abspath(path), **self._about(checkpoint, tuple(tables), bool(averaged))}
        result = write_result(self.folder, self.system, self.data, tables, averaged, about)
        record_result(self.trainer.loggers, tables, result)
        checkpoint = self.best if self.fitting else None
        record_artifacts(self.trainer.loggers, self.folder, result, self.data, checkpoint)
        print(report(result))
        print(f"\nThis run: {self.folder}")
        for line in tracked(self.trainer.loggers):
            print(line)

    def _about(self, checkpoint: dict, sets: tuple[str, ...], averaged: bool) -> dict:
        """The entries of a result about its training, besides scores and data."""
        first = self.experiment.init_weights
        doubts = self.experiment.doubts(self.data, ("val", "test") if self.fitting else sets)
        return {
            "seed": self.experiment.options.config["seed_everything"],
            "epochs": self.trainer.max_epochs if self.fitting else None,
            "epoch": checkpoint["epoch"] + 1,
            "epochs_averaged": self.epochs_averaged if averaged else 0,
            "model": dict(self.system.hparams),
            "device": device_name(self.trainer.strategy.root_device),  # Lightning has moved the system back to the CPU
            "init_weights": digest(Path(first)) if first else None,
            "trained_on": training_record(entries(checkpoint)),
            "leaks": self.data.leaks,
            "warnings": [*doubts, *(self.data.warnings if self.fitting else [])],
        }


def warn(run: Run, *sets: str) -> None:
    """Print warnings if the training speakers of the initial or tested weights are unknown."""
    for line in run.experiment.doubts(run.data, sets) if run.trainer.is_global_zero else []:
        print(f"ser: warning: {line}", file=sys.stderr)


def begin(options: RunOptions, others: Iterable[int] = (), job: JobType = "fold") -> Run:
    """Prepare a training: read the corpus, check for leaks, check the initial weights, choose the folder.

    Args:
        others: folds that the training serves besides that of the options; they have the same training set.
        job: the type of its W&B run.

    Raises:
        InputError: if an option, the corpus, the initial weights or the folder is refused, or sets leak.
    """
    experiment = Experiment(options)
    experiment.read_corpus()
    first = experiment.data
    first.others = [first.at_fold(fold) for fold in others]
    for data in (first, *first.others):
        if not ((data.utterances.set == "train") == (first.utterances.set == "train")).all():
            raise InputError(f"folds {first.fold} and {data.fold} do not train on the same utterances")
        data.check_leaks()
    experiment.check_beginning(first, *first.others)
    run = Run(experiment, job=job)
    warn(run, "val", "test")
    return run


def fit(run: Run, typed: list[str]) -> None:
    """Train, then validate and test the epoch with the best validation WA.

    Args:
        typed: the command line.

    Raises:
        Interrupted: after a signal, with the command to continue, which names the folder.
    """
    run.record_config()
    if run.trainer.is_global_zero:
        print(headline(run.system, run.data, run.folder))
    try:
        run.train()
        run.evaluate(run.best, "val", "test")
    except Interrupted as interrupted:
        interrupted.command = shlex.join([*typed, *([] if run.out else ["--out", str(run.folder)])])
        raise


def validated(run: Run) -> None:
    """Train, then validate the epoch with the best validation WA, without using the test set; for studies."""
    run.record_config()
    run.train()
    run.evaluate(run.best, "val")


def evaluate_checkpoint(command: str, tested: str, words: list[str], about: str) -> None:
    """Evaluate a checkpoint on one set of a fold, for `ser test` and `ser validate`.

    Args:
        command: "test" or "validate".
        tested: the set, "test" or "val".
        words: the command's arguments.
        about: the first line of its help.

    Raises:
        InputError: if no checkpoint is given, or it was trained or validated on speakers of that set.
    """
    options = RunOptions(command, words, about, add_checkpoint)
    if not options.checkpoint:
        raise InputError(f"ser {command} needs --ckpt_path FILE, the checkpoint of a trained system")
    experiment = Experiment(options)
    experiment.read_corpus()
    experiment.check_checkpoint(tested)
    if experiment.data.allow_leaks:
        experiment.data.check_leaks()  # the result says so
    run = Run(experiment, (command,), "test")
    warn(run, tested)
    run.record_config()
    run.evaluate(experiment.options.config["ckpt_path"], tested)
