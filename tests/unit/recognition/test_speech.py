"""Where a recording has speech, against a loop over frames, and by Silero's own function."""

import sys

import numpy as np
import pytest
import torch

import ser.audio.sound
from ser.errors import InputError
from ser.recognition.speech import by_energy, by_silero, joined
from tests.made_up.recognisers import sound_of


def loop(levels, threshold_db, seconds):
    """Frames of runs of three above the threshold, pauses of less than 0.3 s filled."""
    runs = [min(levels[place : place + 3]) for place in range(len(levels) - 2)]
    threshold = max(runs, default=0) * 10 ** (-threshold_db / 10)
    loud = {place + shift for place, level in enumerate(runs) if level > threshold for shift in range(3)}
    found = []
    for frame in sorted(loud):
        if found and frame - found[-1][1] < 30:
            found[-1][1] = frame + 1
        else:
            found.append([frame, frame + 1])
    return [(first / 100, seconds if last == len(levels) else last / 100) for first, last in found]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("threshold_db", [15, 40])
def test_speech_by_energy_is_that_of_a_loop(seed, threshold_db):
    random = np.random.default_rng(seed)
    levels = np.repeat(random.choice([0, 1e-5, 1e-3, 0.5, 1], 40), random.integers(1, 50, 40)).astype(float)
    seconds = len(levels) / 100 + 0.004
    assert by_energy(levels, threshold_db, seconds) == loop(levels, threshold_db, seconds)


@pytest.mark.parametrize("levels", [[], [1.0], [1.0, 1.0], [0.0] * 50])
def test_nothing_to_hear(levels):
    assert by_energy(np.array(levels), 40, 0.5) == []


@pytest.mark.parametrize(("pause", "number"), [(29, 1), (30, 2)])
def test_a_pause_of_less_than_0_3_seconds_belongs_to_the_speech(pause, number):
    levels = np.array([1.0] * 20 + [0.0] * pause + [1.0] * 20)
    assert len(by_energy(levels, 40, len(levels) / 100)) == number
    assert len(joined([(0.0, 1.0), (1 + pause / 100 + 1e-9, 2.0)])) == number


@pytest.fixture(scope="module")
def spoken():
    """Buzzes like vowels between silence: a pulse train through three resonators."""
    random = np.random.default_rng(0)
    time = np.arange(16_000 * 2) / 16_000
    pitch = np.cumsum(120 + 20 * np.sin(2 * np.pi * 3 * time)) / 16_000
    pulses = (np.diff(np.floor(pitch), prepend=0) > 0).astype(float)
    from scipy.signal import lfilter

    for formant, width in ((700, 80), (1200, 90), (2600, 120)):
        radius = np.exp(-np.pi * width / 16_000)
        pulses = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * formant / 16_000), radius**2], pulses)
    buzz = 0.4 * pulses / np.abs(pulses).max() * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    quiet = random.normal(0, 1e-4, 16_000 * 3)
    return np.concatenate([quiet, buzz, quiet, buzz, buzz]).astype(np.float32)


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_silero_finds_what_its_own_iterator_finds_in_the_whole(spoken, monkeypatch):
    """Read in pieces of any size, and from the intervals of its own function."""
    silero = pytest.importorskip("silero_vad")
    monkeypatch.setattr(ser.audio.sound, "_PIECE_SAMPLES", 512 * 20)
    found = by_silero(sound_of(spoken))
    samples = torch.from_numpy(sound_of(spoken).read())
    iterator, events = silero.VADIterator(silero.load_silero_vad(), min_silence_duration_ms=300), []
    for start in range(0, len(samples), 512):
        step = samples[start : start + 512]
        events += (iterator(torch.nn.functional.pad(step, (0, 512 - len(step)))) or {}).items()
    times = [min(value / 16_000, len(samples) / 16_000) for _, value in events]
    times += [len(samples) / 16_000] * (len(times) % 2)
    expected = joined(list(zip(times[::2], times[1::2], strict=True)))
    assert found == expected
    assert len(found) > 1, "it hears something"
    (start, end), *_ = found
    middle = round(16_000 * (start + end) / 2)
    assert by_silero(sound_of(spoken[:middle])) == [(start, middle / 16_000)], "speech until the end"
    monkeypatch.setattr(ser.audio.sound, "_PIECE_SAMPLES", 512 * 7)
    assert by_silero(sound_of(spoken)) == found
    assert by_silero(sound_of(np.zeros(32_000))) == []


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_silero_leaves_the_number_of_threads(spoken, monkeypatch):
    pytest.importorskip("silero_vad")
    for name in [name for name in sys.modules if name.startswith("silero_vad")]:
        monkeypatch.delitem(sys.modules, name)  # its first import sets the number
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        by_silero(sound_of(spoken[:8_000]))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_without_silero(monkeypatch):
    monkeypatch.setitem(sys.modules, "silero_vad", None)
    with pytest.raises(InputError, match=r"silence silero needs silero-vad: pip install 'ser\[vad\]'"):
        by_silero(sound_of(np.zeros(1_000)))
