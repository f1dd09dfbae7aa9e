"""Read and check results of systems on their own and on other corpora, for one matrix of corpora."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.report.reported_results import Reported, file_stems, printed_name
from ser.results.names import protocol_of
from ser.results.pooled_result import read_pooled
from ser.results.predictions import emotions_of, scores
from ser.results.records import read_record
from ser.results.statistics import Intervals, bootstrap_speakers
from ser.results.transferred import KIND, restrict
from ser.results.transferred_result import read_transfer


@dataclass(frozen=True)
class Cell:
    """A system trained on one corpus and tested on one: a cross-validation, or a result of `ser transfer`.

    Args:
        about: its `result.json`.
        predictions: of the tested utterances; those of a transfer are of the mean posterior of its systems.
        each: of every system of a transfer; None for a cross-validation, which tests an utterance by one system.
        stem: part of file names, unique in a report.
    """

    folder: Path
    about: dict
    predictions: pd.DataFrame
    each: pd.DataFrame | None = None
    stem: str = ""

    @property
    def system(self) -> str:
        """The system as in the paper, "CNN_RecCap"."""
        return printed_name(self.about["system"])

    @property
    def source(self) -> dict:
        """What it was trained on."""
        return self.about if self.each is None else self.about["trained_on"]

    @property
    def trained(self) -> str:
        return self.source["corpus"]

    @property
    def tested(self) -> str:
        return self.about["corpus"]

    @property
    def title(self) -> str:
        """Its name in sentences and tables: "CNN_RecCap, emodb on nemo"."""
        return f"{self.system}, {self.trained_name}" + ("" if self.each is None else f" on {self.tested}")

    @property
    def trained_name(self) -> str:
        """The corpus it was trained on, and whether the sets of that training leak: "emodb (leaks)"."""
        return f"{self.trained} (leaks)" if self.leaks else self.trained

    @property
    def leaks(self) -> list[str]:
        """What the sets of the training share that they should not."""
        return self.source.get("leaks") or []

    @property
    def tested_by(self) -> str:
        """Who answers: "cross-validation, speaker", or "mean posterior of 10 systems (speaker)"."""
        protocol = protocol_of(self.source)
        if self.each is None:
            return f"cross-validation, {protocol}" + (f", {self.missing}" if self.missing else "")
        number = len(self.about["runs"])
        return f"mean posterior of {number} systems ({protocol})" if number > 1 else f"one system ({protocol})"

    @property
    def missing(self) -> str:
        """The folds of a cross-validation that lacks others, "folds 1, 2 of 10"; "" if it is complete."""
        folds, num_folds = self.about.get("folds", []), self.about.get("num_folds") or 0
        return f"folds {', '.join(map(str, folds))} of {num_folds}" if len(folds) < num_folds else ""

    @cached_property
    def emotions(self) -> tuple[str, ...]:
        return emotions_of(self.predictions)

    @cached_property
    def scores(self) -> dict:
        return scores(self.predictions)

    @cached_property
    def intervals(self) -> Intervals:
        """95 % intervals of WA and UA by a bootstrap over speakers; takes a second or more."""
        return bootstrap_speakers(self.predictions)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Tested utterances of each emotion."""
        found = self.predictions.drop_duplicates("utterance").emotion.value_counts()
        return {emotion: int(found.get(emotion, 0)) for emotion in self.emotions}

    @property
    def utterances(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def speakers(self) -> int:
        return self.predictions.speaker.nunique()

    @property
    def constant(self) -> dict[str, float]:
        """WA and UA of always answering the most frequent emotion."""
        occurring = sum(number > 0 for number in self.counts.values())
        return {"wa": max(self.counts.values()) / self.utterances, "ua": 1 / occurring}

    def alone(self) -> list[dict]:
        """The scores of every system of a transfer on all tested utterances, by seed and fold."""
        return [scores(table) for _, table in self.each.groupby(["seed", "fold"])]

    def over(self, emotions: list[str]) -> Cell:
        """The same over some of its emotions: their utterances, and posteriors divided by their sum."""
        tables = [
            table if table is None else restrict(table[table.emotion.isin(emotions)].reset_index(drop=True), emotions)
            for table in (self.predictions, self.each)
        ]
        return replace(self, predictions=tables[0], each=tables[1])


def is_across(folders: list[str]) -> bool:
    """Whether a result of `ser transfer` is among the folders."""
    records = [path for folder in folders if (path := Path(folder) / "result.json").is_file()]
    return any(read_record(path).get("kind") == KIND for path in records)


def common_emotions(cells: list[Cell]) -> list[str]:
    """The emotions of all results, in the order of the first."""
    return [emotion for emotion in cells[0].emotions if all(emotion in cell.emotions for cell in cells)]


def read_cells(folders: list[str]) -> list[Cell]:
    """Read results of `ser crossval` and `ser transfer`, sorted by system and corpora.

    Raises:
        InputError: for a folder without a result, two results of one cell, or two corpora under one name.
    """
    cells = [_read(Path(folder)) for folder in folders]
    for one, other in combinations(cells, 2):
        if one.folder.resolve() == other.folder.resolve():
            raise InputError(f"{one.folder} and {other.folder}: the same folder twice")
        if (one.system, one.trained, one.tested) == (other.system, other.trained, other.tested):
            raise InputError(
                f"{one.folder} and {other.folder} are both results of {one.system} trained on {one.trained} and tested "
                f"on {one.tested}; a matrix has one of each"
            )
    _check_digests(cells)
    cells.sort(key=lambda cell: (cell.system, cell.trained, cell.tested))
    stems = file_stems([cell.title.replace(",", "") for cell in cells])
    return [replace(cell, stem=stem) for cell, stem in zip(cells, stems, strict=True)]


def _read(folder: Path) -> Cell:
    path = folder / "result.json"
    if not (path.is_file() and read_record(path).get("kind") == KIND):
        found = read_pooled(folder, Reported)
        return Cell(folder, found.about, found.predictions)
    found = read_transfer(folder)
    cell = Cell(folder, found.about, found.predictions, found.each)
    if cell.trained == cell.tested:
        raise InputError(
            f"{folder}: trained and tested on two corpora of the name {cell.tested}; name the tested one with "
            "--data.corpus.name of ser transfer"
        )
    return cell


def _check_digests(cells: list[Cell]) -> None:
    """Refuse two corpora of one name: of the trainings, and of the tests over the same emotions.

    The digest covers the used utterances only, so it depends on the emotions of a test; older results have none.
    """
    first: dict[tuple, Cell] = {}
    for cell in cells:
        keys = {("train", cell.trained): cell.source, ("test", cell.tested, frozenset(cell.emotions)): cell.about}
        for key, about in keys.items():
            if not (digest := about.get("corpus_digest")):
                continue
            other = first.setdefault(key, cell)
            before = (other.source if key[0] == "train" else other.about)["corpus_digest"]
            if before != digest:
                raise InputError(
                    f"{other.folder} and {cell.folder} {key[0]} on two corpora of the name {key[1]} (digests {before} "
                    f"and {digest}): other utterances, emotions, labels or recordings; make a report for each"
                )
