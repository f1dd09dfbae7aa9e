"""Confusion matrices of many runs side by side."""

import numpy as np

from ser.report.page.blocks import Matrices, Matrix
from ser.report.runs.compared_run import ComparedRun

MOST_EMOTIONS = 12  # of a matrix that is small enough to be beside others


def small_matrices(runs: list[ComparedRun]) -> tuple[Matrices | None, list[str]]:
    """Each run's matrix in per cent of the row, and sentences on those that are not shown."""
    shown, large = [], 0
    for row, run in enumerate(runs):
        if (found := run.matrix) is None:
            continue
        part, emotions, counts = found
        if len(emotions) > MOST_EMOTIONS:
            large += 1
            continue
        matrix = np.array(counts)
        totals = matrix.sum(axis=1)
        shares = np.divide(matrix, totals[:, None], out=np.zeros(matrix.shape), where=totals[:, None] > 0)
        percents = [
            [round(100 * share) for share in of_row] if total else None
            for of_row, total in zip(shares.tolist(), totals.tolist(), strict=True)
        ]
        shown.append(Matrix(row, run.name, part, emotions, percents))
    notes = [f"{large} with more than {MOST_EMOTIONS} emotions: see their result.json."] if large else []
    return (Matrices(shown) if shown else None), notes
