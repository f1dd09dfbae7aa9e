"""The command line of `ser sweep`, with the options that it passes on to the runs."""

import argparse
from dataclasses import replace
from pathlib import Path

from ser.errors import InputError
from ser.files import write_text
from ser.paths import absolute_places, expand_home
from ser.sweep.study.plan import Plan, check_plan
from ser.training.options.arguments import FILES, Parser
from ser.training.options.configuration import read_yaml, to_yaml
from ser.training.options.elsewhere import PLAN, SUBMIT
from ser.training.options.names import CONF, SWEEPS, find_file, names_in

DEFINITION = "study.yaml"
OWN_FILES = tuple(name.removeprefix("--") for name in FILES if name not in ("-c", "--config"))  # trainer, data, model


def split_options(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Separate options of the runs ("--data.corpus.root X", "--data FILE") from those of `ser sweep`.

    Raises:
        InputError: if an option of the runs has no value.

    Example:
        >>> split_options(["--config", "a.yaml", "--trainer.max-epochs=3", "--workers", "2"])
        (['--config', 'a.yaml', '--workers', '2'], {'trainer.max_epochs': '3'})
    """
    own, given, rest = [], {}, iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        name = name.removeprefix("--").replace("-", "_")
        if not word.startswith("--") or not ("." in name or name in OWN_FILES):
            own.append(word)
            continue
        if not equals:
            value = next(rest, "")
        if not value or value.startswith("--"):
            raise InputError(f"--{name} needs a value")
        given[name] = value
    return own, given


def with_options(plan: Plan, given: dict[str, str]) -> Plan:
    """The plan with these options added to every run, instead of those in the file; paths become absolute.

    Raises:
        InputError: if the study varies an option or sets it itself.
    """
    for name in given:
        if name in plan.space.dimensions:
            raise InputError(f"--{name}: study {plan.study} varies it")
    options = absolute_places(expand_home({**plan.options, **given}))
    for name in OWN_FILES:
        if not isinstance(value := options.get(name), str):
            continue
        file = Path(value if name == "model" else find_file(f"--{name}", value, CONF))
        if file.is_file():
            options[name] = str(file.resolve())
    ordered = dict(sorted(options.items(), key=lambda item: item[0] not in OWN_FILES))  # files before single options
    changed = replace(plan, options=ordered)
    check_plan(changed, f"study {plan.study}")
    return changed


def check_definition(folder: Path, plan: Plan) -> None:
    """Refuse (InputError) the folder of another study: both would write the same files."""
    path = folder / DEFINITION
    if path.is_file() and (other := read_yaml(path).get("study")) != plan.study:
        raise InputError(f"{folder} is the folder of study {other}; choose another for {plan.study} with --out")


def write_definition(folder: Path, path: str, plan: Plan) -> Path:
    """Write `study.yaml`, the study with all its options and absolute paths, for its workers."""
    written = read_yaml(Path(path))
    written |= {"config": [str(Path(each).resolve()) for each in plan.config], "options": plan.options}
    write_text(folder / DEFINITION, f"# Written by ser sweep from {Path(path).resolve()}\n{to_yaml(written)}")
    return folder / DEFINITION


def read_options(command: str, words: list[str]) -> argparse.Namespace:
    """The options of `ser sweep` ("") or of one of its commands; a study that is named is its file."""
    options = expand_home(make_parser(command).parse_args(words))
    options.config = find_file("the study" if command else "--config", options.config, SWEEPS)
    return options


DESCRIPTIONS = {
    "": "An Optuna study over the options of a run. The same command continues an interrupted study; on another "
    "machine, with the same --storage, it joins the study. ser sweep status FILE shows the progress of a study; ser "
    "sweep report FILE tests its best trial once.",
    "status": "Show the progress of a study.",
    "report": "Write a study's report, and test its best trial once. The same command continues an interrupted test.",
}
EPILOG = "Options of ser fit, such as --data.corpus.root FOLDER or --data emodb, are passed on to every run."


def make_parser(command: str) -> argparse.ArgumentParser:
    """The parser of `ser sweep` ("") or of one of its commands ("status", "report")."""
    parser = Parser(
        prog=f"ser sweep {command}".strip(),
        description=DESCRIPTIONS[command],
        epilog=None if command == "status" else EPILOG,
        allow_abbrev=False,
    )
    names = f"a name: {', '.join(names_in(SWEEPS))} (a file of that name in the current folder takes precedence)"
    if command:
        parser.add_argument("config", metavar="FILE", help=f"the study, YAML or {names}")
        parser.add_argument("--study", metavar="FOLDER", help="the study's folder (default: studies/NAME)")
    else:
        parser.add_argument("--config", metavar="FILE", required=True, help=f"the study, YAML or {names}")
        parser.add_argument("--workers", type=int, help="number of processes (default: one per GPU, or one)")
        parser.add_argument("--devices", help="GPUs: how many, or which, as 0,2 (default: all)")
        parser.add_argument("--per-device", type=int, help="workers on each GPU (default: 1)")
        parser.add_argument("--plan", action="store_true", help=PLAN)
        parser.add_argument("--submit", metavar="FILE", help=SUBMIT)
        parser.add_argument("--out", metavar="FOLDER", help="the study's folder (default: studies/NAME)")
    if command == "report":
        parser.add_argument(
            "--out", metavar="FOLDER", help="the report's folder (default: report/ in the study's folder)"
        )
        parser.add_argument("--no-test", action="store_true", help="do not use the test set; the report says so")
        parser.add_argument("--jobs", help="number of trainings at once in the test")
        parser.add_argument("--devices", help="GPUs for the test, as for ser crossval")
    parser.add_argument("--runs", metavar="FOLDER", help="folder of a ser crossval (studies of saved posteriors only)")
    parser.add_argument("--folds", help="folds of that ser crossval, as 1-2 (default: as in the study's file)")
    storage = "Optuna's storage, postgresql://user@host/name (default: a file in the study's folder)"
    parser.add_argument("--storage", metavar="URL", help=storage)
    parser.add_argument("--trials", type=int, help="number of trials (default: as in the study's file)")
    return parser
