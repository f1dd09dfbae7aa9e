"""Intervals and tests from confusion matrices, for results whose speakers are unknown."""

import numpy as np
from scipy import stats

from ser.errors import InputError
from ser.results.speaker_counts import CONFIDENCE, EXACT, Interval
from ser.results.statistics import Comparison


def wilson_interval(correct: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share of independent utterances.

    Raises:
        InputError: if there are no utterances, or more are correct than there are.
    """
    if not 0 <= correct <= total or total == 0:
        raise InputError(f"{correct} correct of {total} utterances is not a share between 0 and 1")
    interval = stats.binomtest(int(correct), int(total)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def multinomial_ua_interval(confusion, confidence: float = CONFIDENCE) -> Interval:
    """Interval of UA from a confusion matrix whose rows are independent multinomials, so that recalls are independent.

    The Wilson limits of the recalls are combined by adding squared distances (Zou and Donner's MOVER). For many
    utterances this is the normal interval with variance sum of p (1 - p) / n over the squared number of rows; it never
    leaves [0, 1].

    Args:
        confusion: counts, (emotions, emotions), rows actual; rows without utterances are ignored.

    Raises:
        InputError: if the matrix is empty.
    """
    correct, total = _rows(confusion)
    limits = np.array([wilson_interval(*row, confidence) for row in zip(correct, total, strict=True)])
    apart = np.sqrt(((limits - (correct / total)[:, None]) ** 2).sum(0)) / len(total)
    ua = float((correct / total).mean())
    return ua - float(apart[0]), ua + float(apart[1])


def compare_matrices(first, second) -> Comparison:
    """Compare two confusion matrices of different test sets and unknown speakers, such as the paper's Tables 2 and 3.

    WA: two-proportion z-test with the pooled share. UA: normal test, rows being independent multinomials. Intervals
    of the differences are combined from Wilson's as in `multinomial_ua_interval`.

    Args:
        first: counts, (emotions, emotions), rows actual.
        second: the same.

    Raises:
        InputError: if a matrix is empty.
    """
    rows = [_rows(matrix) for matrix in (first, second)]
    hits, sizes = ([int(counts[place].sum()) for counts in rows] for place in (0, 1))
    was, uas = [hits[0] / sizes[0], hits[1] / sizes[1]], [(correct / total).mean() for correct, total in rows]
    pooled = sum(hits) / sum(sizes)
    wa_variance = pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1])
    ua_variance = sum((c / n * (1 - c / n) / n).sum() / len(n) ** 2 for c, n in rows)
    wa_limits = [wilson_interval(*pair) for pair in zip(hits, sizes, strict=True)]
    ua_limits = [multinomial_ua_interval(matrix) for matrix in (first, second)]
    return Comparison(
        paired=False,
        wa_difference=was[1] - was[0],
        ua_difference=float(uas[1] - uas[0]),
        wa_interval=_difference_interval(was, wa_limits),
        ua_interval=_difference_interval(uas, ua_limits),
        p_values={
            "two-proportion z, unpaired (WA)": _normal(was[1] - was[0], wa_variance),
            "normal, unpaired (UA)": _normal(uas[1] - uas[0], ua_variance),
        },
        caution=(
            f"Unpaired: matrices of two test sets ({sizes[0]} and {sizes[1]} utterances). Utterances are assumed to be "
            "independent, but those of one speaker are not: true intervals are wider and p-values larger."
        ),
    )


def _normal(difference: float, variance: float) -> float:
    if variance < EXACT**2:
        return 1.0 if abs(difference) < EXACT else 0.0
    return float(2 * stats.norm.sf(abs(difference) / np.sqrt(variance)))


def _difference_interval(shares: list[float], limits: list[Interval]) -> Interval:
    (first, second), ((low_1, high_1), (low_2, high_2)) = shares, limits
    difference = second - first
    below, above = np.hypot(second - low_2, high_1 - first), np.hypot(high_2 - second, first - low_1)
    return float(difference - below), float(difference + above)


def _rows(confusion) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.asarray(confusion)
    total = matrix.sum(1)
    if not total.any():
        raise InputError("the confusion matrix is empty")
    return matrix.diagonal()[total > 0], total[total > 0]
