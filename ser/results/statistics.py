"""Intervals of pooled WA and UA, and tests of the difference between two results.

Utterances of one speaker are not independent, so speakers are drawn and swapped, not utterances
(`ser.results.speaker_counts`). The two speakers of a session are not quite independent either, since one training
predicts both: methods that assume independent speakers find differences somewhat too often.
"""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from scipy import stats

from ser.results.speaker_counts import (
    CONFIDENCE,
    DRAWS,
    EXACT,
    Interval,
    Tally,
    check_same_test_set,
    counted,
    draw_scores,
    percentile_limits,
    redraw_note,
    sign_flips,
    tally,
)


@dataclass(frozen=True)
class Comparison:
    """Two results compared; every difference is second minus first, a share, with a 95 % interval.

    Args:
        paired: on the same test utterances.
        p_values: two-sided, by name of the test with its score ("... (WA)"); NaN if the test is impossible.
        caution: limitations, in sentences.
        swapped: speakers in the deciding sign-flip test, whose p-value is at least 2 / 2^speakers; 0 for other tests.
    """

    paired: bool
    wa_difference: float
    ua_difference: float
    wa_interval: Interval
    ua_interval: Interval
    p_values: dict[str, float]
    caution: str
    swapped: int = 0


class Intervals(TypedDict):
    """Intervals of WA and UA, shares, and the number of draws of speakers that lacked an emotion and were redrawn."""

    wa: Interval
    ua: Interval
    redrawn: int


def bootstrap_speakers(
    predictions: pd.DataFrame, draws: int = DRAWS, seed: int = 1, confidence: float = CONFIDENCE
) -> Intervals:
    """Percentile intervals of pooled WA and UA from samples of whole speakers.

    A drawn speaker contributes all utterances of all seeds. UA is the mean over all emotions of the table: for UA, a
    draw that lacks one is drawn again. With few speakers such an interval is too narrow. The same seed gives the same
    interval.

    Args:
        predictions: a predictions table, with or without the column `seed`.

    Returns:
        `wa` and `ua` as limits, shares, and `redrawn`. Limits are NaN for a single speaker, those of UA also if too
            many draws lack an emotion (`ser.results.speaker_counts.MOST_REDRAWN`).

    Raises:
        InputError: if `tally` refuses the table.
    """
    counts = tally(predictions)
    (drawn,), redrawn = draw_scores([counts], draws, seed)
    wa, ua = _intervals(drawn, len(counts.speakers), confidence)
    return {"wa": wa, "ua": ua, "redrawn": redrawn}


def ua_note(intervals: Intervals) -> str:
    """A note on the draws made again for the interval of UA, or why there is none; "" if no draw lacked an emotion."""
    return redraw_note(intervals["redrawn"], not np.isnan(intervals["ua"][0]))


def compare(first: pd.DataFrame, second: pd.DataFrame, draws: int = DRAWS, seed: int = 1) -> Comparison:
    """Compare two systems on the same test utterances.

    Sign-flip test: if the systems are equal, the predictions of each speaker can be swapped between them. The p-value
    is the share of the 2^speakers swaps whose pooled difference is at least as large as the observed one; beyond 16
    speakers, of a sample of 65 536 swaps. It is exact if speakers are exchangeable one by one. If both tables have
    sessions, whole sessions are swapped as well: that allows for one training predicting both speakers of a session,
    but with five sessions no such p-value can be below 0.0625. Bootstrap: both systems are scored on the same drawn
    speakers. McNemar's exact test is made only if each system has one seed.

    Args:
        first: a predictions table, with or without the column `session`.
        second: another of the same utterances, in any order and number of seeds.

    Raises:
        InputError: if the test sets differ, or `tally` refuses a table.
    """
    check_same_test_set(first, second)
    counts, others = tally(first), tally(second)
    differences = _differences(counts, others)
    p_values = sign_flips("speakers", counts, others, seed)
    speakers, sessions = len(counts.speakers), 0
    if all("session" in table and (table.session != "").all() for table in (first, second)):
        by_session = [tally(table.assign(speaker=table.session)) for table in (first, second)]
        sessions = len(by_session[0].speakers)
        p_values |= sign_flips("sessions", *by_session, seed)
    if not any(table.utterance.duplicated().any() for table in (first, second)):
        p_values["McNemar"] = _mcnemar(first.set_index("utterance"), second.set_index("utterance"))
    (before, after), redrawn = draw_scores([counts, others], draws, seed)
    intervals = _intervals(np.subtract(after, before), speakers)
    note = redraw_note(redrawn, not np.isnan(before[1][0]))
    caution = " ".join(filter(None, [_paired_caution(speakers, sessions), note]))
    return Comparison(True, *differences, *intervals, p_values, caution, speakers)


