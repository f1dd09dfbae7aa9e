"""Posteriors of any batch, of several systems, and the inside of capsule branches, computed by hand."""

import numpy as np
import pytest
import torch

from ser.audio.frames import num_frames
from ser.audio.silence import Trim, trimmed
from ser.errors import InputError
from ser.networks.branches import CapsuleBranch
from ser.networks.capsules import emo_vector, route
from ser.recognition.ensemble import _device
from tests.made_up.recognisers import ensemble_of, small_system, sound_of, voice

LENGTHS = [0.02, 0.04, 0.3, 1.7, 0.31, 0.9]
WAVEFORMS = [voice(seconds, seed=place) for place, seconds in enumerate(LENGTHS)]
NAMES = ["CNNGRU", "CNNSeqCap", "CNNRecCap", "CNNGRUSeqCap", "CNNLSTM"]


def alone(system, samples):
    """The posterior of one utterance, which is padded with silence to an analysis window."""
    padded = np.pad(samples, (0, max(640 - len(samples), 0)))
    return system.posterior(torch.from_numpy(padded)[None], torch.tensor([len(padded)]))[0].numpy()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch_seconds", [0.001, 1, 2.5, 100])
def test_batch_and_order_change_nothing(name, batch_seconds):
    system = small_system(name)
    expected = np.stack([alone(system, samples) for samples in WAVEFORMS])
    order = [3, 0, 5, 1, 4, 2]
    found = ensemble_of(system).posteriors([WAVEFORMS[place] for place in order], batch_seconds)
    assert np.allclose(found.each[0], expected[order], atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3, "the utterances differ"


def test_each_system_answers_for_itself():
    systems = [small_system(seed=seed) for seed in (0, 1, 2)]
    found = ensemble_of(*systems).posteriors(WAVEFORMS, 2)
    for each, system in zip(found.each, systems, strict=True):
        assert np.allclose(each, [alone(system, samples) for samples in WAVEFORMS], atol=1e-5)


def inside(system, samples):
    """Mean length of the window emo-capsules and mean coupling, from the layers of the branch, window by window."""
    waveform = torch.from_numpy(np.pad(samples, (0, max(640 - len(samples), 0))))[None]
    lengths = torch.tensor([waveform.shape[1]])
    with torch.no_grad():
        spectrogram = system.standardisation(system.spectrogram(waveform))
        maps = system.convolutions(spectrogram, num_frames(lengths))
        branch = next(each for each in system.branches.values() if isinstance(each, CapsuleBranch))
        windows, mask = branch.windows(*maps[branch.tap])
        assert mask.all()
        vectors, sizes = [], []
        for window in windows[0]:
            prediction = branch.emo_caps.prediction(branch.window_capsules(window[None]))
            if hasattr(branch.emo_caps, "recurrent_weight"):
                before = vectors[-1] if vectors else torch.zeros(branch.emo_caps.recurrent_weight.shape[-1])
                prediction = prediction + torch.einsum("o,ijdo->ijd", before, branch.emo_caps.recurrent_weight)
            capsules, _ = route(prediction, branch.emo_caps.iterations)
            vectors.append(emo_vector(capsules)[0])
            sizes.append(capsules[0].norm(dim=-1))
        _, coupling = branch.utterance_capsules(torch.stack(vectors)[None], mask)
    return torch.stack(sizes).mean(0).numpy(), coupling[0].mean(0).numpy()


@pytest.mark.parametrize("name", ["CNNSeqCap", "CNNRecCap", "CNNGRUSeqCap"])
def test_lengths_and_coupling_are_those_of_the_layers(name):
    systems = [small_system(name, seed=seed) for seed in (0, 1)]
    by_hand = np.array([[inside(system, samples) for samples in WAVEFORMS] for system in systems]).mean(axis=0)
    found = ensemble_of(*systems).posteriors(WAVEFORMS, 1)
    assert np.allclose(found.lengths, by_hand[:, 0], atol=1e-5)
    assert np.allclose(found.coupling, by_hand[:, 1], atol=1e-5)
    assert np.allclose(found.coupling.sum(axis=1), 1, atol=1e-5)
    assert ((found.lengths >= 0) & (found.lengths < 1)).all()
    assert np.ptp(found.lengths) > 1e-3


def test_nothing_is_left_in_the_branch():
    system = small_system()
    ensemble_of(system).posteriors(WAVEFORMS[:1], 1)
    assert not any(layer._forward_hooks for layer in system.modules())


@pytest.mark.parametrize("name", ["CNNGRU", "CNNLSTM"])
def test_without_capsules_there_are_no_lengths(name):
    ensemble = ensemble_of(small_system(name))
    assert not ensemble.has_capsules
    found = ensemble.posteriors(WAVEFORMS, 1)
    assert found.lengths is None
    assert found.coupling is None


def test_an_utterance_is_standardised_by_its_own_statistics():
    """Twice the deviation in every bin is the same as halving the standardised spectrogram."""
    system = small_system("CNNGRU")
    own = [
        torch.stack([system.standardisation.statistics[0], scale * system.standardisation.statistics[1]])
        for scale in (1, 2, 3)
    ]
    found = ensemble_of(system).posteriors(WAVEFORMS[2:5], 0.4, own)
    for row, statistics in enumerate(own):
        system.standardisation.statistics.copy_(statistics)
        assert np.allclose(found.each[0, row], alone(system, WAVEFORMS[2 + row]), atol=1e-5)


def test_silence_is_cut_off_as_in_training():
    samples = np.concatenate([np.zeros(8_000), voice(1), np.zeros(8_000)]).astype(np.float32)
    sound, trim = sound_of(samples), Trim(30, 0.05)
    kept = ensemble_of(small_system(), trim=trim).heard_part(sound)
    start, stop = trimmed(samples, trim)
    assert start > 0
    assert stop < len(samples)
    assert (kept.read() == samples[start:stop]).all()
    assert ensemble_of(small_system()).heard_part(sound) is sound


def test_less_than_an_analysis_window_is_not_trimmed():
    sound = sound_of(np.concatenate([np.zeros(320), voice(0.018)]))
    assert ensemble_of(small_system(), trim=Trim(30, 0)).heard_part(sound).num_samples == 608


@pytest.mark.parametrize("name", ["nonsense", "cuda:99", "meta", "cpu:x", ""])
def test_a_device_that_cannot_be_used(name):
    with pytest.raises(InputError, match=f"device is '{name}', which cannot be used here") as error:
        _device(name)
    assert "\n" not in str(error.value)


def test_without_a_gpu_the_device_is_the_cpu():
    assert _device("auto") == _device("cpu") == torch.device("cpu")
