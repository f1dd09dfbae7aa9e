"""Tests between two systems, against closed forms, other implementations and general properties."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser.errors import InputError
from ser.results.speaker_counts import Tally, sign_flips, tally
from ser.results.statistics import compare, compare_unpaired
from tests.made_up.hits import predictions, rehit, sample

# --- paired comparisons


@pytest.mark.parametrize(("speakers", "least"), [(1, "no test can find a difference"), (3, "0.25,"), (10, "0.002,")])
def test_equal_gains_of_all_speakers(speakers, least):
    first = predictions([1, 0, 0, 0] * speakers, [0, 1, 2, 3] * speakers, np.repeat(np.arange(speakers), 4))
    second = predictions([1, 1, 0, 0] * speakers, [0, 1, 2, 3] * speakers, np.repeat(np.arange(speakers), 4))
    found = compare(first, second)
    assert found.paired
    assert found.wa_difference == found.ua_difference == pytest.approx(0.25)
    assert found.p_values["sign-flip over speakers (WA)"] == 2 / 2**speakers
    assert found.p_values["sign-flip over speakers (UA)"] == 2 / 2**speakers
    assert least.replace("0.", "no sign-flip p-value over speakers can be below 0.") in found.caution
    assert found.p_values["McNemar"] == pytest.approx(min(1, 2 * 0.5**speakers))
    assert found.wa_interval == pytest.approx((0.25, 0.25) if speakers > 1 else (np.nan, np.nan), nan_ok=True)


def test_mcnemar_by_hand():
    table = sample(7, utterances=30)
    first = predictions([1] * 9 + [0] * 2 + [1] * 19, speakers=table.speaker)
    second = predictions([0] * 9 + [1] * 2 + [1] * 19, speakers=table.speaker)
    # Eleven utterances were recognised by only one of the two, split 9 to 2: 2 * (1 + 11 + 55) / 2^11.
    assert compare(first, second).p_values["McNemar"] == pytest.approx(2 * 67 / 2048)


@pytest.mark.parametrize(("seed", "score"), [(1, "WA"), (2, "WA"), (3, "UA"), (4, "UA")])
def test_sign_flip_is_scipys_permutation_test(seed, score):
    first = sample(seed, utterances=120, speakers=7)
    second = rehit(first, seed + 50, accuracy=0.8)
    counts, others = tally(first), tally(second)
    gained, total = others.correct - counts.correct, counts.total.sum(0)
    gains = gained.sum(1) / total.sum() if score == "WA" else (gained / total).mean(1)
    pair = (gains, np.zeros(7))
    scipys = stats.permutation_test(pair, lambda x, y, axis: (x - y).sum(axis), permutation_type="samples")
    assert compare(first, second).p_values[f"sign-flip over speakers ({score})"] == pytest.approx(scipys.pvalue)


def test_swapping_a_speaker_swaps_his_predictions():
    first, second = sample(3, utterances=80, speakers=4), rehit(sample(3, utterances=80, speakers=4), 9)
    differences = {"WA": [], "UA": []}
    for swapped in np.ndindex(2, 2, 2, 2):
        swap = first.speaker.map(dict(zip("0123", swapped, strict=True))).to_numpy(bool)
        one, other = (
            table.assign(predicted=np.where(swap, turned.predicted, table.predicted))
            for table, turned in ((first, second), (second, first))
        )
        for score, before, after in zip(("WA", "UA"), tally(one).pooled(), tally(other).pooled(), strict=True):
            differences[score].append(abs(after - before))
    for score, found in differences.items():
        p = np.mean(np.array(found) >= found[0] - 1e-12)
        assert compare(first, second).p_values[f"sign-flip over speakers ({score})"] == pytest.approx(p)


def test_swapping_a_session_swaps_both_its_speakers():
    first, second = sample(3, utterances=90, speakers=6), rehit(sample(3, utterances=90, speakers=6), 9)
    first, second = (table.assign(session=table.speaker.map(int) // 2) for table in (first, second))
    found = compare(first, second).p_values
    by_session = [table.assign(speaker=table.session) for table in (first, second)]
    expected = compare(*(table.drop(columns="session") for table in by_session)).p_values
    for score in ("WA", "UA"):
        assert found[f"sign-flip over sessions ({score})"] == expected[f"sign-flip over speakers ({score})"]
        assert found[f"sign-flip over sessions ({score})"] >= 2 / 2**3
    assert not any("sessions" in name for name in expected), "no such test without the column"
    without = compare(*(table.assign(session="") for table in by_session)).p_values
    assert without == expected, "nor in a corpus without sessions"


def test_of_the_test_over_sessions_it_is_said_what_it_cannot():
    first = predictions([1, 0] * 10, speakers=np.repeat(np.arange(10), 2)).assign(session=np.repeat(np.arange(5), 4))
    second = first.assign(predicted=first.emotion)
    found = compare(first, second)
    assert found.p_values["sign-flip over speakers (WA)"] == 2 / 2**10
    assert found.p_values["sign-flip over sessions (WA)"] == 2 / 2**5
    assert "over sessions (5 here)" in found.caution
    assert "below 0.0625: it is shown for comparison and does not decide" in found.caution
    assert "assume that speakers are independent, but one training predicts both speakers of a session" in found.caution
    assert "(true intervals are wider). Both assume" in found.caution
    alone = compare(first[first.speaker == "3"], second[second.speaker == "3"])
    assert alone.caution.startswith("Paired, one speaker: nothing can be said about other speakers")


def test_speakers_of_a_session_are_not_exchangeable():
    generator, total = np.random.default_rng(1), np.full((10, 4), 8.0)
    found = {"speakers": [], "sessions": []}
    for _ in range(600):
        # Two equally good systems; one training predicts both speakers of a session, and trainings vary.
        ease = 1 + generator.normal(scale=0.5, size=10)
        logits = [ease + np.repeat(generator.normal(scale=0.6, size=5), 2) for _ in range(2)]
        hits = [generator.binomial(8, 1 / (1 + np.exp(-each)), size=(4, 10)).T.astype(float) for each in logits]
        tallies = [Tally(tuple(map(str, range(10))), total, each) for each in hits]
        pairs = [each.reshape(5, 2, 4).sum(1) for each in (total, *hits)]
        by_session = [Tally(tuple(map(str, range(5))), pairs[0], each) for each in pairs[1:]]
        for units, (one, other) in (("speakers", tallies), ("sessions", by_session)):
            found[units].append(sign_flips(units, one, other, seed=1)[f"sign-flip over {units} (WA)"])
    wrongly = {units: np.mean(np.array(values) <= 2 / 2**5) for units, values in found.items()}
    assert wrongly["sessions"] == pytest.approx(0.0625, abs=0.03)  # three standard errors
    assert wrongly["speakers"] > 0.1


def test_many_speakers_are_sampled():
    first = sample(1, utterances=400, speakers=40, accuracy=0.6)
    second = rehit(first, 2, accuracy=0.7)
    gains = tally(second).correct.sum(1) - tally(first).correct.sum(1)
    normal = 2 * stats.norm.sf(abs(gains.sum()) / np.sqrt((gains**2).sum()))
    p = compare(first, second).p_values["sign-flip over speakers (WA)"]
    assert p == pytest.approx(normal, abs=0.02)
    same = predictions([1] * 40), predictions([0] * 40)
    assert 0 < compare(*same).p_values["sign-flip over speakers (WA)"] < 1e-4, "never zero"


def test_several_seeds_are_averaged_and_have_no_mcnemar():
    first, second = sample(1), rehit(sample(1), 2)
    doubled = pd.concat([first, first.assign(seed=2)])
    one, several = compare(first, second), compare(doubled, second)
    assert "McNemar" in one.p_values
    assert "McNemar" not in several.p_values
    assert several.p_values == {name: p for name, p in one.p_values.items() if name != "McNemar"}
    assert several.wa_interval == pytest.approx(one.wa_interval)


def test_different_test_sets_are_not_compared():
    table = sample(1)
    with pytest.raises(
        InputError,
        match=r"5 of 300 utterances are only in the first result, 0 of 295 only in the second; --unpaired",
    ):
        compare(table, table.iloc[5:])
    with pytest.raises(InputError, match="1 of 300 utterances have another emotion in the second result, first u0"):
        compare(table, table.assign(emotion=["sad" if table.emotion[0] != "sad" else "angry", *table.emotion[1:]]))
    with pytest.raises(InputError, match="300 of 300 utterances have another speaker"):
        compare(table, table.assign(speaker="x"))
    with pytest.raises(InputError, match="300 of 300 utterances have another session"):
        compare(table.assign(session="1"), table.assign(session="2"))


def test_a_paired_interval_is_narrower_where_speakers_vary():
    hits = np.repeat([1, 1, 1, 0, 1, 1, 0, 1, 1, 0], 30)
    speakers = np.repeat(np.arange(10), 30)
    first = predictions(hits, speakers=speakers)
    second = predictions(hits * (np.arange(300) % 10 > 0), speakers=speakers)  # a tenth less for each speaker
    paired, unpaired = compare(first, second), compare_unpaired(first, second)
    assert np.ptp(paired.wa_interval) < np.ptp(unpaired.wa_interval) / 3
    assert paired.wa_interval[1] < 0 < unpaired.wa_interval[1]


# --- unpaired comparisons


def test_linearised_variance_is_that_of_the_bootstrap():
    counts = tally(sample(4, utterances=4000, speakers=40))
    generator = np.random.default_rng(1)
    drawn = counts.drawn(generator.multinomial(40, [1 / 40] * 40, size=20_000).astype(float))
    for variance, values in zip(counts.variances(), drawn, strict=True):
        assert np.sqrt(variance * 39 / 40) == pytest.approx(values.std(), rel=0.03)


def test_unpaired_says_what_the_test_sets_share_and_a_single_speaker_says_nothing():
    table = sample(1)
    found = compare_unpaired(table, table.iloc[:100])
    assert "300 and 100 utterances, 100 in both; 10 and 10 speakers, 10 in both" in found.caution
    alone = compare_unpaired(table, table[table.speaker == "3"])
    assert np.isnan([*alone.wa_interval, *alone.p_values.values()]).all()
