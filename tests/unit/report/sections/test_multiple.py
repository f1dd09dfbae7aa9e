"""The probability of a finding between equally good systems, and reasons why a difference is not a finding."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from ser.report.sections.comparisons import Pair, correct, holm
from ser.results.speaker_counts import Tally, sign_flips
from ser.results.statistics import Comparison, compare
from tests.made_up.hits import predictions

NAN = float("nan")
TESTS = ("sign-flip over speakers (WA)", "sign-flip over speakers (UA)")


@pytest.mark.parametrize("order", list(permutations([0.002, NAN, NAN, 0.04])))
def test_holm_does_not_count_what_could_not_be_tested(order):
    expected = {0.002: 0.004, 0.04: 0.04}
    for p, adjusted in zip(order, holm(list(order)), strict=True):
        assert adjusted == pytest.approx(expected.get(p, NAN), nan_ok=True)


@pytest.mark.parametrize(("systems", "tries"), [(2, 1000), (3, 1000)])
def test_a_finding_between_equal_systems_is_as_rare_as_is_said(systems, tries):
    """Every prediction of every system is right with probability 1/2.

    One emotion has nearly all utterances, so that WA and UA are nearly independent; if each were corrected separately,
    a finding in one of them would have a probability of 9 %. At a true 5 % the bound is exceeded once in 10,000 seeds.
    The intervals exclude 0 in every try, so that only the tests decide.
    """
    generator, found = np.random.default_rng(1), 0
    total, names = np.tile([300, 2, 2, 2], (8, 1)), tuple("abcdefgh")
    for _ in range(tries):
        tallies = [Tally(names, total.astype(float), generator.binomial(total, 0.5) * 1.0) for _ in range(systems)]
        compared = [
            Comparison(True, 1, 1, (1, 1), (1, 1), sign_flips("speakers", *pair, 1), "")
            for pair in combinations(tallies, 2)
        ]
        pairs = correct([Pair("one", "other", each) for each in compared])
        found += any(pair.distinguishable(measure) for pair in pairs for measure in ("WA", "UA"))
    assert found <= stats.binom.ppf(0.9999, tries, 0.05)


def made_up(wa, ua, swapped, interval=(0.01, 0.05), ua_interval=(0.01, 0.05)):
    p_values = dict(zip(TESTS, (wa, ua), strict=True))
    return Comparison(True, 0.03, 0.03, interval, ua_interval, p_values, "", swapped)


@pytest.mark.parametrize(
    ("comparison", "wa", "ua"),
    [
        (
            made_up(0.25, 0.25, swapped=3),
            "p = 0.500 after Holm): not distinguishable, as 3 speakers are too few for 2 tests",
            "p = 0.500 after Holm): not distinguishable, as 3 speakers are too few for 2 tests",
        ),
        (
            made_up(0.25, 0.25, swapped=6),  # 2 / 2^6 is below 0.05, but not twice that
            "p = 0.500 after Holm): not distinguishable, as 6 speakers are too few for 2 tests",
            "p = 0.500 after Holm): not distinguishable, as 6 speakers are too few for 2 tests",
        ),
        (
            made_up(0.25, 0.25, swapped=7),
            "p = 0.500 after Holm): not distinguishable",
            "p = 0.500 after Holm): not distinguishable",
        ),
        (
            made_up(0.04, 0.02, swapped=10),
            "p = 0.0400 after Holm): distinguishable",
            "p = 0.0400 after Holm): distinguishable",
        ),
        (
            made_up(0.04, 0.03, swapped=10),
            "+1.0 to +5.0; p = 0.0600 after Holm): not distinguishable",
            "+1.0 to +5.0; p = 0.0600 after Holm): not distinguishable",
        ),
        (
            made_up(0.3, 0.01, swapped=10, interval=(-0.01, 0.05)),
            "-1.0 to +5.0; p = 0.300 after Holm): not distinguishable",
            "p = 0.0200 after Holm): distinguishable",
        ),
        (
            made_up(0.04, 0.01, swapped=10, ua_interval=(NAN, NAN)),
            "p = 0.0400 after Holm): distinguishable",  # the only test
            "interval not available): too few speakers to tell",
        ),
    ],
)
def test_a_finding_says_why_it_is_none(comparison, wa, ua):
    (pair,) = correct([Pair("one", "other", comparison)])
    first, second = pair.finding().removesuffix(".").split(". UA ")
    assert first.endswith(wa)
    assert second.endswith(ua)


def test_of_three_speakers_nothing_can_be_found():
    first, second = (predictions([1, hit, 0, 0] * 3, [0, 1, 2, 3] * 3, np.repeat([0, 1, 2], 4)) for hit in (0, 1))
    text = Pair("one", "other", compare(first, second)).finding()
    found = "(95 % interval +25.0 to +25.0; p = 0.250): not distinguishable, as 3 speakers are too few for 1 test"
    assert text.count(found) == 2