def _paired_caution(speakers: int, sessions: int) -> str:
    """Limitations of a paired comparison; `sessions` is 0 if they are unknown."""
    if speakers == 1:
        return "Paired, one speaker: nothing can be said about other speakers, and no test can find a difference."
    caution = (
        f"Paired, {counted(speakers, 'speaker')}: no sign-flip p-value over speakers can be below "
        f"{2 / 2**speakers:.2g}, and a bootstrap of so few speakers is optimistic (true intervals are wider). Both "
        "assume that speakers are independent, but one training predicts both speakers of a session: differences are "
        "found somewhat too often. "
    )
    if sessions:
        caution += (
            f"The sign-flip test over sessions ({sessions} here) allows for that, but its p-values cannot be below "
            f"{2 / 2**sessions:.3g}: it is shown for comparison and does not decide. "
        )
    return caution + (
        "McNemar's test assumes that utterances are independent, but those of one speaker are not: its p-value is too "
        "small. It is left out over several seeds."
    )


def compare_unpaired(first: pd.DataFrame, second: pd.DataFrame, draws: int = DRAWS, seed: int = 1) -> Comparison:
    """Compare two results on any test sets, as if their speakers were independent.

    Two independent bootstraps, and Welch's t-test on the speakers' contributions; if all speakers have equally many
    utterances, that is the t-test on their accuracies.

    Raises:
        InputError: if `tally` refuses a table.
    """
    counts, others = tally(first), tally(second)
    differences = _differences(counts, others)
    variances = zip(counts.variances(), others.variances(), strict=True)
    freedoms = (len(counts.speakers) - 1, len(others.speakers) - 1)
    p_values = {
        f"Welch's t over speakers, unpaired ({score})": _welch(difference, pair, freedoms)
        for score, difference, pair in zip(("WA", "UA"), differences, variances, strict=True)
    }
    generators = np.random.SeedSequence(seed).generate_state(2)
    sides = zip((counts, others), generators, strict=True)
    ((before,), redrawn), ((after,), redrawn_after) = (draw_scores([side], draws, state) for side, state in sides)
    shared = len(set(first.utterance) & set(second.utterance))
    same = len(set(counts.speakers) & set(others.speakers))
    caution = (
        f"Unpaired: two test sets ({first.utterance.nunique()} and {second.utterance.nunique()} utterances, {shared} "
        f"in both; {len(counts.speakers)} and {counted(len(others.speakers), 'speaker')}, {same} in both) are assumed "
        "to be independent, and so are the speakers of each, although one training predicts both speakers of a "
        "session. The difference can come from the systems or from the test sets."
    )
    emotions = [int((side.total.sum(0) > 0).sum()) for side in (counts, others)]
    if emotions[0] != emotions[1]:
        caution += f" UA is the mean over {emotions[0]} emotions in the first and over {emotions[1]} in the second."
    for place, number, (_, ua) in (("First", redrawn, before), ("Second", redrawn_after, after)):
        if note := redraw_note(number, not np.isnan(ua[0])):
            caution += f" {place} test set: {note}"
    intervals = _intervals(np.subtract(after, before), min(freedoms) + 1)
    return Comparison(False, *differences, *intervals, p_values, caution)


def _differences(first: Tally, second: Tally) -> tuple[float, float]:
    wa, ua = np.subtract(second.pooled(), first.pooled())
    return float(wa), float(ua)


def _intervals(drawn, speakers: int, confidence: float = CONFIDENCE) -> list[Interval]:
    """Intervals of WA and UA; NaN for a single speaker."""
    if speakers == 1:
        return [(float("nan"), float("nan"))] * 2
    return [tuple(percentile_limits(values, confidence).tolist()) for values in drawn]


def _mcnemar(first: pd.DataFrame, second: pd.DataFrame) -> float:
    right = first.emotion == first.predicted
    other = (second.emotion == second.predicted).reindex(right.index)
    lost, won = int((right & ~other).sum()), int((~right & other).sum())
    return float(stats.binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def _welch(difference: float, variances: tuple[float, float], freedoms: tuple[int, int]) -> float:
    if any(np.isnan(variances)):
        return float("nan")
    if (variance := sum(variances)) < EXACT**2:
        return 1.0 if abs(difference) < EXACT else 0.0
    freedom = variance**2 / sum(each**2 / df for each, df in zip(variances, freedoms, strict=True))
    return float(2 * stats.t.sf(abs(difference) / np.sqrt(variance), freedom))
