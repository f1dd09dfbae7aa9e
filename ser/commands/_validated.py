"""Train without using the test set; started by a study for every fold of a trial, or by a scheduler with a line of
`jobs.txt`, which can be run again."""

from pathlib import Path

from ser.training.options.arguments import Parser
from ser.training.options.command import run
from ser.training.options.run_options import RunOptions
from ser.training.run import begin, validated


def main(arguments: list[str]) -> int:
    """Run `ser validated ARGUMENTS`: the options of `ser fit`."""
    run(lambda: _validated(arguments), ["ser", "validated", *arguments])
    return 0


def _validated(arguments: list[str]) -> None:
    parser = Parser(prog="ser validated", allow_abbrev=False, add_help=False)
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_known_args(arguments)[0].out
    if not (folder / "result.json").is_file():
        training = begin(RunOptions("fit", arguments, ""))
        with training.alone():
            if not (folder / "result.json").is_file():
                validated(training)
                return
    print(f"finished before: {folder}")
