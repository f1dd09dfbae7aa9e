"""`WANDB_*` variables: an option overrides one, one overrides a default, and what is overridden is printed."""

import os
import sys
from functools import cache

from lightning.pytorch.utilities import rank_zero_only

from ser.errors import InputError

MODES = {"offline": "offline", "online": "online", "disabled": "disabled", "dryrun": "offline", "run": "online"}
OFF = ("", "0", "false", "no", "off")
ENFORCED = {
    "WANDB_ERROR_REPORTING": "false",  # W&B's reports to its own servers delay the exit
    "WANDB_RELOGIN": "false",  # or W&B would prompt and wait
}
ONE_RUN = tuple(f"WANDB_{name}" for name in ("RUN_ID", "RESUME_FROM", "FORK_FROM", "SWEEP_ID", "SWEEP_PARAM_PATH"))
NAMES = tuple(f"WANDB_{name}" for name in ("NAME", "RUN_GROUP", "TAGS"))
SET_BY = {  # what sets W&B's setting instead of a variable
    "project": "--wandb.project is",
    "entity": "--wandb.entity is",
    "run_group": "--wandb.group is",
    "run_name": "--wandb.name is",
    "run_tags": "the tags are",
    "run_id": "this folder's run has the id",
}


@cache  # once for all runs of a process
@rank_zero_only
def tell(line: str) -> None:
    """Print that a variable has no effect."""
    print(f"W&B: {line}", file=sys.stderr)


def forget_run(others: tuple[str, ...] = ()) -> None:
    """Remove variables that name one W&B run from the environment, for a command that creates several; print them.

    Args:
        others: further variables that the command replaces.
    """
    if found := [name for name in (*ONE_RUN, *others) if os.environ.pop(name, None)]:
        print(f"W&B: {', '.join(found)} ignored: this command creates several W&B runs", file=sys.stderr)


def taken(variable: str, option: str, value: str | None) -> str | None:
    """An option, or else its variable, which is removed, for a command that names several runs after it."""
    asked = os.environ.pop(variable, None) or None
    if value is not None and asked not in (None, value):
        tell(f"{variable}={asked} ignored: --wandb.{option} is {value}")
    return asked if value is None else value


def choose_mode(option: str | None) -> str:
    """The mode: of the option, else of WANDB_MODE, else "online" for an agent of a W&B sweep and "offline" otherwise.

    Raises:
        InputError: for a WANDB_MODE that `ser` does not have, such as "shared".
    """
    asked, off = os.environ.get("WANDB_MODE"), os.environ.get("WANDB_DISABLED", "")
    disabled = off.lower() not in OFF
    if chosen := option or ("disabled" if disabled else None):
        if asked and MODES.get(asked) != chosen:
            tell(f"WANDB_MODE={asked} ignored: {f'--wandb.mode is {option}' if option else f'WANDB_DISABLED is {off}'}")
        if disabled and chosen != "disabled":
            tell(f"WANDB_DISABLED={off} ignored: --wandb.mode is {option}")
        return chosen
    if asked and asked not in MODES:
        raise InputError(f"WANDB_MODE is {asked!r}, but must be offline, online or disabled")
    return MODES[asked] if asked else "online" if os.environ.get("WANDB_SWEEP_ID") else "offline"


def enforce() -> None:
    """Set the variables without which W&B could delay a training."""
    for name, value in ENFORCED.items():
        if (asked := os.environ.get(name, value)) != value:
            tell(f"{name}={asked} ignored: ser needs {value}")
        os.environ[name] = value


def tell_overridden(ours) -> None:
    """Print the variables that differ from W&B's settings made by `ser`.

    Args:
        ours: a `wandb.Settings`.
    """
    import wandb

    for name in sorted(name for name in os.environ if name.startswith("WANDB_")):
        theirs = wandb.Settings()
        theirs.update_from_env_vars({name: os.environ[name]})
        for field in theirs.model_fields_set & ours.model_fields_set - {"mode"}:  # `choose_mode` tells that
            asked, value = getattr(theirs, field), getattr(ours, field)
            if asked != value and not (field == "run_tags" and set(asked) <= set(value)):
                value = " ".join(value) if isinstance(value, tuple) else value
                tell(f"{name}={os.environ[name]} ignored: {SET_BY.get(field, 'ser sets')} {value}")
