"""The first sentences of a report and its last warnings, on given results."""

import numpy as np
import pytest

from ser.report.sections.comparisons import Pair
from ser.report.sections.findings import cautions, compare_matrices_of_paper, headline
from ser.report.writing import _what
from ser.results.paper import HALF_COUNTS, SEQCAP_CONFUSION
from ser.results.statistics import Comparison
from tests.made_up.entries import entry
from tests.made_up.hits import predictions

LIMITS = {"wa": (0.5, 0.9), "ua": (0.3, 0.7)}
SEEDS_POOLED = "ours pools several seeds, and the paper's predictions are not known"


def small(title="ours", **about):
    """Five utterances of two speakers, three of them angry."""
    table = predictions([1, 1, 0, 1, 0], [0, 1, 1, 1, 3], list("aabbb")).assign(fold=1, session="1")
    return entry(table, title, intervals=LIMITS, **about)


def on_the_papers_halves(seeds):
    """Correct predictions for the test utterances of the paper's CNN_SeqCap."""
    counts = sum(np.array(HALF_COUNTS[half][session]) for session, half in enumerate("MMFFF"))
    actual = np.repeat(range(4), counts)
    hits = np.tile(True, len(actual) * seeds)
    table = predictions(hits, np.tile(actual, seeds), seed=np.repeat(range(1, seeds + 1), len(actual)))
    table = table.assign(fold=1, session="1", utterance=np.tile([f"u{i}" for i in range(len(actual))], seeds))
    about = {"protocol": "wu2019", "corpus": "iemocap", "test_halves": "MMFFF"}
    return entry(table, "CNN_SeqCap", intervals=LIMITS, **about)


def test_chance_is_the_most_frequent_emotion():
    line = headline([small()], [])[0]
    score = "Highest WA on 5 test utterances, of 1 result: ours, WA 60.0 % (95 % interval 50.0 to 90.0), UA 55.6 %"
    assert line.startswith(score)
    assert line.endswith(". Always answering angry would reach a WA of 60.0 %.")


@pytest.mark.parametrize(("seeds", "reason"), [(1, ""), (2, SEEDS_POOLED), (3, SEEDS_POOLED)])
def test_utterances_counted_once_per_seed_are_not_compared_with_the_papers(seeds, reason):
    _, pair = compare_matrices_of_paper([on_the_papers_halves(seeds)])
    assert (pair.first, pair.second, pair.reason) == ("the paper's CNN_SeqCap", "our CNN_SeqCap", reason)
    if not reason:
        assert pair.comparison.wa_difference == pytest.approx(1 - np.trace(SEQCAP_CONFUSION) / 1128)


@pytest.mark.parametrize(
    ("statistics", "heard"),
    [("train", False), ("corpus (test audio takes part)", True), ("speaker (test audio takes part)", True)],
)
def test_who_was_standardised_with_test_audio_is_named(statistics, heard):
    found = [line for line in cautions([small(), small("other", statistics=statistics)]) if "it used" in line]
    said = f"other is standardised by {statistics}: it used test audio, but not its labels."
    assert found == ([said] if heard else [])


def pair(wa, ua):
    """Two results; the interval of WA, or of UA, excludes 0 if asked for, with a small p-value."""
    limits = [(0.01, 0.2) if differs else (-0.1, 0.2) for differs in (wa, ua)]
    names = [f"sign-flip over speakers ({score})" for score in ("WA", "UA")]
    return Pair("ours", "other", Comparison(True, 0.1, 0.1, *limits, dict.fromkeys(names, 0.001), ""), tests=8)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([(0, 0), (0, 0)], "0 of 2 differences."),
        ([(0, 1), (0, 0)], "1 of 2 differences."),
        ([(1, 0), (0, 1), (1, 1)], "3 of 3 differences."),
    ],
)
def test_a_difference_in_either_score_counts(pairs, sentence):
    lines = headline([small(), small("other")], [pair(*each) for each in pairs])
    assert f"Distinguishable from 0 in WA or UA after Holm's correction for all 8 tests: {sentence}" in lines


def test_results_of_other_code_are_named_where_digests_are_known():
    def said(*digests):
        entries = [small(f"{place}", code_digest=digest) for place, digest in enumerate(digests)]
        return [line for line in cautions(entries) if "versions of the code" in line]

    assert said("a", "a") == said("a", None) == []
    assert said("a", "b", None) == [
        "The results were made by different versions of the code (digests: 0 a, 1 b, 2 unknown)."
    ]


def test_the_subtitle_says_what_was_tested_and_what_is_missing():
    entries = [small("one"), small("part", num_folds=10), small("two")]
    assert _what(entries) == (
        "one, two: corpus emodb, protocol speaker, 5 test utterances of 2 speakers. "
        "part: corpus emodb, protocol speaker, only fold 1 of 10, 5 test utterances of 2 speakers."
    )
