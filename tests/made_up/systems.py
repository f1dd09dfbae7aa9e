"""The five systems with small layers."""

import pytest
import torch

from ser.networks.spectrogram import Spectrogram
from ser.systems import SYSTEMS
from tests.made_up.waveforms import speech_like

# Half a second has several of these windows; the convolutions are the paper's.
CAPSULES = {"window_steps": 6, "window_shift": 3, "window_kernel": 5, "window_stride": 4, "num_window_convolutions": 2}
CAPSULES |= {"window_capsule_dim": 4, "emo_capsule_dim": 5, "utterance_capsule_dim": 3, "dense_units": 16}
GRU, LSTM = {"gru_units": 8, "dense_units": 16}, {"lstm_units": 8, "dense_units": 16}
SMALL = {
    "CNNGRU": GRU,
    "CNNSeqCap": CAPSULES,
    "CNNRecCap": CAPSULES,
    "CNNGRUSeqCap": CAPSULES | GRU,
    "CNNLSTM": LSTM,
}


def build(name, **options):
    torch.manual_seed(0)
    return SYSTEMS[name](**SMALL[name] | options)


@pytest.fixture(scope="module")
def statistics():
    """Standardisation statistics of a synthetic utterance."""
    spectrogram = Spectrogram()(speech_like(32_000, torch.Generator().manual_seed(1))[None])[0]
    return torch.stack([spectrogram.mean(1), spectrogram.std(1)])


@pytest.fixture(params=SMALL)
def system(request, statistics):
    system = build(request.param).eval()
    system.standardisation.statistics.copy_(statistics)
    return system
