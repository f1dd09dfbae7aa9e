"""Mean and deviation of the spectrogram over the training set, the corpus, or each speaker."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ser.data.datamodule import EmotionData
from ser.networks.spectrogram import Moments


def measure(data: EmotionData, spectrogram: Callable[[Tensor], Tensor]) -> Tensor:
    """Statistics of the spectrogram over the training set (or the corpus), (2, bins).

    With `statistics: speaker`, batches of `data` from then on also contain the statistics of their speakers.

    Args:
        data: after its `setup`.
        spectrogram: (1, samples) -> (1, bins, frames).
    """
    everything = np.flatnonzero(data.utterances.set != "")
    speakers = data.utterances.speaker.where(data.utterances.set != "")
    groups = list(data.utterances.groupby(speakers).indices.values()) if data.statistics == "speaker" else []
    groups.append(everything if data.statistics == "corpus" else np.flatnonzero(data.utterances.set == "train"))
    found = []
    with tqdm(total=sum(map(len, groups)), desc="statistics", leave=False, disable=None) as bar:
        for rows in groups:
            moments = Moments()
            for row in rows:
                moments.add(spectrogram(torch.from_numpy(data.waveforms.read(int(row)))[None])[0])
                bar.update()
            found.append(moments.statistics())
    if data.statistics == "speaker":
        by_row = torch.zeros(len(data.utterances), *found[-1].shape)
        for rows, statistics in zip(groups[:-1], found[:-1], strict=True):
            by_row[rows] = statistics
        for fold in (data, *data.others):
            for pieces in fold.pieces.values():
                pieces.statistics = by_row
    return found[-1]
