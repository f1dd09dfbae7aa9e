"""Train both directions of a session at once; started by `ser crossval`."""

from pathlib import Path

from ser.training.options.command import run
from ser.training.options.run_options import RunOptions, RunParser
from ser.training.run import begin
from ser.training.session import session
from ser.training.tracking.tracking import forget_run


def main(arguments: list[str]) -> int:
    """Run `ser session ARGUMENTS`: the options of `ser fit` and the folder of the other direction."""
    forget_run()
    run(lambda: _session(arguments), ["ser", "session", *arguments])
    return 0


def _session(arguments: list[str]) -> None:
    options = RunOptions("fit", arguments, "", _add_folder)
    training = begin(options, lambda data: [data, data.other_direction()])
    with training.alone():
        session(training, Path(options.config["out_swapped"]))


def _add_folder(parser: RunParser) -> None:
    parser.add_argument("--out_swapped", type=str, help="Folder of the other direction.")
