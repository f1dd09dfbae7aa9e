"""The spectrogram against SciPy, pure tones and its own segments."""

import numpy as np
import pytest
import scipy.signal
import torch

from ser.audio.frames import num_frames, num_samples
from ser.errors import InputError
from ser.networks.spectrogram import NUM_BINS, Moments, Spectrogram, Standardisation


def test_equals_scipy():
    waveform = np.random.default_rng(0).normal(size=16_000) * 0.1
    window = scipy.signal.get_window("hann", 640)
    transform = scipy.signal.ShortTimeFFT(window, hop=160, fs=16_000, mfft=1600, scale_to=None)
    expected = np.abs(transform.stft(waveform, p0=2, p1=2 + num_frames(16_000), k_offset=0))[:NUM_BINS]
    found = Spectrogram("linear").double()(torch.from_numpy(waveform)[None])[0].numpy()
    assert found.shape == (512, 97)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for level in (1, 1e-5):  # values of the quieter noise are on both sides of the floor
        logarithm = Spectrogram("log").double()(torch.from_numpy(level * waveform)[None])[0].numpy()
        np.testing.assert_allclose(logarithm, np.log(np.maximum(level * expected, 1e-5)), rtol=1e-5, atol=1e-5)
    assert 0.2 < (level * expected < 1e-5).mean() < 0.8


def test_a_frame_is_the_dft_of_its_own_640_samples():
    waveform = np.random.default_rng(1).normal(size=4000)
    found = Spectrogram("linear").double()(torch.from_numpy(waveform)[None])[0]
    for t in (0, 7, num_frames(4000) - 1):
        frame = waveform[160 * t : 160 * t + 640] * scipy.signal.get_window("hann", 640)
        # The window is stored in float32: 640 products, each with an error of up to 6e-8 of about 1.
        np.testing.assert_allclose(found[:, t], np.abs(np.fft.rfft(frame, 1600))[:512], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("hertz", [1000, 500, 4990])
def test_a_tone_peaks_in_its_10_hz_bin(hertz):
    tone = torch.sin(2 * torch.pi * hertz * torch.arange(8000, dtype=torch.float64) / 16_000)
    assert (Spectrogram("linear").double()(tone[None])[0].argmax(0) == hertz // 10).float().mean() > 0.9


@pytest.mark.parametrize("first", [0, 200, 400, 137])
def test_200_frames_cut_from_the_waveform_equal_200_frames_cut_from_the_spectrogram(first):
    waveform = torch.randn(3, 16_000 * 7) * 0.1
    whole = Spectrogram()(waveform)
    start = 160 * first
    assert torch.equal(Spectrogram()(waveform[:, start : start + num_samples(200)]), whole[..., first : first + 200])


@pytest.mark.parametrize("samples", [640, 799, 800, 32_479, 32_480, 960_000])
def test_frame_counts(samples):
    assert Spectrogram()(torch.zeros(1, samples)).shape[-1] == num_frames(samples)
    assert num_samples(num_frames(samples)) <= samples < num_samples(num_frames(samples) + 1)


def test_digital_silence_is_finite():
    assert torch.isfinite(Spectrogram()(torch.zeros(1, 1000))).all()


def test_moments_equal_numpy_and_do_not_depend_on_the_order():
    pieces = [torch.randn(NUM_BINS, n) * 3 + 5 for n in (1, 20, 7)]
    moments, backwards = Moments(), Moments()
    for piece, other in zip(pieces, reversed(pieces), strict=True):
        moments.add(piece)
        backwards.add(other)
    everything = torch.cat(pieces, dim=1).numpy().astype(np.float64)
    np.testing.assert_allclose(moments.statistics(), [everything.mean(1), everything.std(1)], rtol=1e-5)
    torch.testing.assert_close(moments.statistics(), backwards.statistics())


def test_no_frames_no_statistics():
    with pytest.raises(InputError, match="no audio"):
        Moments().statistics()


@pytest.mark.parametrize("per", ["bin", "scalar"])
def test_standardised_training_data_has_zero_mean_and_unit_variance(per):
    data = torch.randn(1, NUM_BINS, 400) * torch.linspace(0.5, 3, NUM_BINS)[:, None] + torch.arange(NUM_BINS)[:, None]
    moments = Moments()
    moments.add(data[0])
    layer = Standardisation(per)
    layer.statistics.copy_(moments.statistics())
    standardised = layer(data)
    over = (0, 2) if per == "bin" else (0, 1, 2)
    torch.testing.assert_close(standardised.mean(over), torch.zeros_like(standardised.mean(over)), atol=1e-3, rtol=0)
    deviation = standardised.std(over, correction=0)
    torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=1e-3, rtol=0)
    given = torch.stack([moments.statistics()] * 1)
    torch.testing.assert_close(Standardisation(per)(data, given), standardised)


@pytest.mark.parametrize(
    ("deviation", "divisor"), [(2.0, 2.0), (0.003, 0.003), (2e-5, 2e-5), (1e-6, 1e-5), (0.0, 1e-5)]
)
def test_a_bin_is_divided_by_its_own_deviation_but_never_by_zero(deviation, divisor):
    """A bin with small variance is scaled to unit variance too."""
    layer = Standardisation()
    layer.statistics[0], layer.statistics[1] = 3, deviation
    values = torch.tensor([3.0, 3.5, 1.0])
    torch.testing.assert_close(layer(values.expand(1, NUM_BINS, 3))[0, 7], (values - 3) / divisor)


@pytest.mark.parametrize(("make", "words"), [(Spectrogram, "magnitude"), (Standardisation, "per")])
def test_unknown_options_are_refused(make, words):
    with pytest.raises(InputError, match=f"{words} is 'x', but must be"):
        make("x")
