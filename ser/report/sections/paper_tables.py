"""The paper's Tables 1, 2 and 3 with our results, and the recalls."""

from collections.abc import Sequence

import numpy as np

from ser.emotions import PAPER_EMOTIONS
from ser.report.page.blocks import Table
from ser.report.page.values import Column
from ser.report.reported_results import Entry, has_papers_emotions, interval_notes
from ser.results.matrices import multinomial_ua_interval, wilson_interval
from ser.results.paper import TABLE_1, PaperRow, fitting_halves, row_sums
from ser.results.predictions import of_emotions, score_matrix
from ser.results.speaker_counts import counted

UNRECOVERED = "cannot be recovered"
PRINTED = {"CNNSeqCap": 2, "CNNRecCap": 3}  # numbers of the paper's tables
ROWS = {row.system: row for row in TABLE_1}
SCORES = (
    "WA: accuracy of all test utterances; UA: mean of the recalls of the emotions; both from the confusion matrix "
    "pooled over the folds and seeds. n: test utterances."
)
INTERVALS = (
    "The paper's intervals: Wilson for WA, row-wise multinomial for UA, from the counts behind its Tables 2 and 3. It "
    "prints no matrix of the other systems, so their intervals cannot be recovered. Our intervals: bootstrap over "
    "speakers. Wilson and multinomial intervals assume that utterances are independent, but those of one speaker are "
    "not."
)


def same_test_set(entry: Entry, row: PaperRow | None) -> tuple[str, str]:
    """Whether a result and the paper's row have the same test utterances, "yes", "no" or "unknown", and why."""
    about = entry.about
    if row is None:
        return "no", "the paper has no row for that system"
    if entry.emotions != tuple(PAPER_EMOTIONS):
        return "no", "ours has other emotions"
    if about["corpus"] != "iemocap":
        return "no", f"our corpus is {about['corpus']}, the paper's is IEMOCAP"
    if about["protocol"] != "wu2019":
        return "no", f"ours was tested by protocol {entry.protocol}, the paper's on halves of dialogs"
    if entry.is_incomplete:
        return "no", f"ours has only {entry.named_folds}"
    if row.source:
        return "unknown", f"the paper's row is from {row.source}, and its test set is not stated"
    halves, fits = about["test_halves"], [row.test_halves] if row.test_halves else list(fitting_halves(row.wa))
    if halves not in fits:
        if row.test_halves:
            return "no", f"ours was tested on the halves {halves}, the paper's row on {row.test_halves}"
        return "no", f"the WA of the paper's row is impossible on our halves, {halves}"
    if tuple(entry.test_set["counts"].values()) != row_sums(halves):
        return "no", f"ours and the paper have different counts of emotions in the halves {halves}"
    if row.test_halves:
        return "yes", ""
    return "unknown", f"the halves of the paper's row are unknown: {' or '.join(fits)} fit its WA, ours are {halves}"


def paper_intervals(row: PaperRow) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """95 % intervals of a row's WA (Wilson) and UA (row-wise multinomial); None if no matrix was printed."""
    if row.confusion is None:
        return None
    matrix = np.asarray(row.confusion)
    return wilson_interval(int(matrix.trace()), int(matrix.sum())), multinomial_ua_interval(row.confusion)


def table_1(entries: list[Entry]) -> Table:
    """Every row of the paper's Table 1 with our results of that system; ours alone if they have other emotions."""
    few = [f"{entry.title}{of_emotions(entry.scores)}" for entry in entries if of_emotions(entry.scores)]
    few = [f"UA is the mean over fewer emotions if the test set lacks one: {', '.join(few)}."] if few else []
    if not has_papers_emotions(entries):
        return _own_table(entries, [SCORES, *few, *interval_notes(entries)])
    columns = [Column("system")]
    for measure in ("WA %", "UA %"):
        columns += [Column("paper", "percent", measure), Column("paper's 95 % interval", "interval", measure)]
        columns += [Column("ours", "percent", measure), Column("our 95 % interval", "interval", measure)]
    columns += [Column("paper", "count", "n"), Column("ours", "count", "n"), Column("same test set")]
    rows = []
    for row in TABLE_1:
        ours = [entry for entry in entries if entry.about["system"] == row.system]
        rows += [_row_1(row, entry) for entry in ours or [None]]
    rows += [_row_1(None, entry) for entry in entries if entry.about["system"] not in ROWS]
    notes = [comparability(entries), SCORES, *few, *interval_notes(entries), INTERVALS]
    return Table("table1", "Table 1. WA and UA, the paper's and ours", columns, rows, notes)


def _own_table(entries: list[Entry], notes: list[str]) -> Table:
    columns = [Column("system")]
    for measure in ("WA", "UA"):
        columns += [Column(f"{measure} %", "percent"), Column(f"{measure} 95 % interval", "interval")]
    rows = []
    for entry in entries:
        scores = [each for score in ("wa", "ua") for each in (entry.scores[score], entry.intervals[score])]
        rows.append([entry.title, *scores, entry.test_set["utterances"]])
    title = f"WA and UA over {', '.join(entries[0].emotions)}"
    return Table("scores", title, [*columns, Column("n", "count")], rows, notes)


