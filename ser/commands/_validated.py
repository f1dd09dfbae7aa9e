"""Train without a look at the test set: a study starts this for every fold of a trial."""

from __future__ import annotations

from ser.training.experiment import Experiment
from ser.training.options.command import run
from ser.training.options.run_options import RunOptions
from ser.training.run import Run, validated, warn


def main(arguments: list[str]) -> int:
    """Run `ser validated ARGUMENTS`: the options of `ser fit`."""
    run(lambda: _validated(arguments), ["ser", "validated", *arguments])
    return 0


def _validated(arguments: list[str]) -> None:
    experiment = Experiment(RunOptions("fit", arguments, ""))
    experiment.read_corpus()
    experiment.check_beginning(experiment.data)
    training = Run(experiment)
    warn(training, "val", "test")
    with training.alone():
        validated(training)
