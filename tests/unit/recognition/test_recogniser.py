"""`ser.load` for use in Python: sources of every kind, and refusals."""

import inspect

import numpy as np
import pytest
import soundfile
import torch

import ser
from ser.errors import InputError
from ser.recognition import recogniser
from ser.recognition.recogniser import Recogniser
from tests.made_up.recognisers import PAPER, ensemble_of, small_system, voice
from tests.slow.faults.hostile_files import sound

ONE = Recogniser(ensemble_of(small_system()))
SAMPLES = voice(1.1)
COLUMNS = [f"p_{name}" for name in PAPER]


def alone(samples):
    """The posterior by the system itself."""
    return ONE.ensemble.system.posterior(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))[0].numpy()


@pytest.fixture
def file(tmp_path):
    soundfile.write(tmp_path / "a.wav", SAMPLES, 16_000, "PCM_16")
    return tmp_path / "a.wav"


def test_a_path_samples_and_a_list_have_the_systems_posterior(file):
    other = voice(0.6, seed=4)
    for source in (file, str(file), (SAMPLES, 16_000), (SAMPLES.astype(float), 16_000), file.parent):
        table = ONE.predict(source)
        assert np.allclose(table[COLUMNS], [alone(SAMPLES)], atol=1e-5)
        assert np.allclose(ONE.posterior(source), alone(SAMPLES), atol=1e-5)
    both = ONE.predict([file, (other, 16_000)])
    assert both.path.tolist() == [str(file), "samples"]
    assert np.allclose(both[COLUMNS], [alone(SAMPLES), alone(other)], atol=1e-5)
    assert np.allclose(ONE.posterior([(other, 16_000), file]), [alone(other), alone(SAMPLES)], atol=1e-5)
    assert ONE.posterior([file]).shape == (1, 4)


def test_integers_and_equal_channels_are_the_same_audio():
    expected = alone(SAMPLES)
    integers = np.rint(SAMPLES * 32_768).astype(np.int16)
    for samples in (
        integers,
        integers.astype(np.int32) * 65_536,
        np.stack([SAMPLES] * 2, axis=1),
        SAMPLES.astype(float),
    ):
        assert np.allclose(ONE.posterior((samples, 16_000)), expected, atol=1e-5)


def test_soundfiles_answer_can_be_given_as_it_is(file):
    assert np.allclose(ONE.posterior(soundfile.read(file)), alone(SAMPLES), atol=1e-5)


def test_two_lists_of_equal_samples_are_two_recordings():
    assert len(ONE.predict([(SAMPLES, 16_000), (SAMPLES, 16_000)])) == 2


def test_what_it_says_of_itself():
    assert ONE.emotions == PAPER
    assert ONE.sample_rate_hz == 16_000
    assert repr(ONE) == "<Recogniser CNNGRUSeqCap: neutral, angry, happy, sad>"
    several = Recogniser(ensemble_of(*[small_system("CNNGRU")] * 3))
    assert repr(several) == "<Recogniser CNNGRU x 3: neutral, angry, happy, sad>"


def test_the_timeline_has_the_options(file):
    found = ONE.timeline(file, window_seconds=0.5, step_seconds=0.25, smoothing=1)
    assert found.windows.start.tolist() == [0, 0.25, 0.5, 0.75]
    assert (found.options.smoothing, found.emotions, found.seconds) == (1, PAPER, 1.1)
    samples = ONE.timeline((SAMPLES, 16_000), window_seconds=0.5, step_seconds=0.25, smoothing=1)
    assert samples.windows.equals(found.windows)
    assert np.allclose(found.windows[COLUMNS].iloc[1], alone(SAMPLES[4_000:12_000]), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ONE.predict(SAMPLES), "samples without their rate cannot be used"),
        (lambda: ONE.predict([SAMPLES, 16_000]), "samples without their rate cannot be used"),
        (lambda: ONE.predict((SAMPLES[None], 16_000)), "transpose them"),
        (lambda: ONE.predict("none.wav"), "none.wav: missing"),
        (lambda: ONE.predict(["none.wav", "neither.wav"]), "neither.wav: missing"),
        (lambda: ONE.timeline("none.wav"), "none.wav: missing"),
        (lambda: ONE.predict((SAMPLES, 16_000), speaker=(SAMPLES, 16_000)), "speaker: this system is not standardised"),
        (
            lambda: ONE.timeline((SAMPLES, 16_000), speaker=(SAMPLES, 16_000)),
            "speaker: this system is not standardised",
        ),
        (lambda: ONE.predict((SAMPLES, 16_000), max_seconds=0.5), "max_seconds is 0.5, but must be at least 1"),
        (lambda: ONE.predict((SAMPLES, 16_000), max_seconds=601), "max_seconds is 601, but must be at most 600"),
        (lambda: ONE.predict((SAMPLES, 16_000), batch_seconds=0), "batch_seconds is 0, but must be greater than 0"),
        (lambda: ONE.timeline((SAMPLES, 16_000), batch_seconds=-1), "batch_seconds is -1,"),
        (lambda: ONE.timeline((SAMPLES, 16_000), smoothing=2), "smoothing is 2"),
        (lambda: ONE.timeline([(SAMPLES, 16_000)] * 2), "timeline takes one"),
        (lambda: ONE.timeline([]), "has 0 recordings; timeline takes one"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_posterior_is_of_one_recording_unless_a_list_is_given(tmp_path, file):
    soundfile.write(tmp_path / "b.wav", SAMPLES, 16_000)
    with pytest.raises(InputError, match="has 2 recordings; posterior takes one, or a list"):
        ONE.posterior(tmp_path)
    assert ONE.posterior([tmp_path]).shape == (2, 4)


def test_a_system_standardised_by_speaker_takes_the_speakers_recordings():
    by_speaker = Recogniser(ensemble_of(small_system("CNNGRU"), per_speaker=True))
    other = voice(2, seed=3)
    system = small_system("CNNGRU")
    frames = system.spectrogram(torch.from_numpy(other)[None])[0]
    statistics = torch.stack([frames.mean(1), frames.std(1, correction=0)])[None]
    expected = system.posterior(torch.from_numpy(SAMPLES)[None], torch.tensor([len(SAMPLES)]), statistics)[0]
    assert np.allclose(by_speaker.posterior((SAMPLES, 16_000), speaker=(other, 16_000)), expected, atol=1e-4)
    with pytest.raises(InputError, match="give --speaker FILE"):
        by_speaker.predict((SAMPLES, 16_000))
    found = by_speaker.timeline((SAMPLES, 16_000), speaker=[(other, 16_000)], window_seconds=60)
    assert np.allclose(found.windows[COLUMNS], expected, atol=1e-4)


def test_load_is_that_of_the_package(tmp_path):
    torch.save(sound(), tmp_path / "a.ckpt")
    loaded = ser.load(str(tmp_path / "a.ckpt"), device="cpu")
    assert isinstance(loaded, Recogniser)
    assert not any(member.system.training for member in loaded.ensemble.members)
    assert list(inspect.signature(ser.load).parameters) == list(inspect.signature(recogniser.load).parameters)
