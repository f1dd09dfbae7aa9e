"""How a result spreads: over folds, seeds and speakers, and over the way its epoch is chosen."""

from __future__ import annotations

from collections.abc import Iterator

from ser.report.page.blocks import Column, Table
from ser.report.reported_results import Entry, interval_notes
from ser.results.pooled import pooled_scores, summarise
from ser.results.statistics import Intervals, bootstrap_speakers

SCORES = ("wa", "ua")
SCORE_COLUMNS = [
    Column(name, kind, measure)
    for measure in ("WA", "UA")
    for name, kind in (("%", "percent"), ("95 % interval", "interval"))
]


def score_cells(scores: dict, intervals: Intervals) -> list:
    """WA and UA, each with its interval, for `SCORE_COLUMNS`."""
    return [each[score] for score in SCORES for each in (scores, intervals)]


def same_tests(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """The results with the same protocol, folds and test set together, each group with what names its files."""
    groups: dict[tuple, list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.protocol, entry.folds, entry.test_set["digest"]), []).append(entry)
    for number, members in enumerate(groups.values(), start=1):
        yield (f"-{number}" if len(groups) > 1 else ""), members


def fold_table(entries: list[Entry], suffix: str) -> Table:
    """WA and UA of every fold of results with one protocol and test set; then mean, deviation, the pooled result."""
    columns = [Column("fold"), Column("tested"), Column("n", "count")]
    for entry in entries:
        columns += [Column(measure, "short percent", entry.title) for measure in ("WA %", "UA %")]
    found = {
        (entry.name, int(fold)): pooled_scores(part)
        for entry in entries
        for fold, part in entry.predictions.groupby("fold")
    }
    rows = []
    for fold, tested in entries[0].predictions.groupby("fold"):
        row: list = [str(fold), ", ".join(sorted(tested.speaker.unique())), tested.utterance.nunique()]
        rows.append(row + [found[entry.name, fold][score] for entry in entries for score in SCORES])
    over_folds = {entry.name: summarise(entry.predictions, entry.pooled.validation)["over_folds"] for entry in entries}
    for name, kind in (("mean over folds", "mean"), ("standard deviation over folds", "sd")):
        rows.append([name, None, None, *[over_folds[entry.name][score][kind] for entry in entries for score in SCORES]])
    pooled = ["pooled: the result", None, entries[0].test_set["utterances"]]
    rows.append(pooled + [entry.scores[score] for entry in entries for score in SCORES])
    notes = [
        "The result is the pooled one: every utterance counts the same. The mean over folds is another number, because "
        "folds differ in size. A fold's row pools its seeds, and n counts each utterance once; mean and deviation are "
        "over all runs, one per fold and seed.",
        *_lacking(entries, found, over_folds),
    ]
    title = f"Results per fold, protocol {entries[0].protocol}"
    return Table(f"folds{suffix}", title, columns, rows, notes, summary_rows=3)


def _lacking(entries: list[Entry], found: dict[tuple[str, int], dict], over_folds: dict[str, dict]) -> list[str]:
    """Which folds lack an emotion of the test set, and how many runs the mean of UA is therefore over."""
    entry = entries[0]  # the others have the same folds
    classes = entry.scores["ua_classes"]
    few = {fold: each["ua_classes"] for (name, fold), each in found.items() if name == entry.name}
    listed = ", ".join(f"fold {fold} over {number}" for fold, number in few.items() if number < classes)
    if not listed:
        return []
    counts = "; ".join(
        f"{each.title} {over_folds[each.name]['ua']['runs']} of {over_folds[each.name]['wa']['runs']}"
        for each in entries
    )
    return [
        f"UA of a fold is over the emotions that it has, of the {classes} of the test set: {listed}. Mean and "
        f"deviation of UA are over the runs that have all {classes}: {counts}."
    ]


def seed_table(entries: list[Entry]) -> Table | None:
    """WA and UA of every seed with mean and deviation; None if every result has one seed."""
    if all(entry.num_seeds == 1 for entry in entries):
        return None
    columns = [Column("system"), Column("seed"), Column("WA", "percent"), Column("UA", "percent")]
    rows = []
    for entry in entries:
        over_seeds = summarise(entry.predictions, entry.pooled.validation)["over_seeds"]
        values = zip(entry.about["seeds"], *[over_seeds[score]["values"] for score in SCORES], strict=True)
        rows += [[entry.title, str(seed), *found] for seed, *found in values]
        if entry.num_seeds > 1:
            for name, kind in (("mean over seeds", "mean"), ("standard deviation over seeds", "sd")):
                rows.append([entry.title, name, *[over_seeds[score][kind] for score in SCORES]])
    notes = [
        "Each seed's row pools its folds. The spread over seeds is that of training, not of the choice of speakers."
    ]
    return Table("seeds", "Results per seed", columns, rows, notes)


def epoch_table(entries: list[Entry]) -> Table | None:
    """The best epoch by validation WA beside the mean of the last epochs; None if nobody averaged."""
    columns = [Column("system"), Column("epochs"), Column("chosen by"), *SCORE_COLUMNS]
    rows = []
    for entry in (each for each in entries if "test" in each.pooled.averaged):
        last, table = f"mean posterior of the last {entry.about['averaged']['epochs']}", entry.pooled.averaged["test"]
        best = score_cells(entry.scores, entry.intervals)
        rows.append([entry.title, "best epoch", "validation WA", *best])
        rows.append([entry.title, last, "nobody", *score_cells(pooled_scores(table), bootstrap_speakers(table))])
    if not rows:
        return None
    notes = ["The best epoch is the paper's choice, and what every other table of this report shows."]
    notes += interval_notes([entry for entry in entries if "test" in entry.pooled.averaged])
    return Table("epochs", "The best epoch, and the mean of the last ones", columns, rows, notes)


def speaker_table(entries: list[Entry], suffix: str) -> Table:
    """WA of every tested speaker for results on the same test set."""
    columns = [Column("speaker"), Column("session"), Column("n", "count")]
    columns += [Column(entry.title, "short percent", "WA %") for entry in entries]
    shares = {entry.name: speaker_accuracies(entry) for entry in entries}
    sizes = entries[0].predictions.groupby(["session", "speaker"], sort=True).utterance.nunique()
    rows = [
        [speaker, session, int(size), *[shares[entry.name][session, speaker] for entry in entries]]
        for (session, speaker), size in sizes.items()
    ]
    notes = [
        "Where speakers differ more than systems do, other speakers could turn the order: hence intervals by speaker."
    ]
    return Table(f"speakers{suffix}", f"Results per speaker, protocol {entries[0].protocol}", columns, rows, notes)


def speaker_accuracies(entry: Entry) -> dict[tuple[str, str], float]:
    """WA of each tested (session, speaker)."""
    right = entry.predictions.emotion == entry.predictions.predicted
    return right.groupby([entry.predictions.session, entry.predictions.speaker]).mean().to_dict()
