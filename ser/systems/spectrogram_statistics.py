"""Whose audio standardises the spectrogram: its statistics over a training set, a corpus, or each speaker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ser.data.datamodule import EmotionData
from ser.networks.spectrogram import Moments


def measure(data: EmotionData, spectrogram: Callable[[Tensor], Tensor]) -> Tensor:
    """Statistics of the spectrogram over the training set (or the corpus), (2, bins).

    With `statistics: speaker` every batch of the data also gets those of its speakers from here on.

    Args:
        data: after its `setup`.
        spectrogram: (1, samples) -> (1, bins, frames).
    """
    groups: dict[str, np.ndarray] = {}
    if data.statistics == "speaker":
        for speaker, rows in data.utterances.groupby("speaker").indices.items():
            groups[str(speaker)] = rows
    everything = np.arange(len(data.utterances))
    groups[""] = everything if data.statistics == "corpus" else np.flatnonzero(data.utterances.set == "train")
    by_row = torch.empty(0)
    with tqdm(total=sum(map(len, groups.values())), desc="statistics", leave=False, disable=None) as bar:
        for name, rows in groups.items():
            moments = Moments()
            for row in rows:
                moments.add(spectrogram(torch.from_numpy(data.waveforms.read(int(row)))[None])[0])
                bar.update()
            result = moments.statistics()
            if name:
                by_row = by_row if len(by_row) else result.new_zeros(len(data.utterances), *result.shape)
                by_row[torch.from_numpy(rows)] = result
    if data.statistics == "speaker":
        for pieces in data.pieces.values():
            pieces.statistics = by_row
    return result
