"""`ser fit --config FILE [--config FILE ...] [--out FOLDER]`: train a system on one fold, then test its best epoch."""

from ser.training.options.command import run
from ser.training.options.run_options import RunOptions
from ser.training.run import begin, fit

ABOUT = "Train a system on one fold, then test the epoch with the best validation WA."


def main(arguments: list[str]) -> int:
    """Run `ser fit ARGUMENTS`."""
    typed = ["ser", "fit", *arguments]
    run(lambda: _fit(arguments, typed), typed)
    return 0


def _fit(arguments: list[str], typed: list[str]) -> None:
    training = begin(RunOptions("fit", arguments, ABOUT))
    with training.alone():
        fit(training, typed)
