"""Without a gradient a batch is convolved part by part; its posteriors do not change."""

import pytest
import torch

from ser.audio.frames import num_frames, num_samples
from ser.networks.convolutions import REACH
from ser.networks.spectrogram import NUM_BINS
from ser.systems import SYSTEMS
from ser.systems import system as module
from tests.made_up.systems import SMALL, build
from tests.made_up.waveforms import speech_like

FRAMES = (200, 180, 90, 60, 60)


@pytest.fixture(params=SYSTEMS)
def system(request):
    torch.manual_seed(1)
    return SYSTEMS[request.param]()


@pytest.fixture(params=SMALL)
def small_system(request):
    return build(request.param)


@pytest.fixture
def batch():
    lengths = torch.tensor([num_samples(frames) for frames in FRAMES])
    waveform = torch.rand(len(lengths), int(lengths.max()), generator=torch.Generator().manual_seed(2)) - 0.5
    return waveform, lengths


@pytest.fixture
def convolved(system):
    """Batch sizes that the convolutions receive."""
    sizes = []
    system.convolutions.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    return sizes


def of_speakers() -> torch.Tensor:
    """Statistics of each utterance, all different."""
    mean = torch.linspace(-6, -3, len(FRAMES))[:, None, None].expand(-1, 1, NUM_BINS)
    return torch.cat([mean, mean.abs()], dim=1)


@pytest.mark.parametrize("statistics", [None, of_speakers()], ids=["own", "of speakers"])
def test_its_parts_have_the_posteriors_of_the_batch(system, batch, convolved, statistics, monkeypatch):
    answers = {}
    for frames in (10**6, 400, 200):
        monkeypatch.setattr(module, "CONVOLVED_FRAMES", frames)
        answers[frames] = system.branch_posteriors(*batch, statistics)
    assert convolved == [5, 2, 2, 1, 1, 1, 1, 1, 1]
    for name, posterior in answers[10**6].items():
        assert posterior.std(0).min() > 0
        assert torch.equal(answers[400][name], posterior)
        assert torch.equal(answers[200][name], posterior)


def test_pieces_of_40_seconds_have_the_posterior_of_the_whole(small_system, monkeypatch):
    widths, answers = [], {}
    small_system.convolutions.register_forward_pre_hook(lambda _, given: widths.append(given[0].shape[-1]))
    waveform = speech_like(640_000, torch.Generator().manual_seed(3))[None]
    for frames in (10**6, module.CONVOLVED_FRAMES):
        monkeypatch.setattr(module, "CONVOLVED_FRAMES", frames)
        answers[frames] = small_system.branch_posteriors(waveform, torch.tensor([640_000]))
    assert widths == [3997, 1504 + REACH, REACH + 1504 + REACH, REACH + 3997 - 2 * 1504]
    for name, posterior in answers[10**6].items():
        torch.testing.assert_close(answers[1504][name], posterior, rtol=0, atol=1e-5)


def test_18_seconds_of_audio_are_not_convolved_at_once(system, batch, convolved):
    waveform, lengths = batch
    waveform, lengths = waveform[:1].expand(9, -1), lengths[:1].expand(9)
    system.posterior(waveform, lengths)
    assert max(convolved) * num_frames(waveform.shape[1]) <= module.CONVOLVED_FRAMES
    convolved.clear()
    system.logits(waveform, lengths)
    assert convolved == [9], "a training step is one part"
