"""The options of every command that trains or evaluates, parsed by LightningCLI, which builds and runs nothing."""

from collections.abc import Callable

import yaml
from jsonargparse import Namespace
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI

from ser.bounds import Seed, check
from ser.checkpoint.reading import read_checkpoint
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.paths import absolute_places
from ser.systems.learning_rate import LearningRateRule
from ser.systems.lineage import audio_options, emotions_in
from ser.systems.system import System
from ser.training.callbacks.checkpointing import Checkpoints
from ser.training.options.arguments import files_first
from ser.training.options.configuration import restrict
from ser.training.options.parser import ClassParser
from ser.training.tracking.other_loggers import Names
from ser.training.tracking.tracking import Tracking


class RunParser(ClassParser, LightningArgumentParser):
    """The parser of a run's options."""

    more_help = ", a system's: ser fit --model.help CLASS"


class RunOptions(LightningCLI):
    """The options of a command; each source overrides the ones before it: defaults, configuration files from left to
    right, a checkpoint's hyperparameters, options on the command line.

    Args:
        command: its name in help and messages, such as "fit".
        words: the command's arguments.
        about: the first line of its help.
        add_own: adds the options of this command only.

    Attributes:
        config: all options by name.
        checkpoint: the contents of the file `--ckpt_path`, if there is one.
    """

    checkpoint: dict | None = None

    def __init__(
        self, command: str, words: list[str], about: str, add_own: Callable[[RunParser], None] = lambda parser: None
    ) -> None:
        restrict()
        self.words, self.add_own = files_first(words), add_own
        super().__init__(
            System,
            EmotionData,
            subclass_mode_model=True,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            save_config_callback=None,
            seed_everything_default=1,
            parser_class=RunParser,
            parser_kwargs={"prog": f"ser {command}", "description": about},
            run=False,
        )

    def add_arguments_to_parser(self, parser: RunParser) -> None:
        parser.add_argument("--out", type=str | None, help="Folder of the run; by default a new one under runs/.")
        parser.add_argument(
            "--init_weights",
            type=str | None,
            help="Initial weights: a .safetensors file or a checkpoint. Neither they nor their own initial weights may "
            "have been trained or validated on a validation or test speaker of this run.",
        )
        parser.add_argument(
            "--epochs_averaged", type=int, default=0, help="Also score the average posterior of the last N epochs."
        )
        parser.add_argument(
            "--allow_leaks",
            action="store_true",
            help="Train on a split whose sets share speakers or recordings; every result says so.",
        )
        parser.add_argument(
            "--loggers",
            type=Names,
            help="Lightning's loggers besides: tensorboard, csv or [tensorboard, csv]. metrics.csv is written anyway.",
        )
        parser.add_lightning_class_args(LearningRateRule, "learning_rate_rule")
        parser.add_class_arguments(Tracking, "wandb")
        parser.add_class_arguments(Checkpoints, "checkpoints")
        parser._option_string_actions["--seed_everything"].help = "Seed of weights, batches and dropout."
        parser._option_string_actions["--config"].help = "A YAML file, or a name such as reccap; several are combined."
        parser.link_arguments("seed_everything", "data.seed", compute_fn=plain_seed)
        parser.link_arguments("data.emotions", "model.init_args.emotions")
        parser.link_arguments("allow_leaks", "data.allow_leaks")
        self.add_own(parser)

    def parse_arguments(self, parser: RunParser, args: ArgsType) -> None:
        if self.given & {"--model.emotions", "--model.init_args.emotions"}:
            raise InputError("model.emotions is always data.emotions; use --data.emotions")
        self.config = parser.read(self.words)

    def _parse_ckpt_path(self) -> None:
        if not (path := self.config.get("ckpt_path")):
            return
        self.checkpoint = read_checkpoint(path)
        model, system = self.config.model, self.checkpoint["system"]
        if model.class_path.rsplit(".", 1)[-1] != system:
            raise InputError(f"{path} holds a {system}, but the configuration asks for {model.class_path}")
        for name, value in self.checkpoint["hyper_parameters"].items():
            if not self.given & {f"--model.{name}", f"--model.init_args.{name}"}:
                model.init_args[name] = value
        emotions = emotions_in(self.checkpoint)
        if "--data.emotions" in self.given and self.config.data.emotions != emotions:
            raise InputError(f"{path} was trained with --data.emotions [{', '.join(emotions)}]; test it with the same")
        self.config.data.emotions = model.init_args.emotions = emotions
        for name, value in audio_options(self.checkpoint).items():
            if f"--data.{name}" in self.given and self.config.data[name] != value:
                said = str(value).lower() if isinstance(value, bool) else value
                raise InputError(f"{path} was trained with --data.{name} {said}; test it with the same")
            self.config.data[name] = value

    def instantiate_classes(self) -> None:
        """Do nothing; the caller calls `built`."""

    @property
    def given(self) -> set[str]:
        """Names of the options on the command line."""
        return {word.split("=", 1)[0].removesuffix("+") for word in self.words if word.startswith("--")}

    def built(self) -> Namespace:
        """The options with their classes instantiated.

        Raises:
            InputError: if a class refuses its options.
        """
        return self.parser.build(self.config)

    def plain(self, config: Namespace | None = None) -> dict:
        """The options, or others of the same parser, as nested plain values with absolute paths."""
        # Already validated; doing it again would take three times as long.
        text = self.parser.dump(config or self.config, skip_unset=False, format="yaml", skip_validation=True)
        return absolute_places(yaml.safe_load(text))

    def defaults(self) -> dict:
        """The default options for the chosen system and corpus."""
        chosen = self.plain()
        named = {"model": {"class_path": chosen["model"]["class_path"]}, "data": {"corpus": chosen["data"]["corpus"]}}
        return self.plain(self.parser.parse_object(named))


def plain_seed(seed: int | bool) -> int:
    """The seed of the batches; a random one is refused."""
    check("seed_everything", seed, Seed)
    return seed


def add_checkpoint(parser: RunParser) -> None:
    """Add the option of a command that tests a checkpoint."""
    parser.add_argument("--ckpt_path", type=str | None, help="Checkpoint of a trained system (a local file).")
