"""Results per fold, seed and speaker, and with the best epoch or the mean of the last ones."""

from collections.abc import Iterator

from ser.report.page.blocks import Table
from ser.report.page.values import Column
from ser.report.reported_results import Entry, interval_notes
from ser.results.pooled import pooled_scores, summarise
from ser.results.statistics import Intervals, bootstrap_speakers

SCORES = ("wa", "ua")
SPREAD = {"mean": "mean", "standard deviation": "sd"}
SCORE_COLUMNS = [
    Column(name, kind, measure)
    for measure in ("WA", "UA")
    for name, kind in (("%", "percent"), ("95 % interval", "interval"))
]
FOLD_NOTES = [
    "The result is the pooled one, in which every utterance counts equally. The mean over folds differs from it "
    "because folds differ in size. A fold's row pools its seeds, and n counts each utterance once; mean and standard "
    "deviation are over all runs, one per fold and seed.",
    "UA of a fold is the mean over the emotions that occur in it. Mean and standard deviation of UA are over the runs "
    "that have all emotions of the test set.",
]


def score_cells(scores: dict, intervals: Intervals) -> list:
    """WA and UA, each with its interval, for `SCORE_COLUMNS`."""
    return [each[score] for score in SCORES for each in (scores, intervals)]


def same_tests(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Group results with the same protocol, folds and test set; yields the suffix of its files with each group."""
    groups: dict[tuple, list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.protocol, entry.folds, entry.test_set["digest"]), []).append(entry)
    for number, members in enumerate(groups.values(), start=1):
        yield (f"-{number}" if len(groups) > 1 else ""), members


def fold_table(entries: list[Entry], suffix: str) -> Table:
    """WA and UA of every fold of results on the same test set; then mean, standard deviation, the pooled result."""
    columns = [Column("fold"), Column("tested"), Column("n", "count")]
    columns += [Column(measure, "short percent", entry.title) for entry in entries for measure in ("WA %", "UA %")]
    rows: list[list] = []
    for fold, tested in entries[0].predictions.groupby("fold"):
        found = [pooled_scores(entry.predictions[entry.predictions.fold == fold]) for entry in entries]
        row = [str(fold), ", ".join(sorted(tested.speaker.unique())), tested.utterance.nunique()]
        rows.append(row + [each[score] for each in found for score in SCORES])
    over_folds = [summarise(entry.predictions, entry.pooled.validation)["over_folds"] for entry in entries]
    for name, kind in SPREAD.items():
        cells = [each[score][kind] for each in over_folds for score in SCORES]
        rows.append([f"{name} over folds", None, None, *cells])
    pooled = ["pooled: the result", None, entries[0].test_set["utterances"]]
    rows.append(pooled + [entry.scores[score] for entry in entries for score in SCORES])
    title = f"Results per fold, protocol {entries[0].protocol}"
    return Table(f"folds{suffix}", title, columns, rows, FOLD_NOTES, summary_rows=3)


def seed_table(entries: list[Entry]) -> Table | None:
    """WA and UA of every seed with mean and standard deviation; None if every result has one seed."""
    if all(entry.num_seeds == 1 for entry in entries):
        return None
    columns = [Column("system"), Column("seed"), Column("WA %", "percent"), Column("UA %", "percent")]
    rows = []
    for entry in entries:
        over_seeds = summarise(entry.predictions, entry.pooled.validation)["over_seeds"]
        values = zip(entry.about["seeds"], *[over_seeds[score]["values"] for score in SCORES], strict=True)
        rows += [[entry.title, str(seed), *found] for seed, *found in values]
        if entry.num_seeds > 1:
            for name, kind in SPREAD.items():
                rows.append([entry.title, f"{name} over seeds", *[over_seeds[score][kind] for score in SCORES]])
    note = "Each seed's row pools its folds. The spread over seeds is due to training, not to the choice of speakers."
    return Table("seeds", "Results per seed", columns, rows, [note])


def epoch_table(entries: list[Entry]) -> Table | None:
    """The best epoch by validation WA and the mean of the last epochs; None if no result has averaged epochs."""
    averaged = [entry for entry in entries if "test" in entry.pooled.averaged]
    if not averaged:
        return None
    columns = [Column("system"), Column("epochs"), Column("chosen by"), *SCORE_COLUMNS]
    rows = []
    for entry in averaged:
        last, table = f"mean posterior of the last {entry.about['averaged']['epochs']}", entry.pooled.averaged["test"]
        best = score_cells(entry.scores, entry.intervals)
        rows.append([entry.title, "best epoch", "validation WA", *best])
        rows.append([entry.title, last, "no score", *score_cells(pooled_scores(table), bootstrap_speakers(table))])
    notes = ["The paper uses the best epoch, and so does every other table of this report."]
    title = "Best epoch and mean of the last epochs"
    return Table("epochs", title, columns, rows, notes + interval_notes(averaged))


def speaker_table(entries: list[Entry], suffix: str) -> Table:
    """WA of every tested speaker for results on the same test set."""
    columns = [Column("speaker"), Column("session"), Column("n", "count")]
    columns += [Column(entry.title, "short percent", "WA %") for entry in entries]
    shares = [speaker_accuracies(entry) for entry in entries]
    sizes = entries[0].predictions.groupby(["session", "speaker"], sort=True).utterance.nunique()
    rows = [
        [speaker, session, int(size), *(each[session, speaker] for each in shares)]
        for (session, speaker), size in sizes.items()
    ]
    note = (
        "If speakers differ more than systems, other speakers could change the order of the systems; this is why "
        "intervals are computed over speakers."
    )
    title = f"Results per speaker, protocol {entries[0].protocol}"
    return Table(f"speakers{suffix}", title, columns, rows, [note])


def speaker_accuracies(entry: Entry) -> dict[tuple[str, str], float]:
    """WA of each tested (session, speaker)."""
    right = entry.predictions.emotion == entry.predictions.predicted
    return right.groupby([entry.predictions.session, entry.predictions.speaker]).mean().to_dict()
