"""Train without using the test set; started by a study for every fold of a trial, or by a scheduler with a line of
`jobs.txt`, which can be run again."""

from pathlib import Path

from ser.files import make_folder
from ser.processes.jobs import only_one
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
    make_folder(folder)
    with only_one(folder):
        if (folder / "result.json").is_file():
            print(f"finished before: {folder}")
        else:
            validated(begin(RunOptions("fit", arguments, "")))
