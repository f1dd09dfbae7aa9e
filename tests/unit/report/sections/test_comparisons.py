"""The choice of compared results and of the test for each pair, from two tables."""

import pytest

from ser.report.sections.comparisons import Pair, compare_pairs, comparison_table, correct
from ser.results.statistics import Comparison
from tests.made_up.entries import entry
from tests.made_up.hits import predictions

NAMES = [f"sign-flip over {whom} ({score})" for score in ("WA", "UA") for whom in ("sessions", "speakers")]


def result(title, hits, names="uvwx", **about):
    """Four utterances of two speakers in two sessions."""
    table = predictions(hits, [0, 1, 0, 1], list("aabb"), names=list(names)).assign(fold=1, session=list("1122"))
    return entry(table, title, **about)


def test_a_difference_is_the_second_minus_the_first():
    (pair,) = compare_pairs([result("first", [1, 1, 1, 0]), result("second", [1, 0, 0, 0])])
    assert (pair.first, pair.second) == ("first", "second")
    assert (pair.comparison.wa_difference, pair.comparison.ua_difference) == pytest.approx((-0.5, -0.5))
    assert pair.finding().startswith("Second minus first: WA -50.0 points (95 % interval ")


@pytest.mark.parametrize(
    ("about", "paired", "words"),
    [
        ({}, True, ""),
        ({"names": "uvwy"}, False, "they were tested on different utterances, one has 4 (protocol speaker)"),
        ({"corpus_digest": "b"}, False, "they were made from different audio or labels"),
        ({"corpus_digest": "a"}, True, ""),
        ({"corpus_digest": None}, True, ""),  # an older result does not record its corpus
    ],
)
def test_only_the_same_utterances_of_the_same_audio_are_paired(about, paired, words):
    one, other = result("one", [1, 1, 1, 0], corpus_digest="a"), result("other", [1, 0, 0, 0], **about)
    (pair,) = compare_pairs([one, other])
    assert bool(pair.comparison) is paired
    assert pair.reason.startswith(words)
    (forced,) = compare_pairs([one, other], unpaired=True)
    assert forced.comparison.paired is paired
    assert words in forced.comparison.caution


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]])
def test_the_test_over_speakers_decides_wherever_it_stands(order):
    made = Comparison(True, 0, 0, (0, 0), (0, 0), {"McNemar": 0.5, **dict.fromkeys(order, 0.5)}, "")
    assert [Pair("a", "b", made).test(score) for score in ("WA", "UA")] == [
        "sign-flip over speakers (WA)",
        "sign-flip over speakers (UA)",
    ]


def made(wa, ua, ua_interval=(0.01, 0.2)):
    p_values = dict(zip(NAMES, (0.25, wa, 0.5, ua), strict=True))
    return Comparison(True, 0.1, -0.2, (0.01, 0.2), ua_interval, {**p_values, "McNemar": 0.75}, "")


def test_all_tests_are_one_family_and_what_cannot_be_told_is_none():
    """Holm's factors for 0.01, 0.02, 0.03 are 3, 2, 1, and a corrected p is never below the previous one."""
    nan = float("nan")
    pairs = correct(
        [
            Pair("a", "b", made(0.03, 0.01)),
            Pair("a", "c", reason="other utterances"),
            Pair("b", "c", made(0.02, 0.001, ua_interval=(nan, nan))),
        ]
    )
    assert [pair.tests for pair in pairs] == [3, 1, 3]
    first, last = pairs[0], pairs[2]
    assert (first.p_value("WA"), first.p_value("UA"), last.p_value("WA")) == pytest.approx((0.04, 0.03, 0.04))
    assert last.p_value("UA") != last.p_value("UA"), "not a number"
    assert not last.distinguishable("UA")


def test_a_row_has_each_number_in_its_own_column():
    pairs = correct([Pair("a", "b", made(0.03, 0.01)), Pair("a", "c", reason="other utterances")])
    table = comparison_table("name", "title", pairs, [])
    row, without = (dict(zip([c.full_name for c in table.columns], row, strict=True)) for row in table.rows)
    assert row == {
        **{"second minus first": "b - a", "test": "paired"},
        **{"WA: difference": 0.1, "WA: 95 % interval": (0.01, 0.2), "WA: p": 0.03, "WA: p (Holm)": 0.03},
        **{"WA: p, sessions": 0.25, "UA: difference": -0.2, "UA: 95 % interval": (0.01, 0.2), "UA: p": 0.01},
        **{"UA: p (Holm)": 0.02, "UA: p, sessions": 0.5, "McNemar: p": 0.75},
    }
    assert (without.pop("second minus first"), without.pop("test")) == ("c - a", "not compared")
    assert set(without.values()) == {None}
