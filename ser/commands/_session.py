"""Train once for several folds with the same training set; started by `ser crossval`."""

from pathlib import Path

from ser.training.options.command import run
from ser.training.options.run_options import RunOptions, RunParser
from ser.training.run import begin
from ser.training.session import session
from ser.training.tracking.variables import forget_run


def main(arguments: list[str]) -> int:
    """Run `ser session ARGUMENTS`: the options of `ser fit` and the folders of the other folds."""
    forget_run()
    run(lambda: _session(arguments), ["ser", "session", *arguments])
    return 0


def _session(arguments: list[str]) -> None:
    options = RunOptions("fit", arguments, "", _add_folders)
    folders = {fold: Path(folder) for fold, folder in options.config["outs"].items()}
    training = begin(options, folders)
    with training.alone():
        session(training, folders)


def _add_folders(parser: RunParser) -> None:
    parser.add_argument("--outs", type=dict[int, str], help="The other folds and their folders.")
