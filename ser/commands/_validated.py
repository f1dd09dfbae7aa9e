"""Train without using the test set; started by a study for every fold of a trial."""

from ser.training.options.command import run
from ser.training.options.run_options import RunOptions
from ser.training.run import begin, validated


def main(arguments: list[str]) -> int:
    """Run `ser validated ARGUMENTS`: the options of `ser fit`."""
    run(lambda: _validated(arguments), ["ser", "validated", *arguments])
    return 0


def _validated(arguments: list[str]) -> None:
    training = begin(RunOptions("fit", arguments, ""), job="trial")
    with training.alone():
        validated(training)
