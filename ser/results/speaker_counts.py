"""Counts of utterances per speaker, and the bootstrap and sign-flip tests over whole speakers.

Utterances of one speaker are not independent, so intervals and tests draw and swap speakers, not utterances. WA and UA
depend on a table only through two counts per speaker and emotion: utterances, and those recognised. Over several seeds
these are means, so that a seed adds no speaker.

For WA the bootstrap uses every sample of speakers. For UA a sample that lacks an emotion of the test set is drawn
again, since UA over the emotions that happen to occur is another quantity in every sample: a constant answer would
score 1/4 in one and 1/3 in the next.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.results.predictions import accuracies, check_rows, emotions_of

CONFIDENCE = 0.95
MOST_ENUMERATED = 16  # speakers, which have 65 536 swaps; for more speakers, that many swaps are sampled
EXACT = 1e-12  # sums that differ by less are equal
DRAWS = 10_000
# Share of the draws that may be drawn again. Exceeded if two emotions have one speaker each: the remaining samples
# hardly vary, and their interval would be too narrow. If one emotion has one speaker, the share is at most 0.58.
MOST_REDRAWN = 0.75

Interval = tuple[float, float]


@dataclass(frozen=True)
class Tally:
    """Counts by speaker and emotion.

    Args:
        speakers: in sorted order.
        total: utterances, (speakers, emotions).
        correct: recognised utterances, (..., speakers, emotions); means over the seeds.
    """

    speakers: tuple[str, ...]
    total: np.ndarray
    correct: np.ndarray

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """WA and UA of all utterances, (...) each."""
        return accuracies(self.total.sum(-2), self.correct.sum(-2))

    def drawn(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """WA and UA of bootstrap samples, (..., draws) each; `weights` are times each speaker is drawn."""
        return accuracies(weights @ self.total, weights @ self.correct)

    def variances(self) -> tuple[float, float]:
        """Variance of WA and of UA between samples of speakers, linearised (ratio estimator); NaN for one speaker."""
        total, correct = self.total.sum(0), self.correct.sum(0)
        occurs = total > 0
        wa_parts = (self.correct.sum(1) - self.total.sum(1) * correct.sum() / total.sum()) / total.sum()
        recalls = correct[occurs] / total[occurs]
        ua_parts = ((self.correct[:, occurs] - self.total[:, occurs] * recalls) / total[occurs]).mean(1)
        speakers = len(self.speakers)
        scale = speakers / (speakers - 1) if speakers > 1 else np.nan
        return float(scale * (wa_parts**2).sum()), float(scale * (ua_parts**2).sum())


def tally(predictions: pd.DataFrame, hits: np.ndarray | None = None) -> Tally:
    """Count a predictions table by speaker and emotion.

    Args:
        predictions: with or without the column `seed`.
        hits: rows that count as recognised instead of those of the column `predicted`, (variants, rows).

    Raises:
        InputError: if the table is empty, an emotion is unknown, an utterance occurs twice in a seed, or the seeds
            have different utterances.
    """
    table = predictions if "seed" in predictions else predictions.assign(seed=1)
    if table.empty:
        raise InputError("the predictions table is empty")
    check_rows(table)
    seeds = table.seed.nunique()
    times = table.groupby(["utterance", "speaker", "emotion"]).size()
    if (odd := times[times != seeds]).any():
        raise InputError(f"the seeds have different utterances, speakers or emotions, first {odd.index[0][0]}")
    if hits is None:
        hits = (table.emotion == table.predicted).to_numpy()
    speakers, places = np.unique(table.speaker.astype(str).to_numpy(str), return_inverse=True)
    emotions = pd.Index(emotions_of(table))
    cells = np.zeros((len(table), len(speakers), len(emotions)))
    cells[np.arange(len(table)), places, emotions.get_indexer(table.emotion)] = 1
    correct = np.tensordot(np.asarray(hits, dtype=float), cells, axes=1)
    return Tally(tuple(speakers.tolist()), cells.sum(0) / seeds, correct / seeds)


def percentile_limits(values: np.ndarray, confidence: float = CONFIDENCE) -> np.ndarray:
    """Equal-tailed limits, (2, ...), of draws, (..., draws)."""
    return np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=-1)


def draw_scores(
    tallies: list[Tally], draws: int = DRAWS, seed: int = 1
) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
    """WA and UA of bootstrap samples of the speakers; the same seed gives the same samples.

    Args:
        tallies: of one test set, each scored on the same samples.

    Returns:
        WA and UA of each tally, (..., draws) each, and the number of samples drawn again for UA because they lacked an
            emotion; UA is NaN if that exceeds `MOST_REDRAWN`.
    """
    total, generator = tallies[0].total, np.random.default_rng(seed)
    speakers, occurring = len(total), total[:, total.sum(0) > 0]

    def draw(number: int) -> np.ndarray:
        return generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=number).astype(float)

    weights = draw(draws)
    complete, redrawn, most = weights.copy(), 0, MOST_REDRAWN * draws
    while redrawn <= most and (lacking := (complete @ occurring == 0).any(1)).any():
        redrawn += int(lacking.sum())
        complete[lacking] = draw(int(lacking.sum()))
    scores = []
    for counts in tallies:
        wa, ua = counts.drawn(weights)
        if redrawn:
            ua = counts.drawn(complete)[1] if redrawn <= most else np.full_like(ua, np.nan)
        scores.append((wa, ua))
    return scores, redrawn


def redraw_note(redrawn: int, available: bool) -> str:
    """A note on the draws made again for an interval of UA, or why there is none; "" if no draw lacked an emotion."""
    if not redrawn:
        return ""
    if available:
        return f"UA: {redrawn:,} draws of speakers lacked an emotion of the test set and were drawn again."
    return (
        "UA: no interval, because too many draws of speakers lack an emotion of the test set (few speakers have it; at "
        f"most {100 * MOST_REDRAWN:.0f} % of the draws are drawn again)."
    )


def sign_flips(units: str, first: Tally, second: Tally, seed: int) -> dict[str, float]:
    """p-values of WA and UA by swapping the predictions of whole units between two results.

    Args:
        units: "speakers" or "sessions", for the names of the tests.
        first: counts of one result.
        second: counts of the other, on the same utterances.
        seed: of the sample, if there are too many swaps to enumerate.

    Returns:
        The share of swaps whose pooled difference is at least as large as the observed one, by name of the test.
    """
    # Contribution of each unit to the two differences, which are sums over units since the totals are equal.
    gained, total = second.correct - first.correct, first.total.sum(0)
    gains = {"WA": gained.sum(1) / total.sum(), "UA": (gained[:, total > 0] / total[total > 0]).mean(1)}
    return {f"sign-flip over {units} ({score})": _sign_flip(each, seed) for score, each in gains.items()}


def _sign_flip(gains: np.ndarray, seed: int) -> float:
    units, observed = len(gains), abs(gains.sum()) - EXACT
    if units <= MOST_ENUMERATED:
        signs = np.array(list(product((-1, 1), repeat=units)))
        return float((np.abs(signs @ gains) >= observed).mean())
    signs = np.random.default_rng(seed).choice((-1, 1), size=(2**MOST_ENUMERATED, units))
    # The observed difference is counted as part of the sample, so that no p-value is zero.
    return float(((np.abs(signs @ gains) >= observed).sum() + 1) / (len(signs) + 1))


def check_same_test_set(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Refuse two predictions tables of different utterances, or with different labels.

    Raises:
        InputError: with the number of utterances that differ.
    """
    names = [set(table.utterance) for table in (first, second)]
    if names[0] != names[1]:
        alone = len(names[0] - names[1]), len(names[1] - names[0])
        raise InputError(
            f"the test sets differ: {alone[0]} of {len(names[0])} utterances are only in the first result, {alone[1]} "
            f"of {len(names[1])} only in the second; --unpaired compares them as results of different test sets"
        )
    labels = [table.drop_duplicates("utterance").set_index("utterance") for table in (first, second)]
    for column in ("emotion", "speaker", "session"):
        if not all(column in table for table in labels):
            continue  # sessions are optional
        other = labels[1][column].reindex(labels[0].index)
        if (different := labels[0][column].astype(str) != other.astype(str)).any():
            raise InputError(
                f"{different.sum()} of {len(different)} utterances have another {column} in the second result, first "
                f"{different.idxmax()}: the results were not made from the same labels"
            )


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless the number is 1.

    Example:
        >>> counted(1, "speaker"), counted(10, "speaker")
        ('1 speaker', '10 speakers')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
