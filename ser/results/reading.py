"""Read and check what a run has saved: `result.json` and predictions tables."""

from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.files import digest
from ser.results.identity import differences, read_identity
from ser.results.predictions import emotions_of
from ser.results.records import Record, check_record, read_record

TABLES = {"test": "predictions.csv", "val": "validation.csv"}
AVERAGED_TABLES = {"test": "predictions_averaged.csv", "val": "validation_averaged.csv"}
TEXT = {"utterance": str, "speaker": str, "session": str, "emotion": str, "predicted": str}
COLUMNS = (*TEXT, "fold")
SAME = 1e-9  # scores computed with other versions of libraries differ by less


class Result(Record):
    """The entries of every `result.json`; `validation` is None after `ser test`."""

    validation: dict | None
    digests: dict[str, str]


def read_about(folder: Path) -> dict:
    """Read the `result.json` of a run or a cross-validation.

    Raises:
        InputError: if there is none, or a table was changed or removed since.
    """
    path = folder / "result.json"
    if not path.is_file():
        raise InputError(f"{folder}: not a result (no result.json; an unfinished `ser crossval` has none yet)")
    about = read_record(path)
    check_record(Result, about, path)
    scored = {"test": "wa" in about, "val": about["validation"] is not None}
    if missing := {TABLES[name] for name, there in scored.items() if there} - set(about["digests"]):
        raise InputError(f"{path}: no digest of {min(missing)}, so the table cannot be checked")
    for name, expected in about["digests"].items():
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: missing, though {path} was computed from it")
        if digest(folder / name) != expected:
            raise InputError(f"{folder / name}: changed since {path} was computed from it")
    return about


def read_finished(folder: Path, now: dict, seed: int, fold: int) -> dict | None:
    """Read the `result.json` of a finished run; None if there is none yet.

    Args:
        now: the identity that it must match, without seed and fold.

    Raises:
        InputError: if it is another run, or a table was changed or removed since.
    """
    if not (folder / "result.json").is_file():
        return None
    about, own = read_about(folder), read_identity(folder)
    known = {name: own["config"].get(name) for name in now["config"]}
    found = differences({**own, "config": known}, now)
    for name, wanted in (("seed", seed), ("fold", fold)):
        if about.get(name) != wanted:
            found.append(f"{name}: {about.get(name)} there, {wanted} here")
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise InputError(f"{folder} contains another run; remove it, or choose another --out\n{lines}")
    return about


def read_table(path: Path) -> pd.DataFrame:
    """Read a predictions table, names as strings.

    Raises:
        InputError: if it cannot be read, or lacks a column.
    """
    try:
        table = pd.read_csv(path, dtype=TEXT, keep_default_na=False)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # empty, not UTF-8, or lines of different lengths
        raise InputError(f"{path}: not a predictions table ({str(error).strip()})") from error
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(f"{path}: not a predictions table, it has no column {missing[0]}")
    try:
        emotions_of(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return table
