"""Each caution, on and just off its threshold."""

from hashlib import blake2b

import numpy as np
import pytest
import scipy.signal

from ser.audio.silence import Trim
from ser.recognition.cautions import cautions, level_difference
from tests.made_up.recognisers import ensemble_of, recording_of, small_system, sound_of, voice


def found(ensemble, samples, **more):
    sound = sound_of(samples)
    about = cautions(ensemble, recording_of(samples, **more), sound, sound.levels())
    [magnitude] = ensemble.posteriors([sound.read()], 20).magnitudes
    return about if "silent" in about else about | level_difference(ensemble, magnitude)


def usual(magnitude="log"):
    """A system whose training audio was `voice(2)`."""
    return small_system("CNNGRU", magnitude=magnitude)


@pytest.mark.parametrize("magnitude", ["log", "linear"])
@pytest.mark.parametrize(
    ("decibels", "kind"),
    [(0, None), (14.9, None), (15.1, "loud"), (-14.9, None), (-15.1, "quiet"), (-20, "quiet")],
)
def test_a_level_far_from_that_of_the_training_audio(magnitude, decibels, kind):
    """The statistics are moved instead of the audio, which could be clipped or rounded."""
    system = usual(magnitude)
    if magnitude == "log":
        system.standardisation.statistics[0] -= decibels * np.log(10) / 20
    else:
        system.standardisation.statistics[0] *= 10 ** (-decibels / 20)
    about = found(ensemble_of(system), voice(2))
    assert [name for name in about if name in ("loud", "quiet")] == ([kind] if kind else [])
    if kind:
        comparison = "above" if decibels > 0 else "below"
        assert about[kind] == f"{abs(decibels):.0f} dB {comparison} the mean of the training audio"


def test_louder_audio_is_loud():
    assert "loud" in found(ensemble_of(usual()), 6 * voice(2))  # 15.6 dB
    assert "quiet" in found(ensemble_of(usual("linear")), voice(2) / 6)


@pytest.mark.parametrize("magnitude", ["log", "linear"])
@pytest.mark.parametrize("silence", [0.0, 1e-4])
def test_the_level_is_that_of_the_sound_without_silence(magnitude, silence):
    """Silence, here more than 40 dB weaker than the voice, would lower the mean by more than 15 dB."""
    sides = silence * np.random.default_rng(1).uniform(-1, 1, 160_000)
    assert "quiet" not in found(ensemble_of(usual(magnitude)), np.concatenate([sides, voice(2), sides]))


@pytest.mark.parametrize("magnitude", ["log", "linear"])
@pytest.mark.parametrize("rate", [4_000, 8_000])
def test_a_low_sample_rate_is_not_quiet(magnitude, rate):
    """Its spectrogram is empty above half the rate."""
    ensemble = ensemble_of(usual(magnitude))
    sound = sound_of(scipy.signal.resample_poly(voice(2), 1, 16_000 // rate), rate)
    [level] = ensemble.posteriors([sound.read()], 20).magnitudes
    assert level_difference(ensemble, level) == {}


def test_a_system_standardised_by_speaker_has_no_level_of_training():
    assert "quiet" in found(ensemble_of(usual()), voice(2) / 20)
    assert "quiet" not in found(ensemble_of(usual(), per_speaker=True), voice(2) / 20)


def test_a_silent_recording_is_silent_not_quiet():
    assert list(found(ensemble_of(usual()), np.zeros(32_000))) == ["silent"]


@pytest.mark.parametrize(("samples", "is_short"), [(639, True), (640, False)])
def test_shorter_than_an_analysis_window(samples, is_short):
    about = found(ensemble_of(usual()), voice(1)[8_000 : 8_000 + samples])
    assert ("short" in about) == is_short
    assert not is_short or about["short"].startswith("39.9 ms, less than an analysis window of 40 ms")


@pytest.mark.parametrize(
    ("before", "after", "is_long"), [(0.3, 0.3, False), (0.31, 0, True), (0, 0.31, True), (0.2, 0.2, False)]
)
def test_long_silence_at_the_ends(before, after, is_long):
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 16_000)
    samples = np.concatenate([np.zeros(round(16_000 * before)), noise, np.zeros(round(16_000 * after))])
    about = found(ensemble_of(usual()), samples)
    assert ("silence at the ends" in about) == is_long
    if is_long:
        assert about["silence at the ends"].startswith(f"{before:.1f} s before and {after:.1f} s after the speech")
    assert "silence at the ends" not in found(ensemble_of(usual(), trim=Trim()), samples)


def heard_by(role, samples=None, speakers=()):
    other = "val" if role == "train" else "train"
    digests = [] if samples is None else [blake2b(samples.tobytes(), digest_size=8).hexdigest()]
    return {"recordings": {role: digests, other: []}, "speakers": {role: list(speakers), other: []}}


@pytest.mark.parametrize(("role", "kind"), [("train", "trained on"), ("val", "validated on")])
def test_a_recording_that_a_system_was_trained_or_validated_on(role, kind):
    samples = voice(1)
    known, unknown = heard_by(role, samples), heard_by(role, voice(1, seed=2))
    assert found(ensemble_of(usual(), heard=[known]), samples)[kind] == "this recording"
    several = ensemble_of(*[usual()] * 5, heard=[known, known, unknown, known, known])
    about = found(several, samples)
    assert about[kind] == "this recording, by 4 of 5 systems"
    assert not any("speaker" in name for name in about)
    only = found(ensemble_of(usual(), heard=[unknown]), samples)
    assert not any(" on" in name for name in only)


@pytest.mark.parametrize(("role", "kind"), [("train", "speaker trained on"), ("val", "speaker validated on")])
def test_a_speaker_that_a_system_was_trained_or_validated_on(role, kind):
    known = heard_by(role, speakers=["emodb:03", "emodb:13", "other:03"])
    unknown = heard_by(role, speakers=["emodb:13", "03:emodb"])
    assert found(ensemble_of(usual(), heard=[known]), voice(1), speaker="03")[kind] == "emodb:03, other:03"
    several = ensemble_of(*[usual()] * 3, heard=[unknown, known, unknown])
    assert found(several, voice(1), speaker="03")[kind] == "emodb:03, other:03, by 1 of 3 systems"
    assert kind not in found(several, voice(1)), "its speaker is not known"
    assert kind not in found(several, voice(1), speaker="3")


def test_cautions_of_the_sound_are_kept():
    assert "clipped" in found(ensemble_of(usual()), np.clip(30 * voice(2), -1, 1))
