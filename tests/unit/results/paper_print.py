"""The paper's printed percentages, and a search for the integers that give them.

`ser.results.paper` has the recovered numbers. The counts of IEMOCAP were read from its public label lists.
"""

from itertools import product
from math import ceil, floor

from ser.results.paper import HALF_COUNTS, TEST_HALVES, Counts, row_sums

Percentages = tuple[float, ...]

# Table 2, CNN_SeqCap, and Table 3, CNN_RecCap: rows actual, columns predicted; neutral, angry, happy, sad.
TABLE_2: tuple[Percentages, ...] = (
    (84.22, 5.26, 0.58, 9.94),
    (29.03, 68.39, 0.00, 2.58),
    (73.75, 18.64, 1.69, 5.92),
    (26.90, 0.29, 0.29, 72.52),
)
TABLE_3: tuple[Percentages, ...] = (
    (83.85, 2.92, 3.11, 10.12),
    (34.06, 59.42, 2.17, 4.35),
    (76.19, 5.56, 11.90, 6.35),
    (19.29, 1.93, 1.29, 77.49),
)
# Allowed distance of a printed percentage from its ratio, in points: two decimals round by at most 0.005. Four cells
# of Table 2 (84.22, 73.75, 5.92, 72.52) were adjusted so that its rows sum to 100.
TOLERANCE_2 = 0.025
TOLERANCE_3 = 0.005

# IEMOCAP, improvised dialogs, sessions 1 to 5 by speaker, the letter of the name's last field (Ses01F_impro01_M003).
SPEAKER_COUNTS: dict[str, tuple[Counts, ...]] = {
    "F": ((119, 37, 18, 43), (90, 7, 25, 63), (95, 22, 39, 108), (51, 47, 10, 41), (151, 18, 56, 73)),
    "M": ((104, 25, 15, 61), (127, 15, 29, 37), (103, 68, 21, 82), (123, 37, 21, 40), (136, 13, 50, 60)),
}
CORPUS_COUNTS: Counts = (1099, 289, 284, 608)
# Measured on the audio of these 2280 utterances; they cannot be derived here.
DURATIONS = {"hours": 2.78, "mean_seconds": 4.38, "median_seconds": 3.49, "min_seconds": 0.73, "max_seconds": 29.13}
UTTERANCES_UNDER_2_SECONDS = 434
SEGMENTS = 6080  # approximate; segments of at most 200 frames (2 s)


def fitting_counts(percentages: Percentages, tolerance: float, at_most: int) -> dict[int, list[Counts]]:
    """Integers whose percentages are those of a printed row.

    Args:
        percentages: a row of a confusion matrix.
        tolerance: allowed distance of every cell, points.
        at_most: largest row total to try.

    Returns:
        For each possible total, in ascending order, every row of counts with this total.

    Example:
        >>> fitting_counts((33.33, 66.67), tolerance=0.005, at_most=6)
        {3: [(1, 2)], 6: [(2, 4)]}
    """
    slack = tolerance + 1e-9  # 0.005 itself is allowed, although its binary fraction can exceed it
    fits = {}
    for total in range(1, at_most + 1):
        lowest = [max(ceil(total * (share - slack) / 100), 0) for share in percentages]
        highest = [floor(total * (share + slack) / 100) for share in percentages]
        cells = [range(low, high + 1) for low, high in zip(lowest, highest, strict=True)]
        if rows := [row for row in product(*cells) if sum(row) == total]:
            fits[total] = rows
    return fits


def fitting_matrices(
    table: tuple[Percentages, ...], tolerance: float, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS
) -> dict[str, list[tuple[Counts, ...]]]:
    """Choices of halves, of 32, that can give a printed confusion matrix, with the counts.

    Args:
        table: percentages, rows actual.
        tolerance: allowed distance of every cell, points.
        counts: utterances by dialog half, or by speaker.

    Returns:
        For each possible choice of halves, every matrix with its row sums and the printed percentages.
    """
    sums = {halves: row_sums(halves, counts) for halves in TEST_HALVES}
    largest = max(max(row) for row in sums.values())
    fits = [fitting_counts(row, tolerance, largest) for row in table]
    fitting = {}
    for halves, totals in sums.items():
        rows = [of_row.get(total, []) for of_row, total in zip(fits, totals, strict=True)]
        if all(rows):
            fitting[halves] = list(product(*rows))
    return fitting


def distance(halves: str, totals: Counts, counts: dict[str, tuple[Counts, ...]] = HALF_COUNTS) -> int:
    """Difference between the row sums of a choice of halves and those of a matrix, in utterances over all emotions."""
    return sum(abs(found - wanted) for found, wanted in zip(row_sums(halves, counts), totals, strict=True))
