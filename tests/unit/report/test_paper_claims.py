"""Statements of a report on the paper's own test sets."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ser.report.sections.comparisons import Pair, compare_pairs, correct
from ser.report.sections.figures import draw_scores
from ser.report.sections.findings import compare_matrices_of_paper
from ser.report.sections.paper_tables import comparability, same_test_set, table_1
from ser.report.writing import _comparisons
from ser.results.matrices import compare_matrices
from ser.results.paper import RECCAP_CONFUSION, SEQCAP_CONFUSION, TABLE_1
from tests.made_up.entries import made_up
from tests.made_up.results import dialogs_corpus

NAN = float("nan")
ROWS = {row.system: row for row in TABLE_1}


@pytest.fixture(scope="module")
def by_halves():
    """Results on the paper's halves and on others, by system and halves."""
    wanted = [("CNNSeqCap", "MMFFF"), ("CNNRecCap", "MMFFF"), ("CNNGRUSeqCap", "MMFFM"), ("CNNGRUSeqCap", "MMFFF")]
    return {
        (system, halves): made_up(system, halves=halves, corpus="iemocap")
        for system, halves in [*wanted, ("CNNLSTM", "MMFFF")]
    }


def test_each_row_of_the_paper_has_its_own_answer(by_halves):
    entries = list(by_halves.values())
    answers = [same_test_set(entry, ROWS[entry.about["system"]]) for entry in entries]
    assert [answer for answer, _ in answers] == ["yes", "no", "unknown", "no", "unknown"]
    assert answers[1][1] == "ours was tested on the halves MMFFF, the paper's row on MMFFM"
    assert "MMFFM" in answers[2][1]
    assert "Satt" in answers[4][1]
    entries = list(by_halves.values())[:3]
    shown = {row[0]: row[-1] for row in table_1(entries).rows}
    assert shown["CNN_SeqCap"] == "yes"
    assert shown["CNN_RecCap"] == "no"
    assert shown["CNN_GRU-SeqCap"] == "unknown"
    text = comparability(entries)
    assert text.startswith("Same test utterances as the paper's row: yes for CNN_SeqCap; no for CNN_RecCap (ours was ")
    assert "; unknown for CNN_GRU-SeqCap (the halves " in text
    assert "on halves of dialogs" not in text, "wu2019 also tests halves of dialogs"


def test_the_figure_says_which_of_the_papers_points_are_of_other_utterances(by_halves):
    caption = draw_scores(list(by_halves.values())[:3]).title
    assert "yes for CNN_SeqCap; no for CNN_RecCap (" in caption
    assert "unknown for CNN_GRU-SeqCap (" in caption


@pytest.mark.parametrize(
    ("system", "halves", "folds", "seeds", "added", "answer", "words"),
    [
        ("CNNSeqCap", "MMFFF", [1, 2], (1,), 0, "no", "only folds 1, 2 of 5"),
        ("CNNSeqCap", "MMFFF", None, (1,), -1, "no", "different counts of emotions"),
        ("CNNGRUSeqCap", "MMFFM", None, (1,), -1, "no", "different counts of emotions"),
        ("CNNGRUSeqCap", "MMFFM", None, (1,), 1, "no", "different counts of emotions"),
        ("CNNGRUSeqCap", "MMFFM", None, (1, 2), 0, "unknown", "row are unknown"),
    ],
)
def test_other_counts_and_missing_folds_are_not_the_papers_test_set(system, halves, folds, seeds, added, answer, words):
    """A missing recording, or excited utterances merged into happy, makes another test set."""
    corpus = dialogs_corpus()
    tested = corpus[(corpus.dialog_half == "M") & (corpus.session == "1")].iloc[[0]]
    if added < 0:
        corpus = corpus.drop(index=tested.index)
    elif added:
        corpus = pd.concat([corpus, tested.assign(utterance="Ses01M_impro01_M999", emotion="happy")])
    other = made_up(system, halves=halves, corpus="iemocap", folds=folds, seeds=seeds, utterances=corpus)
    found, reason = same_test_set(other, ROWS[system])
    assert (found, words in reason) == (answer, True), reason


def test_only_compared_pairs_are_counted(by_halves):
    entries = [by_halves["CNNSeqCap", "MMFFF"], by_halves["CNNGRUSeqCap", "MMFFM"]]
    pairs = correct(list(compare_pairs(entries)))
    assert _comparisons(entries, pairs)[0].notes == []
    entries = [by_halves[key] for key in by_halves if key[1] == "MMFFF"]
    _, table, *_, with_paper = _comparisons(entries, correct(list(compare_pairs(entries))))
    assert "corrected together for WA and UA of all rows (12 tests)" in table.notes[0], "six pairs"
    assert "corrected together for WA and UA of all rows (4 tests)" in with_paper.notes[0], "corrected separately"


def test_taking_utterances_for_independent_finds_no_difference_without_saying_so(by_halves):
    better = compare_matrices(SEQCAP_CONFUSION, 500 * np.eye(4, dtype=int))
    pair = Pair("the paper's", "ours", better, independent=True)
    assert pair.finding().count("distinguishable only if utterances were independent") == 2
    assert pair.finding().count("p < 0.001)") == 2
    alike = replace(pair, comparison=compare_matrices(SEQCAP_CONFUSION, RECCAP_CONFUSION))
    assert alike.finding().count(": not distinguishable") == 2, "wider intervals would not change that"
    entries = [by_halves["CNNSeqCap", "MMFFF"]]
    assert len(compare_matrices_of_paper(entries)) == 2
    assert all(pair.independent for pair in compare_matrices_of_paper(entries))
    assert {pair.tests for pair in compare_matrices_of_paper(entries)} == {4}, "two pairs, in WA and UA"
    *_, with_paper = _comparisons(entries, [])
    words = "Utterances are assumed to be independent, but those of one speaker are not"
    assert any(words in note for note in with_paper.notes)
