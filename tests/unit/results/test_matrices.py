"""Comparisons of two confusion matrices, against closed forms and published formulas."""

import numpy as np
import pytest
from scipy import stats

from ser.results.matrices import compare_matrices
from ser.results.paper import RECCAP_CONFUSION, SEQCAP_CONFUSION


def test_the_papers_systems_differ_by_noise():
    found = compare_matrices(SEQCAP_CONFUSION, RECCAP_CONFUSION)
    assert not found.paired
    assert min(found.p_values.values()) > 0.4
    assert found.wa_difference == pytest.approx(769 / 1089 - 788 / 1128)
    table = [[788, 1128 - 788], [769, 1089 - 769]]
    pearson = stats.chi2_contingency(table, correction=False)
    assert found.p_values["two-proportion z, unpaired (WA)"] == pytest.approx(pearson.pvalue)
    shares = [[row[i] / sum(row) for i, row in enumerate(matrix)] for matrix in (SEQCAP_CONFUSION, RECCAP_CONFUSION)]
    totals = [list(map(sum, matrix)) for matrix in (SEQCAP_CONFUSION, RECCAP_CONFUSION)]
    variance = sum(
        p * (1 - p) / n / 16 for side in zip(shares, totals, strict=True) for p, n in zip(*side, strict=True)
    )
    z = (np.mean(shares[1]) - np.mean(shares[0])) / np.sqrt(variance)
    assert found.p_values["normal, unpaired (UA)"] == pytest.approx(2 * stats.norm.sf(z))
    for (low, high), middle in ((found.wa_interval, found.wa_difference), (found.ua_interval, found.ua_difference)):
        assert low < 0 < middle < high


def wilson(correct, total):
    """Wilson's limits of a proportion by his formula, with the proportion between them."""
    z, share = stats.norm.ppf(0.975), correct / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return middle - reach, share, middle + reach


def mean_of(shares):
    """The limits of a mean of independent proportions: distances combine in quadrature (Zou and Donner, 2008)."""
    middle, size = sum(share for _, share, _ in shares) / len(shares), len(shares)
    below = np.sqrt(sum((share - low) ** 2 for low, share, _ in shares)) / size
    above = np.sqrt(sum((high - share) ** 2 for _, share, high in shares)) / size
    return middle - below, middle, middle + above


def newcombe(first, second):
    """The limits of second minus first: Newcombe (1998), method 10."""
    (low_1, share_1, high_1), (low_2, share_2, high_2) = first, second
    low = share_2 - share_1 - np.sqrt((share_2 - low_2) ** 2 + (high_1 - share_1) ** 2)
    return low, share_2 - share_1 + np.sqrt((high_2 - share_2) ** 2 + (share_1 - low_1) ** 2)


SURE = ((19, 1, 0, 0), (0, 9, 0, 0), (0, 0, 0, 0), (1, 0, 0, 3))  # few utterances, nearly all correct, none of happy
POOR = ((2, 5, 1, 0), (3, 1, 0, 3), (4, 0, 2, 0), (5, 0, 0, 0))


@pytest.mark.parametrize(
    ("first", "second"), [(SEQCAP_CONFUSION, RECCAP_CONFUSION), (SURE, POOR), (POOR, SURE), (SURE, SEQCAP_CONFUSION)]
)
def test_intervals_between_matrices_are_newcombes(first, second):
    found = compare_matrices(first, second)
    sides = [[(row[place], sum(row)) for place, row in enumerate(matrix) if sum(row)] for matrix in (first, second)]
    was = [wilson(*map(sum, zip(*rows, strict=True))) for rows in sides]
    uas = [mean_of([wilson(*row) for row in rows]) for rows in sides]
    assert found.wa_interval == pytest.approx(newcombe(*was))
    assert found.ua_interval == pytest.approx(newcombe(*uas))
    assert found.wa_difference == pytest.approx(was[1][1] - was[0][1])
    assert found.ua_difference == pytest.approx(uas[1][1] - uas[0][1])
    if (first, second) != (SEQCAP_CONFUSION, RECCAP_CONFUSION):
        below, above = (abs(limit - found.wa_difference) for limit in found.wa_interval)
        assert max(below, above) > 1.1 * min(below, above), "swapped limits would differ"


def test_the_test_between_matrices_of_very_different_sizes():
    """Fisher's z with the pooled proportion is Pearson's chi-squared."""
    found = compare_matrices(SEQCAP_CONFUSION, POOR).p_values["two-proportion z, unpaired (WA)"]
    pearson = stats.chi2_contingency([[788, 1128 - 788], [5, 26 - 5]], correction=False)
    assert found == pytest.approx(pearson.pvalue)


def test_matrices_that_are_alike_or_exchanged():
    alike = compare_matrices(SEQCAP_CONFUSION, SEQCAP_CONFUSION)
    assert set(alike.p_values.values()) == {1.0}
    one, other = (
        compare_matrices(SEQCAP_CONFUSION, RECCAP_CONFUSION),
        compare_matrices(RECCAP_CONFUSION, SEQCAP_CONFUSION),
    )
    assert one.p_values == pytest.approx(other.p_values)
    assert one.ua_interval == pytest.approx(tuple(-limit for limit in other.ua_interval[::-1]))
    assert set(compare_matrices(np.eye(4, dtype=int), np.eye(4, dtype=int)).p_values.values()) == {1.0}
    assert max(compare_matrices(500 * np.eye(4, dtype=int), np.full((4, 4), 50)).p_values.values()) < 1e-6
