"""The results that a report lays side by side, read and checked."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ser.emotions import EMOTIONS
from ser.errors import InputError
from ser.metrics import unweighted_accuracy, weighted_accuracy
from ser.paper import TABLE_1
from ser.pooled import Pooled, describe_test_set, pooled_scores, read_pooled
from ser.statistics import bootstrap_speakers

NEEDED = (
    *("system", "corpus", "protocol", "test_halves", "statistics", "folds", "seeds", "epochs", "runs", "validation"),
    *("averaged", "lambda", "shared", "model", "command", "versions", "commit"),
)
NEEDED_OF_RUN = ("seed", "fold", "folder", "epoch", "speakers", "train_segments", "tails_left_out")
KINDS = {
    "folds": list,
    "seeds": list,
    "runs": list,
    "validation": dict,
    "shared": dict,
    "model": dict,
    "versions": dict,
}
CURVES = {"train/loss": "train_loss", "val/wa": "val_wa"}


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
        title: the system as in the paper, with the name where two results have the same system.
        stem: the name as part of file names.
        pooled: what was read.
        runs: its folds and seeds.
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

    @property
    def protocol(self) -> str:
        """The protocol with its test halves: "wu2019 MMFFF"."""
        return " ".join(filter(None, [self.about["protocol"], self.about["test_halves"]]))

    @property
    def num_folds(self) -> int:
        """Folds of the protocol; where an older result does not say, one per speaker or per session of two."""
        if num_folds := self.about.get("num_folds"):
            return num_folds
        people = {who for names in self.runs[0].about["speakers"].values() for who in names}
        return len(people) if self.about["protocol"] == "speaker" else len(people) // 2

    @property
    def folds(self) -> str:
        """The folds that were run, and of how many where some are missing: "1, 2 of 10"."""
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
        """Digest, number, counts and speakers of the test utterances; equal digests may be compared."""
        return describe_test_set(self.predictions)

    @property
    def num_seeds(self) -> int:
        return len(self.about["seeds"])

    @cached_property
    def scores(self) -> dict:
        """WA, UA, recalls and counts of all folds and seeds pooled, computed from the predictions."""
        return pooled_scores(self.predictions)

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of WA and UA by a bootstrap over speakers; takes a second or more."""
        return bootstrap_speakers(self.predictions)


def score_matrix(matrix) -> dict:
    """WA, UA and the counts of a confusion matrix alone (rows actual), named as in `ser.pooled.pooled_scores`."""
    matrix = np.asarray(matrix)
    return {
        "wa": weighted_accuracy(matrix).item(),
        "ua": unweighted_accuracy(matrix).item(),
        "confusion": matrix.tolist(),
    }


def printed_name(system: str) -> str:
    """How the paper writes a system: "CNN_RecCap" for CNNRecCap."""
    return {row.system: row.name for row in TABLE_1}.get(system, system)


def read_entries(folders: list[str]) -> list[Entry]:
    """Read the results of several `ser crossval` and check that they belong into one report.

    Raises:
        InputError: for a folder that is no result, results of different corpora, or a name that occurs twice.
    """
    paths = [Path(folder).expanduser().resolve() for folder in folders]
    for name, count in Counter(path.name for path in paths).items():
        if count > 1:
            same = [folder for folder, path in zip(folders, paths, strict=True) if path.name == name]
            cause = "the same folder twice" if len({*paths}) < len(paths) else "two results of one name"
            raise InputError(f"{' and '.join(same)}: {cause}, {name!r}; give each once, each under its own name")
    for folder, path in zip(folders, paths, strict=True):
        _check_kind(folder, path)
    found = [read_pooled(path) for path in paths]
    corpora = {result.about["corpus"]: folder for folder, result in zip(folders, found, strict=True)}
    if len(corpora) > 1:
        listed = ", ".join(f"{corpus} ({folder})" for corpus, folder in corpora.items())
        raise InputError(f"results of different corpora cannot stand in one report: {listed}; make one report of each")
    systems = Counter(result.about["system"] for result in found)
    stems = _stems([path.name for path in paths])
    entries = []
    for path, result, stem in zip(paths, found, stems, strict=True):
        title = printed_name(result.about["system"])
        if systems[result.about["system"]] > 1:
            title += f" ({path.name})"
        entries.append(Entry(path.name, title, stem, result, _runs(result)))
    return entries


