"""WA and UA against scikit-learn and the paper's own matrices."""

import pytest
import torch

from ser.emotions import PAPER_EMOTIONS
from ser.systems.metrics import EmotionScores, unweighted_accuracy, weighted_accuracy

# Counts recovered from the percentages of Tables 2 and 3 of Wu et al. (2019).
TABLE_2 = [[432, 27, 3, 51], [45, 106, 0, 4], [87, 22, 2, 7], [92, 1, 1, 248]]
TABLE_3 = [[431, 15, 16, 52], [47, 82, 3, 6], [96, 7, 15, 8], [60, 6, 4, 241]]


@pytest.mark.parametrize(("matrix", "wa", "ua"), [(TABLE_2, 69.86, 56.70), (TABLE_3, 70.62, 58.17)])
def test_the_papers_matrices_give_the_papers_accuracies(matrix, wa, ua):
    # The text prints a UA of 56.70, Table 1 56.71 (the mean of the printed recalls, 56.705): the counts give 56.702.
    assert 100 * weighted_accuracy(matrix).item() == pytest.approx(wa, abs=0.005)
    assert 100 * unweighted_accuracy(matrix).item() == pytest.approx(ua, abs=0.0051)


def test_filler_rows_count_nowhere():
    scores = EmotionScores(PAPER_EMOTIONS)
    scores.update(torch.eye(4), torch.tensor([0, 1, -100, -100]))
    assert scores.confmat.sum() == 2
    assert scores.compute()["wa"] == 1
