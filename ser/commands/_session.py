"""Train once for the folds with the same training set; started by `ser crossval`, or by a scheduler with a line of
`jobs.txt`. Finished folds are left out, so a line can be run again."""

import json
from pathlib import Path

from ser.errors import InputError
from ser.files import make_folder
from ser.processes.jobs import only_one
from ser.training.options.arguments import Parser
from ser.training.options.command import run
from ser.training.options.run_options import RunOptions
from ser.training.run import begin
from ser.training.session import session
from ser.training.tracking.variables import forget_run


def main(arguments: list[str]) -> int:
    """Run `ser session ARGUMENTS`: the options of `ser fit`, and the other folds with their folders."""
    forget_run()
    run(lambda: _session(arguments), ["ser", "session", *arguments])
    return 0


def _session(arguments: list[str]) -> None:
    parser = Parser(prog="ser session", allow_abbrev=False, add_help=False)
    parser.add_argument("--data.fold", dest="fold", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--outs", type=json.loads, default={})
    parser.add_argument("--wandb.name", dest="name")
    own, words = parser.parse_known_args(arguments)
    folders = {own.fold: own.out, **{int(fold): Path(folder) for fold, folder in own.outs.items()}}
    if left := _unfinished(folders):
        (fold, folder), *others = left.items()
        words += ["--wandb.name", own.name.replace(own.out.name, folder.name)] if own.name else []
        training = begin(RunOptions("fit", [*words, "--data.fold", str(fold), "--out", str(folder)], ""), dict(others))
        make_folder(own.out)
        with only_one(own.out):
            now = _unfinished(folders)
            if now == left:
                session(training, dict(others))
                return
        if now:
            raise InputError(f"another process has finished some of the folds of {own.out}; run the same line again")
    print(f"finished before: {', '.join(map(str, folders.values()))}")


def _unfinished(folders: dict[int, Path]) -> dict[int, Path]:
    return {fold: folder for fold, folder in folders.items() if not (folder / "result.json").is_file()}
