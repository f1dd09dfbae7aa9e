"""The result of a cross-validation, read from its folder and checked."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.results.pooled import check_whole, pooled_scores
from ser.results.reading import AVERAGED_TABLES, SAME, TABLES, read_about, read_table
from ser.results.records import Filled, Record, check_record


class PooledRun(Record):
    """The entry of one seed and fold in a pooled result."""

    seed: int
    fold: int


class Averaged(Record):
    """Scores of the mean posterior of the last epochs."""

    epochs: int


class Scores(Record):
    """WA and UA, shares."""

    wa: float
    ua: float


class PooledRecord(Scores):
    """The entries of a pooled `result.json` that every reader needs."""

    system: str
    corpus: str
    protocol: str
    folds: Filled[int]
    seeds: Filled[int]
    averaged: Averaged | None
    runs: Filled[PooledRun]


@dataclass(frozen=True)
class Pooled:
    """The checked result of a cross-validation.

    Attributes:
        about: its `result.json`.
        predictions: one row per test utterance and seed.
        validation: the same for validation utterances.
        averaged: the same tables by the mean posterior of the last epochs, "test" and "val"; empty if not computed.
    """

    folder: Path
    about: dict
    predictions: pd.DataFrame
    validation: pd.DataFrame
    averaged: dict[str, pd.DataFrame]


def read_pooled(folder: str | Path, form: type[PooledRecord] = PooledRecord) -> Pooled:
    """Read a cross-validation's result and check that it is complete.

    Args:
        form: the required entries of its `result.json`.

    Raises:
        InputError: if there is no result, a table was edited, a fold is missing, an utterance is tested twice, or the
            scores differ from those of the tables.
    """
    folder = Path(folder)
    about = read_about(folder)
    if about.get("kind") != "crossval":
        meant = f" Did you mean {folder.parent}?" if (folder.parent / TABLES["test"]).is_file() else ""
        raise InputError(
            f"{folder} is one run, fold {about.get('fold')} only; the pooled result of all folds is needed, which "
            f"`ser crossval` writes.{meant}"
        )
    check_record(form, about, folder / "result.json")
    tables = {name: read_table(folder / file) for name, file in TABLES.items()}
    averaged = {name: read_table(folder / file) for name, file in AVERAGED_TABLES.items() if about["averaged"]}
    for name, table in [*tables.items(), *averaged.items()]:
        check_whole(table, about["folds"], about["seeds"], folder, tested=name == "test")
    found = pooled_scores(tables["test"])
    for name in ("wa", "ua"):
        if abs(found[name] - about[name]) > SAME:
            raise InputError(
                f"{folder}/result.json: {name} is {about[name]}, but {TABLES['test']} gives {found[name]}; "
                "run the same `ser crossval` command to write it again"
            )
    return Pooled(folder, about, tables["test"], tables["val"], averaged)
