"""Read and check the results that a report compares."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from pydantic import Field

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.curves import epoch_curves
from ser.results.names import protocol_of
from ser.results.paper import TABLE_1
from ser.results.pooled import name_pairs, pooled_scores
from ser.results.pooled_result import Pooled, PooledRecord, PooledRun, Scores, read_pooled
from ser.results.predictions import emotions_of
from ser.results.records import Filled, Record, Sets, check_record, read_record
from ser.results.statistics import Intervals, bootstrap_speakers, ua_note
from ser.results.test_sets import describe_test_set


class ReportedRun(PooledRun):
    """The entries of one run (a fold of a seed) that a report shows."""

    folder: str
    epoch: int
    speakers: Sets[Filled[str]]
    train_segments: int
    tails_left_out: int


class Reported(PooledRecord):
    """The entries of a pooled `result.json` that a report shows; those with a default are absent in older results."""

    test_halves: str | None
    statistics: str
    epochs: int
    num_folds: int | None = None
    validation: Scores
    lambda_: float | None = Field(alias="lambda")
    shared: dict[str, list]
    model: dict
    options: dict | None = None
    defaults: dict | None = None
    command: str
    versions: dict
    commit: str | None
    warnings: list | None = None
    leaks: list[str] | None = None
    corpus_digest: str | None = None
    code_digest: str | None = None
    runs: Filled[ReportedRun]


class RunDetails(Record):
    """The entries of a run's own `result.json` that a report shows."""

    seed: int
    fold: int
    counts: Sets[dict[str, int]]


@dataclass(frozen=True)
class Run:
    """One fold of one seed of a result.

    Args:
        about: its entry in the pooled result's `runs`.
        details: its own result.json.
        curves: columns epoch (from 1), train_loss, val_wa (a share); one row per epoch.
    """

    about: dict
    details: dict
    curves: pd.DataFrame

    @property
    def seed(self) -> int:
        return self.about["seed"]

    @property
    def fold(self) -> int:
        return self.about["fold"]


@dataclass(frozen=True)
class Entry:
    """One result in a report.

    Args:
        name: of its folder; unique in a report.
        title: the system as in the paper, with the name if two results have the same system.
        stem: the name as part of file names.
    """

    name: str
    title: str
    stem: str
    pooled: Pooled
    runs: list[Run]

    @property
    def about(self) -> dict:
        return self.pooled.about

    @property
    def predictions(self) -> pd.DataFrame:
        return self.pooled.predictions

    @cached_property
    def emotions(self) -> tuple[str, ...]:
        """The emotions, in the order of every table and matrix."""
        return emotions_of(self.predictions)

    @property
    def protocol(self) -> str:
        """The protocol with its test halves, "wu2019 MMFFF", and whether it leaks, "split (leaks)"."""
        return " ".join(filter(None, [protocol_of(self.about), self.about["test_halves"]]))

    @property
    def num_folds(self) -> int:
        """Folds of the protocol; if an older result lacks the number, one per speaker or per session of two."""
        if num_folds := self.about.get("num_folds"):
            return num_folds
        people = {who for names in self.runs[0].about["speakers"].values() for who in names}
        return len(people) if self.about["protocol"] == "speaker" else len(people) // 2

    @property
    def folds(self) -> str:
        """The folds that were run, with their total number if some are missing: "1, 2 of 10"."""
        listed = ", ".join(map(str, self.about["folds"]))
        return f"{listed} of {self.num_folds}" if self.is_incomplete else listed

    @property
    def named_folds(self) -> str:
        """The same for a sentence: "folds 1, 2 of 10"."""
        return f"fold{'' if len(self.about['folds']) == 1 else 's'} {self.folds}"

    @property
    def is_incomplete(self) -> bool:
        """Whether folds of the protocol are missing, so that some speakers or halves were never tested."""
        return len(self.about["folds"]) < self.num_folds

    @cached_property
    def test_set(self) -> dict:
        """Digest, number, counts and speakers of the test utterances; results with equal digests can be compared."""
        return describe_test_set(self.predictions)

    @property
    def num_seeds(self) -> int:
        return len(self.about["seeds"])

    @cached_property
    def scores(self) -> dict:
        """WA, UA, recalls and counts of all folds and seeds pooled, computed from the predictions."""
        return pooled_scores(self.predictions)

    @cached_property
    def intervals(self) -> Intervals:
        """95 % intervals of WA and UA by a bootstrap over speakers; takes a second or more."""
        return bootstrap_speakers(self.predictions)


