"""The one way a run is built: LightningCLI with one System, one EmotionData, and the run's folder."""

from __future__ import annotations

import logging
import sys
import warnings

import yaml
from lightning import Trainer
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from ser.allocator import keep_freed_memory
from ser.callbacks import LearningRateRule, Predictions, Progress, checkpoints
from ser.checkpoint import load_weights, read_checkpoint
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.run import headline, make_folder, name_folder, report, write_result, write_tables
from ser.system import System
from ser.tracking import Tracking, finish, record_result, tracked

TESTED_SETS = {"test": "test", "validate": "val"}
EXPECTED_WARNINGS = (
    ".*isinstance.treespec, LeafSpec.*",  # between torch and lightning
    ".*does not have many workers.*",  # reading a segment takes a fraction of a millisecond
    ".*number of training batches.*is smaller than the logging interval.*",
    ".*Grad strides do not match bucket view strides.*",  # channels_last weights of a single input channel
    ".*Experiment logs directory .* exists and is not empty.*",
)


class RunCLI(LightningCLI):
    """`ser fit`, `ser test`, `ser validate`.

    Options, from weakest to strongest: defaults, the configuration files from left to right, a checkpoint's
    hyperparameters, options on the command line.
    """

    def __init__(self, args: ArgsType = None, run: bool = True) -> None:
        super().__init__(
            System,
            EmotionData,
            subclass_mode_model=True,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            save_config_callback=None,
            seed_everything_default=1,
            args=args,
            run=run,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        skipped = {"model", "dataloaders", "datamodule", "verbose", "weights_only"}
        return {
            "fit": {"model", "train_dataloaders", "val_dataloaders", "datamodule", "weights_only"},
            "validate": skipped,
            "test": skipped,
        }

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--out", type=str | None, help="Folder of the run; without it a new one under runs/.")
        parser.add_lightning_class_args(LearningRateRule, "learning_rate_rule")
        parser.add_class_arguments(Tracking, "wandb")
        parser.link_arguments("seed_everything", "data.seed", compute_fn=plain_seed)

    def _parse_ckpt_path(self) -> None:
        settings = self.config[self.config.subcommand] if self.config.get("subcommand") else {}
        if not (path := settings.get("ckpt_path")):
            return
        checkpoint = read_checkpoint(path)
        model = settings.model
        if model.class_path.rsplit(".", 1)[-1] != checkpoint["system"]:
            raise InputError(
                f"{path} holds a {checkpoint['system']}, but the configuration asks for {model.class_path}"
            )
        given = {word.split("=", 1)[0].rsplit(".", 1)[-1] for word in sys.argv if word.startswith("--model.")}
        for name, value in checkpoint["hyper_parameters"].items():
            if name not in given:
                model.init_args[name] = value

    def instantiate_classes(self) -> None:
        """Build everything, read the corpus, and only then make the run's folder."""
        keep_freed_memory()
        try:
            self.config_init = self.parser.instantiate(self.config)
        except ValueError as error:  # jsonargparse wraps what a constructor refuses
            raise refusal_within(error) from error
        self.datamodule: EmotionData = self._get(self.config_init, "data")
        self.model: System = self._get(self.config_init, "model")
        self.datamodule.setup()
        if self.subcommand in TESTED_SETS:
            self._check_checkpoint(TESTED_SETS[self.subcommand])
        words = [] if self.subcommand == "fit" else [self.subcommand]
        self.folder = name_folder(self._get(self.config, "out"), [*words, *self._tags()])
        self.predictions = Predictions()
        try:
            self.trainer = self.instantiate_trainer()
        except MisconfigurationException as error:
            raise InputError(f"trainer: {error}") from error
        self.datamodule.check_devices(self.trainer)

    def _tags(self) -> list[str]:
        data = self.datamodule
        return [type(self.model).__name__, data.corpus.name, data.protocol, f"fold{data.fold}"]

    def _check_checkpoint(self, tested: str) -> None:
        path = self._get(self.config, "ckpt_path")
        if not path:
            raise InputError(f"ser {self.subcommand} needs --ckpt_path FILE, the checkpoint of a trained system")
        trained = read_checkpoint(path).get("speakers", {}).get("train", [])
        if heard := sorted(set(trained) & set(self.datamodule.speaker_identities[tested])):
            raise InputError(
                f"{path} was trained on {', '.join(heard)}, who would be evaluated here; "
                "the result would mean nothing. Choose the fold the checkpoint was trained for."
            )

    def instantiate_trainer(self, **kwargs) -> Trainer:
        """The trainer with the run's loggers, tables and checkpoints."""
        settings = self._get(self.config_init, "trainer")
        for name, instead in {"logger": "--wandb.mode", "default_root_dir": "--out"}.items():
            if settings[name] not in (None, True):
                raise InputError(f"trainer.{name} is the run's own affair; use {instead}")
        fitting = self.subcommand == "fit"
        transductive = [] if self.datamodule.statistics == "train" else [f"statistics-{self.datamodule.statistics}"]
        loggers = [CSVLogger(self.folder, name="", version="")] if fitting else []
        loggers += self._get(self.config_init, "wandb").loggers(self.folder, self._tags() + transductive)
        own = [self.predictions]
        if settings.enable_progress_bar is not False:
            own.append(Progress())
        if fitting and settings.enable_checkpointing is not False:
            own += checkpoints(self.folder / "checkpoints")
        settings.callbacks = [*(settings.callbacks or []), *own]
        return super().instantiate_trainer(logger=loggers, default_root_dir=self.folder, **kwargs)

    def fit(self, **options) -> None:
        """Train, then validate and test the epoch with the best validation WA."""
        self._record_config()
        if self.trainer.is_global_zero:
            print(headline(self.model, self.datamodule, self.folder))
        self.trainer.fit(weights_only=True, **options)
        best = getattr(self.trainer.checkpoint_callback, "best_model_path", "")
        if not best:
            raise InputError("no checkpoint was kept, so there is nothing to test")
        self._evaluate(best, ["val", "test"])

    def test(self, ckpt_path: str, **options) -> None:
        """Test a checkpoint."""
        self._record_config()
        self._evaluate(ckpt_path, ["test"])

    def validate(self, ckpt_path: str, **options) -> None:
        """Validate a checkpoint."""
        self._record_config()
        self._evaluate(ckpt_path, ["val"])

    def _evaluate(self, path: str, sets: list[str]) -> None:
        load_weights(self.model, path)
        for name in sets:
            evaluate = self.trainer.test if name == "test" else self.trainer.validate
            evaluate(self.model, datamodule=self.datamodule, verbose=False)
        if self.trainer.is_global_zero:
            self._record_result(path)

    def _record_config(self) -> None:
        if not self.trainer.is_global_zero:
            return
        config = yaml.safe_load(self.parser.dump(self.config, skip_unset=False, format="yaml"))[self.subcommand]
        make_folder(self.folder, config)
        for logger in self.trainer.loggers:
            if not isinstance(logger, CSVLogger):  # config.yaml stands beside its metrics.csv already
                logger.log_hyperparams(config)

    def _record_result(self, checkpoint: str) -> None:
        tables = self.predictions.tables
        about = {
            "seed": self._get(self.config, "seed_everything"),
            "checkpoint": str(checkpoint),
            "epoch": read_checkpoint(checkpoint)["epoch"] + 1,
            "model": dict(self.model.hparams),
        }
        write_tables(self.folder, tables)
        result = write_result(self.folder, self.model, self.datamodule, tables, about)
        record_result(self.trainer.loggers, tables, result)
        print(report(result))
        print(f"\nThis run: {self.folder}")
        for line in tracked(self.trainer.loggers):
            print(line)


def refusal_within(error: BaseException) -> BaseException:
    """The InputError that led to an error, or the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or cause.__context__
    return cause or error


def plain_seed(seed: int | bool) -> int:
    """The seed of the batches; a run that cannot be repeated is refused."""
    if isinstance(seed, bool):
        raise ValueError("seed_everything must be a number, so that the run can be repeated")
    return seed


def main() -> int:
    """Run the subcommand in `sys.argv`."""
    for message in EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for framework in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.seed"):
        logging.getLogger(framework).setLevel(logging.WARNING)  # tips and devices; the run says what it does itself
    try:
        RunCLI()
    finally:
        finish()
    return 0