def _row_1(row: PaperRow | None, entry: Entry | None) -> list:
    cells: list = [entry.title if entry else row.name]
    for place, score in enumerate(("wa", "ua")):
        intervals = row and (paper_intervals(row) or (UNRECOVERED, UNRECOVERED))
        cells += [row and getattr(row, score), row and intervals[place]]
        cells += [entry and entry.scores[score], entry and entry.intervals[score]]
    cells += [row and (row.utterances or "unknown"), entry and entry.test_set["utterances"]]
    return [*cells, entry and same_test_set(entry, row)[0]]


def comparability(entries: list[Entry]) -> str:
    """Whether the paper's numbers and ours can be compared, and if not, why."""
    answers: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        answers.setdefault(same_test_set(entry, ROWS.get(entry.about["system"])), []).append(entry.title)
    if all(answer == "yes" for answer, _ in answers):
        return "Our results were measured on the paper's test utterances (counts of every emotion agree)."
    listed = "; ".join(
        f"{answer} for {', '.join(titles)}{f' ({reason})' if reason else ''}"
        for (answer, reason), titles in answers.items()
    )
    return (
        f"Same test utterances as the paper's row: {listed}. Unless the answer is yes, the paper's numbers and ours "
        "cannot be compared."
    )


def matrix_tables(entries: list[Entry]) -> list[Table]:
    """Tables 2 and 3 with our matrices, then our matrices of the other systems."""
    tables = []
    printed = PRINTED if has_papers_emotions(entries) else {}
    for system, number in printed.items():
        ours = [entry for entry in entries if entry.about["system"] == system]
        for entry in ours or [None]:
            stem = f"table{number}-{entry.stem}" if len(ours) > 1 else f"table{number}"
            tables.append(_matrix_table(stem, f"Table {number}. Confusion matrix", ROWS[system], entry))
    others = [entry for entry in entries if entry.about["system"] not in printed]
    return tables + [_matrix_table(f"confusion-{entry.stem}", "Confusion matrix", None, entry) for entry in others]


def _matrix_table(stem: str, title: str, row: PaperRow | None, entry: Entry | None) -> Table:
    matrices, notes = {}, ["Rows actual, columns predicted; in brackets per cent of the row."]
    if row:
        matrices["paper"] = np.asarray(row.confusion)
        notes.append(
            f"Paper: IEMOCAP, test halves {' '.join(row.test_halves)} of sessions 1-5. It prints percentages; the "
            "counts are recovered from them (no cell is more than 0.025 points away from the printed one)."
        )
    if entry:
        matrices["ours" if row else ""] = np.asarray(entry.scores["confusion"])
        seeds = counted(entry.num_seeds, "seed")
        notes.append(f"Ours: {entry.about['corpus']}, protocol {entry.protocol}, counts summed over {seeds}.")
    emotions = entry.emotions if entry else PAPER_EMOTIONS
    return counts_table(stem, f"{title} of {entry.title if entry else row.name}", emotions, matrices, notes)


def counts_table(
    stem: str, title: str, emotions: Sequence[str], matrices: dict[str, np.ndarray], notes: list[str]
) -> Table:
    """Confusion matrices side by side, by the heading of their columns: counts, and per cent of the row."""
    columns, rows = [Column("actual")], [[emotion] for emotion in emotions]
    for group, matrix in matrices.items():
        columns += [*(Column(emotion, "count and percent", group) for emotion in emotions), Column("n", "count", group)]
        for cells, counts in zip(rows, matrix.tolist(), strict=True):
            total = sum(counts)
            cells += [*((count, count / total) if total else None for count in counts), total]
    return Table(stem, title, columns, rows, notes)


def confusion_matrices(entries: list[Entry]) -> dict[str, np.ndarray]:
    """Counts by name, ours and then the paper's two if the emotions are the same."""
    ours = {entry.title: np.asarray(entry.scores["confusion"]) for entry in entries}
    if not has_papers_emotions(entries):
        return ours
    return ours | {f"paper: {row.name}": np.asarray(row.confusion) for row in TABLE_1 if row.confusion}


def recall_table(entries: list[Entry]) -> Table:
    """Recall of every emotion, ours and the paper's where its counts are known."""
    emotions = entries[0].emotions
    columns = [Column("system"), *[Column(emotion, "hits") for emotion in emotions], Column("UA %", "percent")]
    rows = []
    for name, matrix in confusion_matrices(entries).items():
        hits, totals = matrix.diagonal().tolist(), matrix.sum(axis=1).tolist()
        cells = [(hit, total) if total else None for hit, total in zip(hits, totals, strict=True)]
        rows.append([name, *cells, score_matrix(matrix, emotions)["ua"]])
    note = "Per cent of the utterances of each emotion that were recognised; in brackets the counts."
    return Table("recall", "Recall of each emotion", columns, rows, [note])
