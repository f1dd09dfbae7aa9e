"""`ser crossval --config FILE [--folds 1-10] [--seeds 1] [--jobs 2 | --plan | --submit FILE] --out FOLDER`: train and
test every fold and pool the results; the same command continues after an interruption."""

import shlex

from ser.commands import main as run_ser
from ser.errors import InputError
from ser.processes.forked import Starter
from ser.processes.jobs import Devices
from ser.training.cross_validation import CrossValidation
from ser.training.devices import slots
from ser.training.experiment import Experiment
from ser.training.options.command import run
from ser.training.options.elsewhere import PLAN, SUBMIT, elsewhere
from ser.training.options.run_options import RunOptions, RunParser
from ser.training.tracking.tracking import forget_run

ABOUT = "Train and test every fold of a protocol; the same command continues after an interruption."
INSTEAD = {"--data.fold": "--folds", "--data.seed": "--seeds"}


def main(arguments: list[str]) -> int:
    """Run `ser crossval ARGUMENTS`.

    Returns:
        1 if a training failed, else 0.
    """
    typed = ["ser", "crossval", *arguments]
    forget_run()
    with Starter(run_ser, ("ser.commands._session",)) as starter:
        return run(lambda: _cross_validate(arguments, shlex.join(typed), starter), typed)


def _cross_validate(arguments: list[str], command: str, starter: Starter) -> int:
    made = cross_validation(arguments, command)
    plan, submit, jobs, devices = (made.settings[name] for name in ("plan", "submit", "jobs", "devices"))
    runner = elsewhere(plan, submit, made.folder, {"jobs": jobs, "devices": devices})
    return made.run(runner or Devices(starter, slots(devices, jobs)))


def cross_validation(arguments: list[str], command: str) -> CrossValidation:
    """Build the cross-validation: the system is built once to check the options, and the corpus is read.

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
        raise InputError("trainer.devices: each fold trains on one device; use --devices to run folds on several")
    return CrossValidation(experiment, options.plain(), options.defaults(), command)


def _add_folds(parser: RunParser) -> None:
    parser.add_argument("--folds", type=str | int | list[int] | None, help="Folds, as 1-5,7; by default all.")
    parser.add_argument(
        "--seeds", type=str | int | list[int] | None, help="Seeds, as 1-3; by default seed_everything only."
    )
    parser.add_argument("--jobs", type=int | None, help="Number of trainings at once; by default one per device.")
    parser.add_argument(
        "--devices", type=str | None, help="GPUs, with one training on each: how many, or which, as 0,2."
    )
    parser.add_argument("--plan", action="store_true", help=PLAN)
    parser.add_argument("--submit", type=str | None, metavar="FILE", help=SUBMIT)
