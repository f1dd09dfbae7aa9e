"""The timeline of a recording: windows equal audio that is cut out, and boundaries are where the emotion changes."""

import numpy as np
import pytest

import ser.audio.sound
from ser.audio.silence import Trim
from ser.recognition.following import follow
from ser.recognition.predicting import predict
from ser.recognition.stretches import TimelineOptions
from tests.made_up.recognisers import (
    PAPER,
    TONES_HZ,
    TonesSystem,
    ensemble_of,
    recording_of,
    small_system,
    sound_of,
    voice,
)
from tests.made_up.recordings import tone

PAUSED = np.concatenate([voice(1.3), np.zeros(24_000), voice(1.9, seed=2)]).astype(np.float32)  # the pause has 1.5 s
OPTIONS = TimelineOptions(1, 0.25)
POSTERIORS = [f"p_{name}" for name in PAPER]
TWO = ensemble_of(small_system(), small_system(seed=1))


def timeline(ensemble, samples, options=OPTIONS, batch_seconds=20.0, rate=16_000):
    return follow(ensemble, recording_of(samples, rate), sound_of(samples, rate), options, batch_seconds)


@pytest.mark.parametrize("trim", [None, Trim(30, 0.05)])
@pytest.mark.parametrize("name", ["CNNGRU", "CNNRecCap"])
def test_a_window_is_answered_as_audio_cut_at_its_times(name, trim):
    """Also the last one, which is shorter; a system that trims silence trims that of every window."""
    ensemble = ensemble_of(small_system(name), small_system(name, seed=1), trim=trim)
    windows = timeline(ensemble, PAUSED).windows
    spoken = windows[~windows.silent]
    assert windows.end.iloc[-1] - windows.start.iloc[-1] < 1
    assert not windows.silent.iloc[-1]
    cut = [PAUSED[round(16_000 * row.start) : round(16_000 * row.end)] for row in spoken.itertuples()]
    found = list(predict(ensemble, [recording_of(samples) for samples in cut], 60.0, 20.0))
    assert np.allclose(spoken[POSTERIORS], [each.posterior for each in found], atol=1e-5)
    deviation = [each.each.std(axis=0, ddof=1) for each in found]
    assert np.allclose(spoken[[f"sd_{name}" for name in PAPER]], deviation, atol=1e-5)
    some = ensemble.posteriors([ensemble.heard_part(sound_of(samples)).read() for samples in cut], 20)
    if name == "CNNRecCap":
        assert np.allclose(spoken[[f"length_{number}" for number in (1, 2, 3, 4)]], some.lengths, atol=1e-5)
        assert np.allclose(spoken[[f"coupling_{number}" for number in (1, 2, 3, 4)]], some.coupling, atol=1e-5)
    else:
        assert not any("coupling" in column for column in windows)


def test_silence_is_marked_and_not_classified():
    found = timeline(TWO, PAUSED)
    centres = (found.windows.start + found.windows.end) / 2
    assert found.windows.silent.tolist() == [1.3 <= centre < 2.8 for centre in centres]
    numbers = found.windows.columns.drop(["start", "end", "emotion", "silent"])
    assert found.windows[numbers].isna().all(axis=1).tolist() == found.windows.silent.tolist()
    assert found.windows[numbers].isna().any(axis=1).tolist() == found.windows.silent.tolist()
    assert (found.windows.emotion == "").tolist() == found.windows.silent.tolist()
    silent = found.segments[found.segments.silent]
    assert list(zip(silent.start, silent.end, strict=True)) == [
        (pytest.approx(1.3, abs=0.011), pytest.approx(2.8, abs=0.011))
    ]


def test_a_rest_of_less_than_ten_milliseconds_is_no_silence():
    found = timeline(TWO, PAUSED[: len(PAUSED) - 70])
    assert found.segments.end.iloc[-1] == (len(PAUSED) - 70) / 16_000
    assert not found.segments.silent.iloc[-1]


