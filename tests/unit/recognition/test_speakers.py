"""Statistics of each speaker's own audio, against numpy over all frames."""

import numpy as np
import pytest
import soundfile
import torch

from ser.audio.silence import Trim
from ser.errors import InputError
from ser.recognition import speakers
from ser.recognition.recordings import Recording
from ser.recognition.speakers import NEEDED, SpeakerStatistics
from tests.made_up.recognisers import ensemble_of, recording_of, small_system, voice

ENSEMBLE = ensemble_of(small_system("CNNGRU"), per_speaker=True)
ANNA, BERT = [voice(0.7), voice(1.2, seed=2)], [0.3 * voice(0.9, seed=3)]
ANNA = [np.asarray(each) for each in ANNA]
BERT = [np.rint(each * 32_768).astype(np.int16) / np.float32(32_768) for each in BERT]


def expected(waveforms):
    """Mean and deviation over the frames of all waveforms."""
    frames = [ENSEMBLE.system.spectrogram(torch.from_numpy(each)[None])[0].numpy() for each in waveforms]
    joined = np.concatenate(frames, axis=1).astype(float)
    return np.stack([joined.mean(axis=1), joined.std(axis=1)])


def close(found, wanted):
    return np.allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.fixture
def files(tmp_path):
    """A file of each waveform."""
    for name, waveform in zip(("a1", "a2", "b"), [*ANNA, *BERT], strict=True):
        soundfile.write(tmp_path / f"{name}.wav", waveform, 16_000, "PCM_16")
    return [str(tmp_path / f"{name}.wav") for name in ("a1", "a2", "b")]


def test_recordings_with_speakers_are_their_own_reference(files):
    recordings = [Recording(path, speaker=who) for path, who in zip(files, ("anna", "anna", "bert"), strict=True)]
    found = SpeakerStatistics(ENSEMBLE, recordings, ())
    for recording, waveforms in zip(recordings, (ANNA, ANNA, BERT), strict=True):
        assert close(found.of(recording), expected(waveforms))


def test_recordings_of_one_person_without_a_name(files):
    other = recording_of(voice(0.4, seed=9))
    found = SpeakerStatistics(ENSEMBLE, [other], [Recording(path) for path in files[:2]])
    assert close(found.of(other), expected(ANNA))


def test_a_list_of_speakers_names_the_recordings_speaker(files):
    listed = [Recording(path, speaker=who) for path, who in zip(files, ("anna", "anna", "bert"), strict=True)]
    found = SpeakerStatistics(ENSEMBLE, [Recording(files[0])], listed)
    assert close(found.of(Recording(files[0])), expected(ANNA))
    assert set(found._statistics) == {"anna"}, "only the audio of speakers who are asked for is read"


def test_pieces_leave_no_frame_out(monkeypatch):
    long = recording_of(voice(3.21), speaker="anna")
    monkeypatch.setattr(speakers, "_PIECE_SAMPLES", 16_000)
    found = SpeakerStatistics(ENSEMBLE, [long], ())
    assert close(found.of(long), expected([voice(3.21)]))


def test_silence_is_trimmed_as_in_training():
    trimming = ensemble_of(small_system("CNNGRU"), trim=Trim(30, 0), per_speaker=True)
    samples = np.concatenate([np.zeros(16_000), voice(1), np.zeros(16_000)]).astype(np.float32)
    recording = recording_of(samples, speaker="anna")
    start, stop = 16_000, 32_000
    found = SpeakerStatistics(trimming, [recording], ()).of(recording)
    assert np.allclose(found, expected([samples[start:stop]]), atol=0.1)
    assert not np.allclose(found, expected([samples]), atol=0.5)


def test_a_recording_that_cannot_be_used_is_left_out_of_its_own_list(files, tmp_path):
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "short.wav", voice(1)[:600], 16_000, "PCM_16")
    bad = [Recording(str(tmp_path / name), speaker="anna") for name in ("empty.wav", "short.wav")]
    found = SpeakerStatistics(ENSEMBLE, [Recording(path, speaker="anna") for path in files[:2]] + bad, ())
    assert close(found.of(bad[0]), expected(ANNA))
    with pytest.raises(InputError, match=r"short.wav: shorter than an analysis window; its speaker has no longer"):
        SpeakerStatistics(ENSEMBLE, bad, ())
    assert SpeakerStatistics(ENSEMBLE, bad[:1], ()).of(bad[0]) is None  # nobody asks, since it cannot be read


@pytest.mark.parametrize(
    ("recordings", "of_speaker", "message"),
    [
        ([Recording("a.wav")], [], NEEDED[:40]),
        ([Recording("a.wav"), Recording("b.wav", speaker="x")], [], f"a.wav: has no speaker; {NEEDED[:40]}"),
        (
            [Recording("a.wav")],
            [recording_of(np.zeros(16_000))],
            r"--speaker: samples: silent \(all samples are equal\)",
        ),
        ([Recording("a.wav")], [Recording("b.wav", speaker="x")], "a.wav: is not in the list of --speaker"),
        (
            [Recording("a.wav")],
            [Recording("a.wav", speaker="x"), Recording("c.wav")],
            "c.wav: has no speaker, but other",
        ),
        ([Recording("a.wav")], [Recording("none.wav")], "--speaker: none.wav: missing"),
        ([Recording("a.wav")], [recording_of(voice(1)[:639])], "--speaker: samples: shorter than an analysis window"),
    ],
)
def test_speakers_that_are_not_known(recordings, of_speaker, message):
    with pytest.raises(InputError, match=message):
        SpeakerStatistics(ENSEMBLE, recordings, of_speaker)
