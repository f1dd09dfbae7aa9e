"""The options in which runs differ."""

import json
from reprlib import repr as shorten

from ser.report.runs.compared_run import ComparedRun

NOT_SET = "not set"
# Options that have a column of their own, under these names.
SHOWN = ("model.class_path", "data.corpus.class_path", "data.protocol", "data.test_halves", "data.fold", "data.seed")
SHOWN += ("seed_everything", "folds", "seeds")


def options_of(run: ComparedRun) -> dict[str, str]:
    """Options of a run as text, without those that have a column of their own."""
    found = {name: plain(value) for name, value in run.config.items() if name not in SHOWN}
    return {**found, "tags": ", ".join(run.tags) or "none"}


def divide(options: list[dict[str, str]]) -> tuple[list[str], dict[str, str]]:
    """Names of the options in which runs differ, and the values of all others.

    A run that lacks an option, because its system has none of that name, does not differ in it.

    Example:
        >>> divide([{"dropout": "0.5", "lambda": "0.6"}, {"dropout": "0.1"}])
        (['dropout'], {'lambda': '0.6'})
    """
    values: dict[str, set[str]] = {}
    for each in options:
        for name, value in each.items():
            values.setdefault(name, set()).add(value)
    differing = [name for name, found in values.items() if len(found) > 1]
    return differing, {name: next(iter(found)) for name, found in values.items() if len(found) == 1}


def plain(value: object) -> str:
    """An option's value as text."""
    if value is None:
        return NOT_SET
    try:
        return value if isinstance(value, str) else json.dumps(value, default=str)
    except (ValueError, TypeError, RecursionError):  # a value that contains itself, or keys that are no text
        return shorten(value)
