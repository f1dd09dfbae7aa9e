"""The options `--plan` and `--submit`: trainings on other machines."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ser.bounds import in_words
from ser.errors import InputError, nearest, show
from ser.processes.lines import Lines
from ser.processes.resources import LEAST_MINUTES, NOTICE_SECONDS, Resources
from ser.processes.slurm import Slurm
from ser.training.options.configuration import read_yaml

PLAN = "Run nothing: write a shell command per training into OUT/jobs.txt, pool what is finished, list what is not."
SUBMIT = "Run in SLURM: a YAML file with time, partition, account, constraint, gpus, cpus, memory, parallel."


def elsewhere(plan: bool, submit: str | None, folder: Path, here: Mapping[str, object]) -> Lines | Slurm | None:
    """What runs the trainings elsewhere; None if this machine runs them.

    Args:
        folder: the folder of the results.
        here: options about this machine, by name; None if not given.

    Raises:
        InputError: for options that contradict each other, or a file that is refused.
    """
    if not plan and not submit:
        return None
    if plan and submit:
        raise InputError("--plan lists the trainings and --submit runs them in SLURM; give one of the two")
    option = "plan" if plan else "submit"
    if given := [name for name, value in here.items() if value is not None]:
        raise InputError(f"--{given[0]} is about the trainings of this machine; leave it out with --{option}")
    return Lines(folder) if plan else Slurm(read_resources(Path(submit).expanduser()), folder)


def read_resources(path: Path) -> Resources:
    """What each job asks of SLURM, from a file such as

        time: 12h
        partition: gpu
        gpus: 1

    Raises:
        InputError: with the file, the key and what is wrong.
    """
    written, known = read_yaml(path), [field.name for field in fields(Resources)]
    for name in written:
        if name not in known:
            raise InputError(f"{path}: {name}: no such key{nearest(str(name), known)} (known: {', '.join(known)})")
    try:
        found = TypeAdapter(Resources).validate_python(written)
    except ValidationError as error:
        first = error.errors()[0]
        key, value = str(first["loc"][0]), first["input"]
        if first["type"] == "missing":
            raise InputError(f"{path}: {key} is missing: the longest time of a job, as 90m, 12h or 2d") from None
        cause = "must be 90m, 12h or 2d for example" if key == "time" else in_words(first["msg"])
        if first["type"] == "string_pattern_mismatch" and key != "time":
            cause = "must be a name as SLURM has it, without spaces"
        raise InputError(f"{path}: {key} is {show(value)}, but {cause}") from None
    if found.minutes < LEAST_MINUTES:
        why = f"SLURM signals the job {NOTICE_SECONDS // 60} minutes before its end"
        raise InputError(f"{path}: time is {found.time}, but must be at least {LEAST_MINUTES}m: {why}")
    return found
