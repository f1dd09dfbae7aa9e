"""`ser crossval --config FILE [--folds 1-10] [--seeds 1] [--jobs 2] --out FOLDER`: train and test every fold; go on
where it was interrupted; pool the results."""

import shlex

from ser.commands import main as run_ser
from ser.errors import InputError
from ser.processes.forked import Starter
from ser.training.cross_validation import CrossValidation
from ser.training.experiment import Experiment
from ser.training.options.command import run
from ser.training.options.run_options import RunOptions, RunParser
from ser.training.tracking.tracking import forget_run

ABOUT = "Train and test every fold of a protocol; the same command goes on where it was interrupted."
INSTEAD = {"--data.fold": "--folds", "--data.seed": "--seeds"}


def main(arguments: list[str]) -> int:
    """Run `ser crossval ARGUMENTS`.

    Returns:
        1 if a training has failed, else 0.
    """
    typed = ["ser", "crossval", *arguments]
    forget_run()
    with Starter(run_ser, ("ser.commands.fit", "ser.commands._session")) as starter:
        return run(lambda: cross_validation(arguments, shlex.join(typed)).run(starter), typed)


def cross_validation(arguments: list[str], command: str) -> CrossValidation:
    """What the arguments ask for: the system is built once, to refuse what does not fit, and the corpus is read.

    Raises:
        InputError: for an option that a cross-validation sets itself.
    """
    options = RunOptions("crossval", arguments, ABOUT, _add_folds)
    for option, instead in INSTEAD.items():
        if option in options.given:
            raise InputError(f"ser crossval runs several folds; use {instead} instead of {option}")
    experiment = Experiment(options)
    experiment.read_corpus()
    if options.config["trainer"].devices not in (1, "1", "auto"):
        raise InputError("trainer.devices: a fold trains on one device; --devices shares the folds out over several")
    return CrossValidation(experiment, options.plain(), options.defaults(), command)


def _add_folds(parser: RunParser) -> None:
    parser.add_argument("--folds", type=str | int | list[int] | None, help="Folds, as 1-5,7; without it all.")
    parser.add_argument(
        "--seeds", type=str | int | list[int] | None, help="Seeds, as 1-3; without it seed_everything alone."
    )
    parser.add_argument("--jobs", type=int | None, help="Trainings at once; without it one per device.")
    parser.add_argument(
        "--devices", type=str | None, help="GPUs, one training on each: a number of them, or their numbers as 0,2."
    )
