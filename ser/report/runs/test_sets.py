"""Which runs were tested on exactly the same utterances."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ser.emotions import by_label
from ser.errors import InputError
from ser.report.page.blocks import Commands, Section, Table
from ser.report.page.values import Column
from ser.report.runs.compared_run import ComparedRun
from ser.results.speaker_counts import counted

MOST_NAMED = 10  # runs or speakers in a cell; the others are counted
NOT_COMPARABLE = (
    "Numbers on different test sets are not comparable: a set can be easier, and a fold is one speaker or a few. A "
    "difference within one test set can be chance as well. This page computes no intervals and no tests."
)


@dataclass(frozen=True)
class TestSet:
    """Runs with the same test utterances, of the same speakers and labels, on a corpus of one name."""

    __test__ = False  # not a test of pytest

    label: str
    runs: list[ComparedRun]

    @property
    def about(self) -> dict:
        return self.runs[0].test_set

    @property
    def cautions(self) -> list[str]:
        """What else differs between the runs."""
        found = {}
        for run in self.runs:
            found.setdefault("emotions", set()).add(len(run.test["recall"]))
            found.setdefault("corpus", set()).add(run.origin.get("digest of the corpus", "unknown"))
        lines = []
        if len(found["emotions"]) > 1:
            lines.append(f"systems answer with {', '.join(map(str, sorted(found['emotions'])))} emotions")
        if len(found["corpus"]) > 1:
            lines.append("the corpora differ in other utterances or in recordings (digests)")
        if leaking := [run.name for run in self.runs if run.about.get("leaks")]:
            lines.append(f"leaks in {_some(leaking)}")
        return lines


def group_sets(runs: list[ComparedRun]) -> list[TestSet]:
    """The test sets in the order of the runs, labelled A, B, ...; runs that were not tested are in none."""
    found: dict[tuple[str, str], list[ComparedRun]] = {}
    for run in runs:
        if run.test_set:
            found.setdefault((run.corpus, run.test_set["digest"]), []).append(run)
    return [TestSet(_letters(number), members) for number, members in enumerate(found.values())]


def _letters(number: int) -> str:
    """A, B, ..., Z, AA, AB, ...

    Example:
        >>> [_letters(number) for number in (0, 25, 26, 702)]
        ['A', 'Z', 'AA', 'AAA']
    """
    number, last = divmod(number, 26)
    return (_letters(number - 1) if number else "") + chr(ord("A") + last)


def test_sets_section(runs: list[ComparedRun], sets: list[TestSet], working: Path) -> Section:
    """Who shares a test set, and the commands that compare their results.

    Args:
        working: the folder that the paths of commands are relative to.
    """
    blocks: list = [_lines(runs, sets)]
    if sets:
        columns = [Column("test set"), Column("corpus"), Column("utterances", "count"), Column("labels")]
        columns += [Column("speakers"), Column("tested"), Column("runs", "count"), Column("caution"), Column("digest")]
        rows = [
            [
                each.label,
                each.runs[0].corpus,
                each.about["utterances"],
                by_label(each.about["counts"]),
                _some(each.about["speakers"]),
                _some([run.name for run in each.runs]),
                len(each.runs),
                "; ".join(each.cautions) or None,
                each.about["digest"],
            ]
            for each in sets
        ]
        note = "The digest covers utterances, speakers and labels of the test set."
        blocks.append(Table("test_sets", "Each test set and its runs", columns, rows, [note]))
    commands = list(_commands(sets, working))
    if commands:
        blocks += ["Results that ser report compares, with intervals and tests:", Commands(commands)]
    return Section("test-sets", "Test sets", blocks)


test_sets_section.__test__ = False


def _lines(runs: list[ComparedRun], sets: list[TestSet]) -> list[str]:
    shared = [each for each in sets if len(each.runs) > 1]
    lines = [
        f"Test set {each.label}: the same {counted(each.about['utterances'], 'utterance')} in "
        f"{counted(len(each.runs), 'run')}."
        for each in shared[:MOST_NAMED]
    ]
    if more := shared[MOST_NAMED:]:
        lines.append(f"{counted(len(more), 'more test set')} of several runs: see the table.")
    alone = len(sets) - len(shared)
    if alone:
        lines.append(f"{counted(alone, 'run')} with a test set of {'its' if alone == 1 else 'their'} own.")
    if untested := sum(run.test_set is None for run in runs):
        lines.append(f"{counted(untested, 'run')} without test predictions.")
    return [*lines, NOT_COMPARABLE]


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _commands(sets: list[TestSet], working: Path) -> Iterator[str]:
    """Commands of `ser report` for results of one test set and for a matrix of corpora, where it accepts them."""
    groups = {f"report-{each.label}": _pooled(each.runs) for each in sets}
    everything = [run for pooled in groups.values() for run in pooled]
    if {"crossval", "transfer"} <= {run.kind for run in everything}:
        groups["report-corpora"] = everything
    for out, pooled in groups.items():
        if len(pooled) > 1 and _accepted(pooled):
            folders = [_argument(os.path.relpath(run.place.folder, working)) for run in pooled]
            yield shlex.join(["ser", "report", *folders, "--out", out])


def _argument(path: str) -> str:
    """A path that no command reads as an option."""
    return f"./{path}" if path.startswith("-") else path


def _pooled(runs: list[ComparedRun]) -> list[ComparedRun]:
    return [run for run in runs if run.kind in ("crossval", "transfer") and run.state == "finished"]


def _accepted(runs: list[ComparedRun]) -> bool:
    from ser.report.across_corpora import is_across, read_cells  # imports scipy
    from ser.report.reported_results import read_entries

    folders = [str(run.place.folder) for run in runs]
    try:
        if is_across(folders):
            read_cells(folders)
        else:
            read_entries(folders)
    except InputError:
        return False
    return True
