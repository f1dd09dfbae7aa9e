"""Recordings between faint noise are answered as without it if silence is trimmed, and otherwise if it is not."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from benchmarks.silence import padded
from ser.audio.silence import Trim, trimmed
from ser.networks.spectrogram import Moments
from tests.made_up.systems import build
from tests.made_up.waveforms import batch_of


def without_silence(speech):
    start, stop = trimmed(speech, Trim(margin_seconds=0))
    return speech[start:stop]


@pytest.mark.emodb
@pytest.mark.skipif("EMODB_ROOT" not in os.environ, reason="EMODB_ROOT is not set: EMO-DB is not included")
def test_emodb_between_faint_noise():
    paths = sorted(Path(os.environ["EMODB_ROOT"]).glob("*.wav"))[::32]
    plain = [soundfile.read(path, dtype="int16")[0] for path in paths]
    longer = [padded(speech, 16_000, seed) for seed, speech in enumerate(plain)]
    system, moments = build("CNNGRUSeqCap").eval(), Moments()
    for speech in plain:
        moments.add(system.spectrogram(torch.from_numpy(speech / np.float32(32_768))[None])[0])
    system.standardisation.statistics.copy_(moments.statistics())

    def posterior(recordings, change=lambda speech: speech):
        waveforms = [torch.from_numpy(change(speech / np.float32(32_768))) for speech in recordings]
        return system.posterior(*batch_of(waveforms))

    untrimmed = (posterior(longer) - posterior(plain)).abs().max(dim=1).values
    # Without a margin, whose noise differs from the silence of the recording itself.
    found = (posterior(longer, without_silence) - posterior(plain, without_silence)).abs().max(dim=1).values
    assert untrimmed.median() > 0.01
    # Where the noise moves a soft end across the threshold, the cut is some frames away.
    assert (found < 1e-5).float().mean() > 0.9
    assert found.max() < 0.01