def _check_kind(folder: str, path: Path) -> None:
    """Say what is wrong with a folder that is not a cross-validation's, where its files tell."""
    if not path.is_dir():
        raise InputError(f"{folder} is not a folder; ser report takes folders that `ser crossval --out` wrote")
    try:
        about = json.loads((path / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # read_pooled says what is missing
    if isinstance(about, dict) and about.get("kind") != "crossval" and "fold" in about:
        meant = f" Did you mean {path.parent}?" if (path.parent / "predictions.csv").is_file() else ""
        raise InputError(
            f"{folder} is one run of `ser fit`, fold {about['fold']} only; "
            f"ser report takes the pooled result of all folds, which `ser crossval` writes.{meant}"
        )
    if isinstance(about, dict) and about.get("kind") == "crossval":
        _check_contents(folder, about)


def _check_contents(folder: str, about: dict) -> None:
    """Refuse a `result.json` that another version wrote, or that somebody has changed."""
    if missing := [name for name in NEEDED if name not in about]:
        raise InputError(f"{folder}/result.json lacks {', '.join(missing)}; another version of `ser crossval` wrote it")
    words = {list: "a list with something in it", dict: "names with values"}
    for name, kind in KINDS.items():
        if not isinstance(about[name], kind) or (kind is list and not about[name]):
            raise InputError(f"{folder}/result.json: {name} is {about[name]!r}, but must be {words[kind]}")
    for number, run in enumerate(about["runs"], start=1):
        if missing := [name for name in NEEDED_OF_RUN if not isinstance(run, dict) or name not in run]:
            raise InputError(f"{folder}/result.json: run {number} lacks {', '.join(missing)}")


def _stems(names: list[str]) -> list[str]:
    stems: list[str] = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "result"
        while stem in stems:
            stem += "-2"
        stems.append(stem)
    return stems


def _runs(result: Pooled) -> list[Run]:
    runs = []
    for about in result.about["runs"]:
        folder = result.folder / about["folder"]
        try:
            details = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            curves = _curves(pd.read_csv(folder / "metrics.csv"), result.about["epochs"])
            runs.append(Run(about, details, curves))
        except (OSError, ValueError, KeyError) as error:
            cause = getattr(error, "strerror", None) or error
            raise InputError(
                f"{folder}: fold {about['fold']} of seed {about['seed']} is not complete ({cause}); "
                "the same `ser crossval` command makes it again"
            ) from error
        if missing := {"train", "val", "test"} - set(details.get("counts", {})):
            raise InputError(f"{folder}/result.json has no counts for {', '.join(sorted(missing))}")
    return sorted(runs, key=lambda run: (run.seed, run.fold))


def _curves(metrics: pd.DataFrame, epochs: int) -> pd.DataFrame:
    """Epochs with training loss and validation WA: a row for each; in files of older versions two, half empty.

    Those end with a row of the evaluation of the chosen epoch, under the number of an epoch that was never trained.
    It is known by that number: an empty loss may as well be that of an epoch whose loss was no number.
    """
    lines = {name: metrics.dropna(subset=[column]).groupby("epoch")[column].last() for column, name in CURVES.items()}
    curves = pd.DataFrame(lines).reset_index()
    curves["epoch"] = curves["epoch"].astype(int) + 1
    return curves[curves.epoch <= epochs]


def counts_of(details: dict, name: str) -> list[int]:
    """Utterances of each emotion in a run's training, validation or test set."""
    return [int(details["counts"][name].get(emotion, 0)) for emotion in EMOTIONS]
