"""`ser transfer RUN --data manifest --data.corpus.csv FILE [--out FOLDER]`: test a run or a cross-validation on every
utterance of another corpus, over the emotions that both have."""

import argparse
import shlex
from pathlib import Path

from jsonargparse import DefaultHelpFormatter

from ser.checkpoint.trained import read_trained
from ser.errors import InputError
from ser.results.transferred import KIND, describe_transfer
from ser.training.options.arguments import files_first
from ser.training.options.command import run
from ser.training.options.configuration import restrict
from ser.training.options.parser import ClassParser
from ser.training.target import Target
from ser.training.tracking.records import record_result
from ser.training.tracking.tracking import Tracking, tracked
from ser.training.transfer import transfer

DESCRIPTION = """Test a trained system on another corpus. RUN is the folder of a `ser fit`, or of a
`ser crossval`, whose systems are tested one by one and by the mean of their posteriors. Posteriors
are divided by their sum over the emotions that both corpora have. Speakers and recordings that the
systems were trained or validated on are refused.

  ser transfer runs/emodb-reccap --data manifest --data.corpus.csv nemo.csv --out runs/emodb-on-nemo
  ser report runs/emodb-reccap runs/nemo-reccap runs/emodb-on-nemo runs/nemo-on-emodb --out report"""


def main(arguments: list[str]) -> int:
    """Run `ser transfer ARGUMENTS`.

    Raises:
        InputError: if an option, the run or the corpus cannot be used.
    """
    typed = ["ser", "transfer", *arguments]
    parser = _parser()
    settings = parser.read(files_first(arguments))
    if not (source := Path(settings.run)).is_dir():
        raise InputError(f"{source}: no such folder; give the folder of a `ser fit` or `ser crossval`")
    built = parser.build(settings)
    corpus = built.data.corpus.name.replace("/", "-")
    folder = Path(settings.out or Path("runs") / f"{source.resolve().name}-on-{corpus}")
    command = shlex.join(typed)
    run(lambda: _test(source, built.data, settings.accelerator, folder, command, built.wandb), typed)
    return 0


def _test(source: Path, target: Target, accelerator: str, folder: Path, command: str, tracking: Tracking) -> None:
    """Test, print the result and record it in W&B."""
    loggers = tracking.loggers(folder, [read_trained(source)["system"], target.corpus.name, KIND], "test")
    about, mean = transfer(source, target, accelerator, folder, command)
    print(f"{describe_transfer(about)}\n\nThis result: {folder}")
    for logger in loggers:
        logger.log_hyperparams({name: about[name] for name in ("command", "trained_on", "emotions", "merge", "model")})
    record_result(loggers, {"test": mean}, about)
    for line in tracked(loggers):
        print(line)


class _Help(argparse.RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the line breaks of the examples."""


def _parser() -> ClassParser:
    restrict()
    parser = ClassParser(prog="ser transfer", description=DESCRIPTION, formatter_class=_Help)
    parser.add_argument("run", metavar="RUN", help="Folder of a run or cross-validation, with its checkpoints.")
    parser.add_class_arguments(Target, "data", sub_configs=True)
    parser.set_defaults({"data.corpus": {"class_path": "ser.data.Manifest"}})
    parser.add_class_arguments(Tracking, "wandb")
    parser.add_argument("--accelerator", type=str, default="auto", help="cpu, gpu or auto.")
    parser.add_argument(
        "--out", type=str | None, metavar="FOLDER", help="New folder of the result; by default runs/RUN-on-CORPUS."
    )
    return parser
