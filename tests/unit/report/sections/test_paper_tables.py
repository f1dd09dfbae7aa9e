"""The paper's tables with given results."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

from ser.emotions import PAPER_EMOTIONS
from ser.report.sections.paper_tables import (
    matrix_tables,
    paper_intervals,
    recall_table,
    same_test_set,
    table_1,
)
from ser.results.paper import RECCAP_CONFUSION, SEQCAP_CONFUSION, TABLE_1
from tests.made_up.entries import entry
from tests.made_up.hits import predictions


def result(**about):
    """Five neutral utterances, two predicted angry; one angry and one sad utterance, both right."""
    table = predictions([1, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1, 3], list("abababa")).assign(fold=1, session="1")
    return entry(table, "ours", intervals={"wa": (0.5, 0.9), "ua": (0.3, 0.7)}, **about)


@pytest.mark.parametrize("system", ["CNNSeqCap", "CNNRecCap"])
def test_the_papers_interval_of_ua_is_put_together_from_those_of_its_recalls(system):
    """Zou and Donner (2008): the squared distances of Wilson's limits from the recalls are summed."""
    (row,) = (row for row in TABLE_1 if row.system == system)
    matrix = np.array({"CNNSeqCap": SEQCAP_CONFUSION, "CNNRecCap": RECCAP_CONFUSION}[system])
    below = above = 0.0
    for hits, total in zip(matrix.diagonal().tolist(), matrix.sum(1).tolist(), strict=True):
        limits = binomtest(hits, total).proportion_ci(0.95, "wilson")
        below += ((hits / total - limits.low) / 4) ** 2
        above += ((limits.high - hits / total) / 4) ** 2
    ua = np.mean(matrix.diagonal() / matrix.sum(1))
    assert paper_intervals(row)[1] == pytest.approx((ua - below**0.5, ua + above**0.5))
    whole = binomtest(int(matrix.trace()), int(matrix.sum())).proportion_ci(0.95, "wilson")
    assert paper_intervals(row)[0] == pytest.approx((whole.low, whole.high))


@pytest.mark.parametrize(("system", "named"), [("CNNSeqCap", 5), ("Another", 6)])
def test_our_scores_stand_in_their_own_columns(system, named):
    table = table_1([result(system=system)])
    names = [column.full_name for column in table.columns]
    assert len(table.rows) == named
    (row,) = (dict(zip(names, row, strict=True)) for row in table.rows if row[0] == "ours")
    assert (row["WA %: ours"], row["WA %: our 95 % interval"]) == (5 / 7, (0.5, 0.9))
    assert (row["UA %: ours"], row["UA %: our 95 % interval"]) == (pytest.approx((0.6 + 1 + 1) / 3), (0.3, 0.7))
    assert (row["n: ours"], row["same test set"]) == (7, "no")
    assert row["WA %: paper"] == (0.6986 if system == "CNNSeqCap" else None)


@pytest.mark.parametrize(
    ("moved", "answer", "reason"),
    [(0, "yes", ""), (1, "no", "ours and the paper have different counts of emotions in the halves MMFFF")],
)
def test_test_utterances_are_the_papers_only_if_every_emotion_is_as_frequent(moved, answer, reason):
    """Equal totals, but one utterance is sad instead of neutral."""
    (row,) = (row for row in TABLE_1 if row.system == "CNNSeqCap")
    counts = np.sum(SEQCAP_CONFUSION, axis=1) + np.array([-moved, 0, 0, moved])
    ours = SimpleNamespace(about={"corpus": "iemocap", "protocol": "wu2019", "test_halves": "MMFFF"})
    ours.is_incomplete, ours.test_set = False, {"counts": dict(zip(PAPER_EMOTIONS, counts.tolist(), strict=True))}
    ours.emotions = tuple(PAPER_EMOTIONS)
    assert same_test_set(ours, row) == (answer, reason)
    ours.emotions = ("angry", "neutral", "happy", "sad")
    assert same_test_set(ours, row) == ("no", "ours has other emotions")


def test_rows_of_a_matrix_are_actual():
    table = next(table for table in matrix_tables([result()]) if table.name == "table2")
    names = [column.full_name for column in table.columns]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in table.rows}
    assert rows["neutral"]["ours: angry"] == (2, 2 / 5)
    assert rows["angry"]["ours: neutral"] == (0, 0)
    assert rows["happy"]["ours: happy"] is None
    assert [rows[emotion]["ours: n"] for emotion in PAPER_EMOTIONS] == [5, 1, 0, 1]


def test_recall_is_of_the_actual_utterances():
    row, *papers = recall_table([result()]).rows
    assert row == ["ours", (3, 5), (1, 1), None, (1, 1), pytest.approx((0.6 + 1 + 1) / 3)]
    assert papers[0][:2] == ["paper: CNN_SeqCap", (432, 513)]