@pytest.mark.parametrize("batch_seconds", [0.01, 1, 3, 1000])
def test_the_track_does_not_depend_on_the_batch(batch_seconds):
    one, other = timeline(TWO, PAUSED), timeline(TWO, PAUSED, batch_seconds=batch_seconds)
    numbers = one.windows.columns.drop(["emotion", "silent"])
    assert np.allclose(one.windows[numbers], other.windows[numbers], atol=1e-5, equal_nan=True)
    assert one.windows.silent.equals(other.windows.silent)
    assert one.segments.equals(other.segments)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("piece_seconds", [1, 2])
def test_the_track_does_not_depend_on_the_pieces_that_audio_is_converted_in(monkeypatch, rate, piece_seconds):
    samples = PAUSED if rate == 16_000 else np.resize(voice(4), round(4.7 * rate)).astype(np.float32)
    one = timeline(TWO, samples, rate=rate)
    monkeypatch.setattr(ser.audio.sound, "_PIECE_SECONDS", piece_seconds)
    monkeypatch.setattr(ser.audio.sound, "_PIECE_SAMPLES", 1600 * piece_seconds)
    other = timeline(TWO, samples, rate=rate)
    numbers = one.windows.columns.drop(["emotion", "silent"])
    # A piece is resampled with a second of its neighbours; a sample can differ in the last of 16 bits.
    assert np.allclose(
        one.windows[numbers], other.windows[numbers], atol=1e-5 if rate == 16_000 else 1e-4, equal_nan=True
    )
    assert one.segments.equals(other.segments)


def joined(parts):
    """Tones or pauses of given seconds, and the times between them."""
    sounds = [
        tone(TONES_HZ[name], 16_000, seconds, 0.2) if name else np.zeros(round(16_000 * seconds))
        for name, seconds in parts
    ]
    return np.concatenate(sounds).astype(np.float32), np.cumsum([0, *(seconds for _, seconds in parts)])


@pytest.mark.parametrize(
    "parts",
    [
        [("angry", 5), ("", 1), ("happy", 4), ("", 0.5), ("sad", 6)],
        [("", 0.7), ("happy", 3.13), ("sad", 4.21), ("angry", 3.77), ("", 1.1)],
        [("sad", 3), ("", 0.4), ("angry", 2.5), ("", 0.4), ("sad", 3)],
    ],
)
@pytest.mark.parametrize("options", [TimelineOptions(), TimelineOptions(1, 0.25, 3), TimelineOptions(1, 0.1, 1)])
def test_boundaries_are_where_the_emotion_changes(parts, options):
    samples, edges = joined(parts)
    found = timeline(ensemble_of(TonesSystem()), samples, options).segments
    assert found.emotion.tolist() == [name for name, _ in parts]
    assert np.abs(found.end.to_numpy() - edges[1:]).max() <= options.step_seconds
    for before, after, found_at, edge in zip(parts, parts[1:], found.end, edges[1:], strict=False):
        if not (before[0] and after[0]):  # silence begins and ends within 10 ms and the three frames of a run
            assert abs(found_at - edge) < 0.02


def test_smoothing_removes_a_single_different_window():
    samples, _ = joined([("angry", 6), ("happy", 0.6), ("angry", 6)])
    emotions = timeline(ensemble_of(TonesSystem()), samples, TimelineOptions(1, 0.5, 1)).windows.emotion
    assert "happy" in set(emotions)
    smooth = timeline(ensemble_of(TonesSystem()), samples, TimelineOptions(1, 0.5, 5))
    assert set(smooth.windows.emotion) == {"angry"}
    assert len(smooth.segments) == 1


def test_no_sound_is_silence():
    found = timeline(TWO, np.zeros(80_000))
    assert found.windows.silent.all()
    assert found.segments.silent.tolist() == [True]
    assert "silent" in found.cautions
    short = timeline(TWO, voice(1)[:300])
    assert len(short.windows) == 1
    assert short.seconds == 300 / 16_000


def test_the_statistics_of_the_speaker_are_used():
    system = small_system("CNNGRU")
    statistics = system.standardisation.statistics * 1.5
    found = follow(ensemble_of(system), recording_of(PAUSED), sound_of(PAUSED), OPTIONS, 20.0, statistics)
    system.standardisation.statistics.copy_(statistics)
    again = timeline(ensemble_of(system), PAUSED)
    assert np.allclose(found.windows[POSTERIORS], again.windows[POSTERIORS], atol=1e-5, equal_nan=True)
    assert found.path == "samples"
