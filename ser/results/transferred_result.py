"""The result of a system on another corpus, read from its folder and checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from ser.errors import InputError
from ser.results.pooled import check_whole
from ser.results.pooled_result import PooledRun
from ser.results.predictions import check_rows, emotions_of, scores
from ser.results.reading import SAME, TABLES, read_about, read_table
from ser.results.records import Filled, Record, check_record
from ser.results.transferred import EACH, LEFT_OUT


class Source(Record):
    """The entry `trained_on` of a result on another corpus."""

    folder: str
    corpus: str
    protocol: str
    folds: Filled[int]
    seeds: Filled[int]
    emotions: Filled[str]
    statistics: str
    trim_silence: dict | None
    leaks: list[str]
    corpus_digest: str | None
    code_digest: str | None


class TransferRecord(Record):
    """The entries of such a `result.json` that every reader needs."""

    kind: Literal["transfer"]
    system: str
    corpus: str
    trained_on: Source
    emotions: Filled[str]
    emotions_left_out: list[str]
    left_out: dict[str, int]
    merge: dict[str, str]
    wa: float
    ua: float
    runs: Filled[PooledRun]
    warnings: list[str]
    corpus_digest: str
    code_digest: str
    commit: str | None
    versions: dict[str, str]
    command: str


@dataclass(frozen=True)
class Transferred:
    """The checked result of a system on another corpus.

    Attributes:
        about: its `result.json`.
        predictions: of the mean posterior, one row per utterance.
        each: of every fold and seed.
    """

    folder: Path
    about: dict
    predictions: pd.DataFrame
    each: pd.DataFrame


def read_transfer(folder: str | Path) -> Transferred:
    """Read the result of a system on another corpus and check that it is complete.

    Raises:
        InputError: if there is none, a table was changed, a fold or an utterance is missing, or the scores differ from
            those of the table.
    """
    folder = Path(folder)
    about = read_about(folder)
    check_record(TransferRecord, about, folder / "result.json")
    mean, each = read_table(folder / TABLES["test"]), read_table(folder / EACH)
    runs = {(run["seed"], run["fold"]) for run in about["runs"]}
    check_whole(each, *(sorted({run[place] for run in runs}) for place in (1, 0)), folder / EACH, tested=False)
    for name, table in ((TABLES["test"], mean), (EACH, each)):
        if list(emotions_of(table)) != about["emotions"] or LEFT_OUT not in table:
            raise InputError(f"{folder / name}: the table has other columns than {folder}/result.json says")
        try:
            check_rows(table)
        except InputError as error:
            raise InputError(f"{folder / name}: {error}") from error
    if any(set(table.utterance) != set(mean.utterance) for _, table in each.groupby(["seed", "fold"])):
        raise InputError(f"{folder / EACH}: a fold has other utterances than {TABLES['test']}")
    found = scores(mean)
    for name in ("wa", "ua"):
        if abs(found[name] - about[name]) > SAME:
            raise InputError(f"{folder}/result.json: {name} is {about[name]}, but {TABLES['test']} gives {found[name]}")
    return Transferred(folder, about, mean, each)
