"""WA and UA, both from one confusion matrix (rows: actual, columns: predicted)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from ser.emotions import IGNORED


def recalls(confusion) -> Tensor:
    """Recall of each emotion, (emotions,); NaN for an emotion without utterances."""
    confusion = torch.as_tensor(confusion, dtype=torch.float64)
    return confusion.diagonal() / confusion.sum(dim=1)


def weighted_accuracy(confusion) -> Tensor:
    """WA: the accuracy of all utterances, float64 in [0, 1]; NaN if the matrix is empty.

    Example:
        >>> weighted_accuracy([[3, 1], [0, 4]]).item()
        0.875

    Source:
        Wu et al. (2019), section 4.1.
    """
    confusion = torch.as_tensor(confusion, dtype=torch.float64)
    return confusion.trace() / confusion.sum()


def unweighted_accuracy(confusion) -> Tensor:
    """UA: the mean of the recalls of the emotions that occur, float64 in [0, 1]; NaN if the matrix is empty.

    Example:
        >>> unweighted_accuracy([[3, 1], [0, 2]]).item()
        0.875

    Source:
        Wu et al. (2019), section 4.1; scikit-learn's balanced accuracy.
    """
    return recalls(confusion).nanmean()


class EmotionScores(MulticlassConfusionMatrix):
    """WA, UA and the recall of each emotion; the only state is the confusion matrix, which is summed over processes."""

    def __init__(self, emotions: Sequence[str]) -> None:
        super().__init__(num_classes=len(emotions), ignore_index=IGNORED)
        self.emotions = tuple(emotions)

    def compute(self) -> dict[str, Tensor]:
        """`wa`, `ua` and `recall/<emotion>` for the emotions that occur."""
        shares = {f"recall/{name}": share for name, share in zip(self.emotions, recalls(self.confmat), strict=True)}
        occurring = {name: share for name, share in shares.items() if not share.isnan()}
        return {"wa": weighted_accuracy(self.confmat), "ua": unweighted_accuracy(self.confmat), **occurring}
