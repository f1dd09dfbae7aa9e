"""The one way a run is built: LightningCLI with one System, one EmotionData, and the run's folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import torch
import yaml
from lightning import Trainer
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import load_weights, newest, read_checkpoint
from ser.data import IEMOCAP
from ser.data.datamodule import EmotionData
from ser.data.folds import set_warnings
from ser.errors import InputError, check_bounds, refusal_within
from ser.files import digest, make_folder
from ser.paths import absolute_places, expand_home
from ser.processes.allocator import keep_freed_memory
from ser.processes.interruption import Interrupted
from ser.processes.jobs import only_one
from ser.processes.progress_pipe import somebody_listens
from ser.results.identity import check_same_run, identity
from ser.systems.learning_rate import LearningRateRule
from ser.systems.lineage import check_unheard, doubts, entries
from ser.systems.system import System
from ser.training.callbacks.checkpointing import AtomicCheckpointIO, Checkpoints
from ser.training.callbacks.history import History
from ser.training.callbacks.predictions import Predictions
from ser.training.callbacks.progress import PipedProgress, Progress
from ser.training.devices import device_name
from ser.training.evaluation import evaluate, evaluate_mean
from ser.training.folder import claim_folder, drop_unused, name_folder
from ser.training.options.command import run
from ser.training.options.configuration import restrict
from ser.training.options.parser import RunParser, plain_seed
from ser.training.options.trainer import check_trainer, listed, refusals
from ser.training.origin import training_record
from ser.training.run_files import headline, report, write_result, write_tables
from ser.training.same_corpus import check_same_corpus
from ser.training.tracking.tracking import Tracking, record_result, tracked

TESTED_SETS = {"test": "test", "validate": "val"}


class RunCLI(LightningCLI):
    """`ser fit`, `ser test`, `ser validate`.

    Options, from weakest to strongest: defaults, the configuration files from left to right, a checkpoint's
    hyperparameters, options on the command line.
    """

    checkpoint: dict | None = None  # that is tested

    def __init__(self, args: ArgsType = None, run: bool = True, **options) -> None:
        restrict()
        super().__init__(
            System,
            EmotionData,
            subclass_mode_model=True,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            save_config_callback=None,
            seed_everything_default=1,
            parser_class=RunParser,
            args=args,
            run=run,
            **options,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """The one that was typed, and what it leaves out; to describe the others' options takes as long, each."""
        skipped = {"model", "datamodule", "ckpt_path", "verbose", "weights_only"}
        left_out = {
            "fit": skipped | {"train_dataloaders", "val_dataloaders"},
            "validate": skipped | {"dataloaders"},
            "test": skipped | {"dataloaders"},
        }
        return {name: left_out[name] for name in sys.argv[1:2] if name in left_out}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--out", type=str | None, help="Folder of the run; without it a new one under runs/.")
        parser.add_argument(
            "--init_weights",
            type=str | None,
            help="Weights to begin the training with: a .safetensors file or a checkpoint. Neither its own training "
            "nor those before it may have heard a speaker who is validated or tested here.",
        )
        parser.add_argument(
            "--epochs_averaged",
            type=int,
            default=0,
            help="Also score the mean posterior of so many last epochs, which nobody has chosen.",
        )
        parser.add_lightning_class_args(LearningRateRule, "learning_rate_rule")
        parser.add_class_arguments(Tracking, "wandb")
        parser.add_class_arguments(Checkpoints, "checkpoints")
        parser.link_arguments("seed_everything", "data.seed", compute_fn=plain_seed)

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs) -> LightningArgumentParser:
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand in TESTED_SETS:
            parser.add_argument(
                "--ckpt_path", type=str | None, help="The checkpoint of a trained system, a local file."
            )
        return parser

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        self.words = sys.argv[1:]  # a study parses several
        super().parse_arguments(parser, args)
        self.config = expand_home(self.config)

    def _parse_ckpt_path(self) -> None:
        settings = self.config[self.config.subcommand] if self.config.get("subcommand") else {}
        if not (path := settings.get("ckpt_path")):
            return
        self.checkpoint = read_checkpoint(path)
        model, system = settings.model, self.checkpoint["system"]
        if model.class_path.rsplit(".", 1)[-1] != system:
            raise InputError(f"{path} holds a {system}, but the configuration asks for {model.class_path}")
        given = {word.split("=", 1)[0] for word in sys.argv if word.startswith("--")}
        for name, value in self.checkpoint["hyper_parameters"].items():
            if not given & {f"--model.{name}", f"--model.init_args.{name}"}:
                model.init_args[name] = value
        heard = self.checkpoint["standardised_by"]
        if "--data.statistics" in given and settings.data.statistics != heard:
            raise InputError(f"{path} was trained with --data.statistics {heard}; it cannot be tested with another")
        settings.data.statistics = heard

    def instantiate_classes(self) -> None:
        """Build everything, read the corpus, and only then name the run's folder."""
        self._build_system_and_data()
        if tested := TESTED_SETS.get(self.subcommand):
            if not (path := self._get(self.config, "ckpt_path")):
                raise InputError(f"ser {self.subcommand} needs --ckpt_path FILE, the checkpoint of a trained system")
            check_unheard(entries(self.checkpoint), path, self.datamodule, tested)
        elif path := self._get(self.config, "init_weights"):
            self._check_beginning(path)
        words = [] if self.subcommand == "fit" else [self.subcommand]
        self.folder = name_folder(self._get(self.config, "out"), [*words, *self._tags()])
        try:
            with refusals():
                self.trainer = self.instantiate_trainer()
            self.datamodule.check_devices(self.trainer)
        except InputError:
            if not self._get(self.config, "out"):
                drop_unused(self.folder)
            raise
        for line in self._doubts() if self.trainer.is_global_zero else []:
            print(f"ser: warning: {line}", file=sys.stderr)

    def _doubts(self) -> list[str]:
        if tested := TESTED_SETS.get(self.subcommand):
            return doubts(entries(self.checkpoint), "the checkpoint", self.datamodule, [tested])
        return doubts(self.beginning, "the initial weights", self.datamodule, ["val", "test"]) if self.beginning else []

    def _build_system_and_data(self) -> None:
        self._build()
        self._read_corpus()

    def _build(self) -> None:
        check_trainer(self._get(self.config, "trainer"), fitting=self.subcommand not in TESTED_SETS)
        keep_freed_memory()
        torch.backends.cudnn.allow_tf32 = False  # a GPU would round what convolutions multiply to 10 bits
        try:
            self.config_init = self.parser.instantiate(self.config)
        except ValueError as error:  # jsonargparse wraps what a constructor refuses
            raise refusal_within(error) from error
        self.datamodule: EmotionData = self._get(self.config_init, "data")
        self.model: System = self._get(self.config_init, "model")
        if self.subcommand not in TESTED_SETS and (path := self._get(self.config, "init_weights")):
            load_weights(self.model, path)
        self.beginning = self.model.lineage  # of the initial weights, where there are some

    def _read_corpus(self) -> None:
        corpus = self.datamodule.corpus
        if isinstance(corpus, IEMOCAP) and corpus.name == "synthetic":
            raise InputError(
                f"{corpus.location} holds the built-in corpus, not IEMOCAP; it is read as ser.data.Synthetic"
            )
        self.datamodule.setup()
        files = [Path(file) for file in self._get(self.config, "config") or ()]
        tested = (self._get(self.config, "ckpt_path"), self.checkpoint) if self.checkpoint else None
        check_same_corpus(self.datamodule, files, self.words, tested)
        epochs = self._get(self.config, "trainer").max_epochs or 0
        check_bounds("epochs_averaged", self._get(self.config, "epochs_averaged"), at_least=0, at_most=max(epochs, 0))

    def _check_beginning(self, path: str) -> None:
        """Refuse initial weights that have heard a speaker who is validated or tested."""
        for data in self._folds():
            for tested in ("val", "test"):
                check_unheard(self.beginning, path, data, tested)

    def _folds(self) -> list[EmotionData]:
        return [self.datamodule]

    def _tags(self) -> list[str]:
        data = self.datamodule
        transductive = [] if data.statistics == "train" else [f"statistics-{data.statistics}"]
        return [type(self.model).__name__, data.corpus.name, data.protocol, f"fold{data.fold}", *transductive]

    def instantiate_trainer(self, **kwargs) -> Trainer:
        """The trainer with the run's loggers, tables and checkpoints."""
        settings = self._get(self.config_init, "trainer")
        fitting = self.subcommand == "fit"
        loggers = self._get(self.config_init, "wandb").loggers(self.folder, self._tags())
        self.writer, own = AtomicCheckpointIO(), [Predictions()]
        if fitting:
            self.history = History(self.folder)
            own.append(self.history)  # before the others, which show or keep what it adds up
        if somebody_listens():
            own.append(PipedProgress())
        if settings.enable_progress_bar is not False:
            own.append(Progress())  # or Lightning would add its own, which counts epochs from 0
        if fitting:
            when = self._get(self.config_init, "checkpoints")
            own += when.callbacks(self.folder / "checkpoints", self._get(self.config, "epochs_averaged"))
            settings.plugins = [*listed(settings.plugins), self.writer]
        settings.callbacks = [*listed(settings.callbacks), *own]
        return super().instantiate_trainer(logger=loggers or DummyLogger(), default_root_dir=self.folder, **kwargs)

    def _run_subcommand(self, subcommand: str) -> None:
        """Only one process at a time trains in a folder."""
        if subcommand != "fit" or not self.trainer.is_global_zero:
            return super()._run_subcommand(subcommand)
        make_folder(self.folder)
        with only_one(self.folder):
            return super()._run_subcommand(subcommand)

    def fit(self, **options) -> None:
        """Train, then validate and test the epoch with the best validation WA.

        Raises:
            Interrupted: after a signal; the command to go on names the folder.
        """
        self._record_config()
        if self.trainer.is_global_zero:
            print(headline(self.model, self.datamodule, self.folder))
        try:
            self._train(**options)
            self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val", "test"])
        except Interrupted as interrupted:
            out = [] if self._get(self.config, "out") else ["--out", str(self.folder)]
            interrupted.command = shlex.join(["ser", *sys.argv[1:], *out])
            raise

    def _train(self, **options) -> None:
        path, checkpoint = self._newest_checkpoint() or (None, {})
        steps = self.trainer.max_epochs * self.datamodule.steps_per_epoch
        if checkpoint.get("global_step") == steps:
            return  # interrupted after the training
        if path and self.trainer.is_global_zero:
            print(f"  goes on     from {path}", flush=True)
        try:
            self.trainer.fit(**options, ckpt_path=path, weights_only=True)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            if path is None or isinstance(error, InputError) or self.history.batches_here:
                raise
            raise InputError(f"{path}: the training cannot go on from it ({type(error).__name__}: {error})") from error
        if self.trainer.global_step != steps:
            cause = f"the training made {self.trainer.global_step} steps instead of {steps}"
            raise InputError(f"{path}: going on from it, {cause}" if path else f"{cause}; has a callback ended it?")

    def _newest_checkpoint(self) -> tuple[Path, dict] | None:
        if found := newest(self.folder / "checkpoints"):
            check_same_run(*found, self.identity)
        return found

    def test(self, **options) -> None:
        """Test a checkpoint."""
        self._record_config()
        self._evaluate(self._get(self.config, "ckpt_path"), ["test"])

    def validate(self, **options) -> None:
        """Validate a checkpoint."""
        self._record_config()
        self._evaluate(self._get(self.config, "ckpt_path"), ["val"])

    def _evaluate(self, path: str | Path, sets: list[str]) -> None:
        tables = evaluate(self.trainer, self.model, self.datamodule, path, sets)
        averaged = {}
        if epochs := self._get(self.config, "epochs_averaged") if self.subcommand == "fit" else 0:
            last = self.trainer.max_epochs
            paths = [Path(path).with_name(f"epoch={epoch}.ckpt") for epoch in range(last - epochs + 1, last + 1)]
            averaged = evaluate_mean(self.trainer, self.model, self.datamodule, paths, sets)
        if self.trainer.is_global_zero:
            self._record_result(path, tables, averaged)

    def _plain_config(self) -> dict:
        # What would be refused has been, by the parser or by what was built; to ask again takes three times as long.
        config = yaml.safe_load(self.parser.dump(self.config, skip_unset=False, format="yaml", skip_validation=True))
        return absolute_places(config[self.subcommand] if self.subcommand else config)

    def _record_config(self) -> None:
        config = self._plain_config()
        self.identity = identity(config, self.datamodule.corpus_digest)
        self.writer.identity = self.identity
        if self.trainer.is_global_zero:
            claim_folder(self.folder, config, self.identity)
            for logger in self.trainer.loggers:
                logger.log_hyperparams(config)

    def _record_result(self, checkpoint: str | Path, tables: dict, averaged: dict) -> None:
        first, read = self._get(self.config, "init_weights"), read_checkpoint(checkpoint)
        fitted = self.subcommand == "fit"
        about = {
            "seed": self._get(self.config, "seed_everything"),
            "epochs": self.trainer.max_epochs if fitted else None,
            "checkpoint": os.path.abspath(checkpoint),
            "epoch": read["epoch"] + 1,
            "epochs_averaged": self._get(self.config, "epochs_averaged") if averaged else 0,
            "model": dict(self.model.hparams),
            "device": device_name(self.trainer.strategy.root_device),  # the system itself is moved back by now
            "init_weights": digest(Path(first)) if fitted and first else None,
            "trained_on": training_record(entries(read)),
            "warnings": [*self._doubts(), *(set_warnings(self.datamodule.utterances) if fitted else [])],
        }
        write_tables(self.folder, tables, averaged)
        result = write_result(self.folder, self.model, self.datamodule, tables, averaged, about)
        record_result(self.trainer.loggers, tables, result)
        print(report(result))
        print(f"\nThis run: {self.folder}")
        for line in tracked(self.trainer.loggers):
            print(line)


def main() -> int:
    """Run the subcommand in `sys.argv`."""
    run(RunCLI, sys.argv[1])
    return 0
