"""The result of a cross-validation, read from its folder and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.results.form import Maybe, check_form
from ser.results.pooled import check_whole, pooled_scores
from ser.results.reading import AVERAGED_TABLES, TABLES, read_about, read_table

FORM = {
    **{"system": str, "corpus": str, "protocol": str, "folds": [int], "seeds": [int], "wa": float, "ua": float},
    "averaged": Maybe({"epochs": int}),
    "runs": [{"seed": int, "fold": int}],
}


SAME = 1e-9  # scores computed by another version of a library differ by less


@dataclass(frozen=True)
class Pooled:
    """A cross-validation on disk, checked.

    Attributes:
        folder: where it lies.
        about: its `result.json`.
        predictions: one row per test utterance and seed.
        validation: the same for validation utterances.
        averaged: "test" and "val" by the mean posterior of the last epochs, or nothing.
    """

    folder: Path
    about: dict
    predictions: pd.DataFrame
    validation: pd.DataFrame
    averaged: dict[str, pd.DataFrame]


def read_pooled(folder: str | Path) -> Pooled:
    """Read a cross-validation's result and check that it is whole.

    Raises:
        InputError: for a folder without one, tables edited since, a missing fold, an utterance tested twice, scores
            that are not those of the tables.
    """
    folder = Path(folder)
    about = read_about(folder)
    if about.get("kind") != "crossval":
        raise InputError(f"{folder}: the result of one fold; this takes the folder of a `ser crossval`")
    check_form(f"{folder}/result.json", about, FORM)
    tables = {name: read_table(folder / file) for name, file in TABLES.items()}
    averaged = {name: read_table(folder / file) for name, file in AVERAGED_TABLES.items() if about["averaged"]}
    for table in [*tables.values(), *averaged.values()]:
        check_whole(table, about["folds"], about["seeds"], str(folder))
    found = pooled_scores(tables["test"])
    for name in ("wa", "ua"):
        if abs(found[name] - about[name]) > SAME:
            raise InputError(
                f"{folder}/result.json: {name} is {about[name]}, but {TABLES['test']} gives {found[name]}; "
                "the same `ser crossval` command writes it again"
            )
    return Pooled(folder, about, tables["test"], tables["val"], averaged)