def interval_notes(entries: list[Entry]) -> list[str]:
    """Notes on draws of speakers that were made again for intervals of UA, or why there are none."""
    notes: dict[str, list[str]] = {}
    for entry in entries:
        if note := ua_note(entry.intervals):
            notes.setdefault(note, []).append(entry.title)
    return [f"{', '.join(titles)}: {note}" for note, titles in notes.items()]


def printed_name(system: str) -> str:
    """The paper's name of a system: "CNN_RecCap" for CNNRecCap."""
    return {row.system: row.name for row in TABLE_1}.get(system, system)


def read_entries(folders: list[str]) -> list[Entry]:
    """Read the results of several `ser crossval` and check that one report can compare them.

    Raises:
        InputError: for a folder without a result, different corpora or emotions, or a name that occurs twice.
    """
    paths = [Path(folder).resolve() for folder in folders]
    for name, count in Counter(path.name for path in paths).items():
        if count > 1:
            same = [folder for folder, path in zip(folders, paths, strict=True) if path.name == name]
            cause = "the same folder twice" if len({*paths}) < len(paths) else "two results of the same name"
            raise InputError(f"{' and '.join(same)}: {cause}, {name!r}; folders of one report must differ in name")
    found = [read_pooled(path, Reported) for path in paths]
    corpora = {result.about["corpus"]: folder for folder, result in zip(folders, found, strict=True)}
    digests = {result.about.get("corpus_digest") for result in found}
    named = corpora.keys() - {"manifest"}  # the name that older versions gave to every CSV file
    if len(corpora) > 1 and not (len(named) == 1 == len(digests) and None not in digests):
        listed = ", ".join(f"{corpus} ({folder})" for corpus, folder in corpora.items())
        raise InputError(
            f"results of different corpora: {listed}; make a report for each corpus, or add results of `ser transfer` "
            "for a matrix of corpora"
        )
    emotions = {emotions_of(result.predictions): folder for folder, result in zip(folders, found, strict=True)}
    if len(emotions) > 1:
        listed = "; ".join(f"{', '.join(names)} ({folder})" for names, folder in emotions.items())
        raise InputError(f"results of different emotions: {listed}; make a report for each set of emotions")
    systems = Counter(result.about["system"] for result in found)
    stems = file_stems([path.name for path in paths])
    entries = []
    for path, result, stem in zip(paths, found, stems, strict=True):
        system = result.about["system"]
        title = printed_name(system) + (f" ({path.name})" if systems[system] > 1 else "")
        entries.append(Entry(path.name, title, stem, result, _runs(result)))
    return entries


def file_stems(names: list[str]) -> list[str]:
    """Distinct parts of file names for the names of results."""
    stems: list[str] = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "result"
        while stem in stems:
            stem += "-2"
        stems.append(stem)
    return stems


def _runs(result: Pooled) -> list[Run]:
    """Read the run of every seed and fold from its folder, and check that each occurs once."""
    listed = Counter((run["seed"], run["fold"]) for run in result.about["runs"])
    wanted = Counter((seed, fold) for seed in set(result.about["seeds"]) for fold in set(result.about["folds"]))
    for what, found in (("lacks", wanted - listed), ("has too many of", listed - wanted)):
        if found:
            raise InputError(f"{result.folder}/result.json: runs {what} {name_pairs({*found})}")
    runs = []
    for about in result.about["runs"]:
        folder = result.folder / about["folder"]
        try:
            details = read_record(folder / "result.json")
            check_record(RunDetails, details, folder / "result.json")
            curves = epoch_curves(pd.read_csv(folder / "metrics.csv"), result.about["epochs"])
        except (OSError, ValueError, KeyError) as error:
            cause = getattr(error, "strerror", None) or error
            raise InputError(
                f"{folder}: fold {about['fold']} of seed {about['seed']} is not complete ({cause}); "
                "run the same `ser crossval` command to make it again"
            ) from error
        for name in ("seed", "fold"):
            if details[name] != about[name]:
                raise InputError(
                    f"{folder} holds {name} {details[name]}, but {result.folder}/result.json lists it as "
                    f"fold {about['fold']} of seed {about['seed']}"
                )
        runs.append(Run(about, details, curves))
    return sorted(runs, key=lambda run: (run.seed, run.fold))


def counts_of(details: dict, name: str, emotions: Sequence[str]) -> list[int]:
    """Utterances of each emotion in a run's training, validation or test set."""
    return [details["counts"][name].get(emotion, 0) for emotion in emotions]


def has_papers_emotions(entries: list[Entry]) -> bool:
    """Whether the results of a report have the paper's emotions, so that its numbers can be shown beside them."""
    return entries[0].emotions == tuple(PAPER_EMOTIONS)
