"""How sure a pooled WA or UA is, and what a difference between two of them means.

Utterances of one speaker resemble one another, so wherever a table says who spoke, speakers are drawn and swapped, not
utterances (`ser.results.speaker_counts`). The two speakers of a session are answered by one training and resemble one
another by that: less, but not nothing, so that what takes speakers for independent finds too much.
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
    """Two results beside each other; every difference is second minus first, a share, with a 95 % interval.

    Args:
        paired: on the same test utterances.
        p_values: two-sided, by the name of the test, which names the score ("... (WA)"); NaN where the test cannot
            be made.
        caution: what a reader must know.
        swapped: speakers whose answers the deciding test swaps, so that its p-value is at least 2 / 2^speakers; 0 for
            a test without such a bound.
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
    """Intervals of WA and UA, shares, and how many draws of speakers lacked an emotion and were drawn again for UA."""

    wa: Interval
    ua: Interval
    redrawn: int


def bootstrap_speakers(
    predictions: pd.DataFrame, draws: int = DRAWS, seed: int = 1, confidence: float = CONFIDENCE
) -> Intervals:
    """Percentile intervals of pooled WA and UA from samples of whole speakers.

    A drawn speaker brings all utterances of all seeds. UA of a draw is the mean over the emotions of the whole table:
    a draw that lacks one is drawn again for UA, while WA takes the draws as they come. Few speakers make such an
    interval too narrow. The same seed gives the same interval.

    Args:
        predictions: a predictions table, with or without the column `seed`.

    Returns:
        `wa` and `ua` as limits, shares, and `redrawn`. Limits are NaN for a single speaker, who says nothing about
            others; UA's also where too many draws lack an emotion (`ser.results.speaker_counts.MOST_REDRAWN`).

    Raises:
        InputError: if the table cannot be counted (`tally`).
    """
    counts = tally(predictions)
    (drawn,), redrawn = draw_scores([counts], draws, seed)
    wa, ua = _intervals(drawn, len(counts.speakers), confidence)
    return {"wa": wa, "ua": ua, "redrawn": redrawn}


def ua_note(intervals: Intervals) -> str:
    """How the interval of UA came about, or why there is none; "" where no draw lacked an emotion."""
    return redraw_note(intervals["redrawn"], not np.isnan(intervals["ua"][0]))


def compare(first: pd.DataFrame, second: pd.DataFrame, draws: int = DRAWS, seed: int = 1) -> Comparison:
    """Compare two systems on the same test utterances.

    Sign-flip: if the systems were alike, the predictions of each speaker could as well be swapped between them. The
    p-value is the share of the 2^speakers ways to swap whose pooled difference is at least as large; beyond 16
    speakers, that share in a sample of 65 536 ways. It is exact if speakers can be exchanged one by one. Where both
    tables name sessions, whole sessions are swapped as well: that allows for one training answering both speakers of a
    session, but with five sessions no such p-value can be below 0.0625. Bootstrap: the same drawn speakers for both.
    McNemar's exact test only where each has one seed.

    Args:
        first: a predictions table, with or without the column `session`.
        second: another of the same utterances, in any order and number of seeds.

    Raises:
        InputError: if the test sets differ, or a table cannot be counted (`tally`).
    """
    check_same_test_set(first, second)
    counts, others = tally(first), tally(second)
    differences = _differences(counts, others)
    p_values = sign_flips("speakers", counts, others, seed)
    speakers, sessions = len(counts.speakers), 0
    if "session" in first and "session" in second:
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
    """What a reader of a paired comparison must know; `sessions` is 0 where they are not named."""
    if speakers == 1:
        return "Paired, one speaker: nothing can be said about others, and no test can find a difference."
    caution = (
        f"Paired, {counted(speakers, 'speaker')}: no sign-flip p-value over speakers can be below "
        f"{2 / 2**speakers:.2g}, and a bootstrap of so few speakers is optimistic (true intervals are wider). That "
        "test is exact if speakers can be exchanged one by one, which two speakers answered by one training, as those "
        "of a session are, cannot quite: it finds differences somewhat too often, and the bootstrap has the same flaw. "
    )
    if sessions:
        caution += (
            f"The sign-flip over sessions ({sessions} here) allows for that, but none of its p-values can be below "
            f"{2 / 2**sessions:.3g}: it stands beside the other and cannot decide alone. "
        )
    return caution + (
        "Utterances of a speaker are not independent, so that McNemar's p-value, which takes them for independent, is "
        "too small; it is left out over several seeds."
    )


def compare_unpaired(first: pd.DataFrame, second: pd.DataFrame, draws: int = DRAWS, seed: int = 1) -> Comparison:
    """Compare two results whatever utterances they were measured on, as if their speakers had nothing in common.

    Two independent bootstraps, and Welch's t-test on the speakers' contributions; for speakers with equally many
    utterances that is the t-test on their accuracies.

    Raises:
        InputError: if a table cannot be counted (`tally`).
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
        f"in both; {len(counts.speakers)} and {counted(len(others.speakers), 'speaker')}, {same} in both) are taken "
        "for independent, and so are the speakers of each, though one training answers both of a session. The "
        "difference is one of systems and of test sets; which, cannot be told apart."
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
    """Of WA and UA; a single speaker says nothing about others."""
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
