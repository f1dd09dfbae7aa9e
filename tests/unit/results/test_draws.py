"""Bootstrap draws of speakers who lack emotions: against all draws, closed forms, and a constant prediction."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.results.lambda_curve import curve
from ser.results.pooled import recorded_intervals
from ser.results.statistics import bootstrap_speakers, compare, compare_unpaired
from tests.made_up.hits import predictions
from tests.made_up.two_branches import table as two_branches

ANGRY = 1
# (speaker, emotion) of twelve utterances per speaker, without the emotion that a speaker lacks.
LACKING = [(speaker, k % 4) for speaker in range(3) for k in range(12) if k % 4 != (2, 3, 0)[speaker]]
SINGLE = [(0, 0), (0, 1), (1, 2), (1, 3)]  # two speakers without a common emotion


def constant(spoken, answer=ANGRY):
    """Predictions of a system that always predicts one emotion."""
    speakers, actual = zip(*spoken, strict=True)
    table = predictions([False] * len(spoken), actual, speakers)
    return table.assign(predicted=PAPER_EMOTIONS[answer])


def answers(spoken, seed):
    speakers, actual = zip(*spoken, strict=True)
    return predictions(np.random.default_rng(seed).random(len(spoken)) < 0.6, actual, speakers)


def every_draw(table):
    """All draws of the speakers that contain every emotion of the table, as tables."""
    names = sorted(set(table.speaker))
    for drawn in np.ndindex(*[len(names)] * len(names)):
        rows = pd.concat([table[table.speaker == names[place]] for place in drawn])
        if set(rows.emotion) == set(table.emotion):
            yield rows


def balanced_accuracy(rows):
    return np.mean([(part.emotion == part.predicted).mean() for _, part in rows.groupby("emotion")])


def share_of_complete_draws(spoken):
    """Probability that a draw contains all emotions, by inclusion and exclusion."""
    emotions, speakers = ({each[place] for each in spoken} for place in (1, 0))
    found = 0.0
    for size in range(len(emotions) + 1):
        for lacking in combinations(emotions, size):
            without = sum(not any((who, each) in spoken for each in lacking) for who in speakers)
            found += (-1) ** size * (without / len(speakers)) ** len(speakers)
    return found


def test_every_interval_of_a_constant_answer():
    angry, neutral = constant(LACKING), constant(LACKING, 0)
    assert bootstrap_speakers(angry)["ua"] == (0.25, 0.25)
    for comparing in (compare, compare_unpaired):
        assert comparing(angry, neutral).ua_interval == (0, 0)
    certain = np.eye(4)[[ANGRY] * len(LACKING)]
    speakers, actual = zip(*LACKING, strict=True)
    points = curve(two_branches(actual, certain, certain, speakers), draws=500)
    assert (points[["ua", "ua_low", "ua_high"]] == 0.25).all(axis=None)


def test_a_result_records_the_intervals_and_the_draws_made_again():
    """A complete draw takes 1 / (24 / 27) draws on average, so an eighth of 10 000 is drawn again."""
    found = recorded_intervals(constant(LACKING))
    assert found["intervals"]["ua"] == [0.25, 0.25]
    assert found["intervals"]["wa"] == pytest.approx([1 / 3, 1 / 3]), "a third of every speaker's utterances is angry"
    assert found["bootstrap"]["draws"] == 10_000
    assert found["bootstrap"]["redrawn"] == pytest.approx(1250, rel=0.15)
    alone = [each for each in LACKING if each[0] == 0]
    assert recorded_intervals(constant(alone))["intervals"] == {"wa": None, "ua": None}


def test_intervals_are_those_of_all_draws_with_every_emotion():
    first, second = answers(LACKING, 1), answers(LACKING, 2)
    scores = [balanced_accuracy(rows) for rows in every_draw(first)]
    assert len(scores) == 24, "not 27: three copies of one speaker lack an emotion"
    expected = np.quantile(scores, [0.1, 0.9], method="inverted_cdf")
    assert bootstrap_speakers(first, draws=40_000, confidence=0.8)["ua"] == pytest.approx(tuple(expected))
    other = second.set_index("utterance").predicted
    gains = [
        balanced_accuracy(rows.assign(predicted=rows.utterance.map(other))) - balanced_accuracy(rows)
        for rows in every_draw(first)
    ]
    expected = np.quantile(gains, [0.025, 0.975], method="inverted_cdf")
    assert compare(first, second, draws=40_000).ua_interval == pytest.approx(tuple(expected))


def test_redrawn_draws_are_counted():
    share, draws = 8 / 9, 10_000
    assert share_of_complete_draws(LACKING) == pytest.approx(share)
    deviation = np.sqrt(draws * (1 - share)) / share  # of the number of failures before so many successes
    found = bootstrap_speakers(answers(LACKING, 1), draws=draws)
    assert found["redrawn"] == pytest.approx(draws * (1 - share) / share, abs=4 * deviation)
    assert found == bootstrap_speakers(answers(LACKING, 1), draws=draws), "equal seeds give equal draws"
    noted = f"{found['redrawn']:,} draws of speakers lacked an emotion of the test set and were drawn again"
    first, second = answers(LACKING, 1), answers(LACKING, 2)
    assert noted in compare(first, second).caution
    assert "First test set: UA: " in compare_unpaired(first, second).caution


def test_draws_with_every_emotion_and_wa_are_the_first_ones_drawn():
    drawn = np.random.default_rng(1).multinomial(3, [1 / 3] * 3, size=1000)
    table = answers(LACKING, 1)
    by_speaker = table.assign(right=table.emotion == table.predicted).groupby("speaker").right.agg(["sum", "size"])
    limits = np.quantile(drawn @ by_speaker["sum"] / (drawn @ by_speaker["size"]), [0.025, 0.975])
    assert bootstrap_speakers(table, draws=1000)["wa"] == pytest.approx(tuple(limits))
    whole = answers([(speaker, k % 4) for speaker in range(3) for k in range(12)], 1)
    hits = pd.crosstab(whole.speaker, whole.emotion, whole.emotion == whole.predicted, aggfunc="sum").to_numpy(float)
    limits = np.quantile((drawn @ hits / 9).mean(1), [0.025, 0.975])
    assert bootstrap_speakers(whole, draws=1000) == {
        "wa": pytest.approx(tuple(limits)),  # equal numbers of utterances of each emotion
        "ua": pytest.approx(tuple(limits)),
        "redrawn": 0,
    }


def test_too_few_draws_with_every_emotion_give_no_interval_of_ua():
    found = bootstrap_speakers(answers(SINGLE, 1))
    assert np.isnan(found["ua"]).all(), "half of the draws are equal, the rest lack two emotions"
    assert not np.isnan(found["wa"]).any()
    assert found["redrawn"] > 7500
    compared = compare(answers(SINGLE, 1), answers(SINGLE, 2))
    assert np.isnan(compared.ua_interval).all()
    assert "UA: no interval, because too many draws of speakers lack an emotion" in compared.caution


def test_other_emotions_in_the_other_test_set_are_named():
    fewer = [(who, emotion) for who, emotion in LACKING if emotion]
    caution = compare_unpaired(answers(LACKING, 1), answers(fewer, 2)).caution
    assert "UA is the mean over 4 emotions in the first and over 3 in the second." in caution
