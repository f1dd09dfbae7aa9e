"""Utterances that are parts of longer recordings: read, checked, and trimmed."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser.audio import checking, decoding, recording
from ser.audio.checking import check_cuts, check_recording
from ser.audio.cuts import WHOLE, Cut
from ser.audio.decoding import AudioError
from ser.audio.recording import read_recording
from ser.audio.silence import Trim
from ser.audio.waveforms import Waveforms
from tests.made_up.recordings import tone


def cut_table(path, *cuts):
    return pd.DataFrame([{"path": str(path), "start": start, "end": end} for start, end in cuts])


@pytest.mark.parametrize(("suffix", "rate"), [("wav", 16_000), ("flac", 16_000), ("wav", 48_000)])
def test_a_cut_is_a_slice_of_its_recording(tmp_path, suffix, rate):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 3 * rate), rate)
    whole = Waveforms(pd.DataFrame({"path": [str(path)]}), tmp_path / "cache").read(0)
    assert len(whole) == 48_000
    waveforms = Waveforms(
        cut_table(path, (0.5, 1.25), (nan, nan), (1.0, nan), (nan, 0.1), (0.00004, 3.009)), tmp_path / "cache"
    )
    bounds = [(8_000, 20_000), (0, 48_000), (16_000, 48_000), (0, 1_600), (1, 48_000)]
    assert waveforms.num_samples.tolist() == [stop - start for start, stop in bounds]
    for row, (start, stop) in enumerate(bounds):
        assert np.array_equal(waveforms.read(row), whole[start:stop])
        assert np.array_equal(waveforms.read(row, 100, 300), whole[start:stop][100:300])
        assert len(waveforms.read(row, 10, 99_999)) == stop - start - 10, "never beyond the utterance"


def test_trimmed_cuts_and_what_they_were_before(tmp_path, wav):
    speech = np.random.default_rng(1).integers(-9000, 9000, 8_000)
    sound = np.concatenate([np.zeros(16_000), speech, np.zeros(16_000), speech, np.zeros(8_000)])
    path = wav(tmp_path / "a.wav", sound)
    waveforms = Waveforms(cut_table(path, (0.5, 2.0), (1.75, nan)), trim=Trim(margin_seconds=0.1))
    for row, first in enumerate((16_000, 40_000)):
        assert np.array_equal(waveforms.read(row) * 32_768, sound[first - 1_600 : first + 9_600])
    assert np.array_equal(waveforms.read_untrimmed(0) * 32_768, sound[8_000:32_000])
    assert np.array_equal(waveforms.read_untrimmed(1) * 32_768, sound[28_000:])


FAULTS = [
    (Cut(-0.1, 1), "start is -0.1 s, but must be at least 0"),
    (Cut(1, -0.1), "end is -0.1 s, but must be at least 0"),
    (Cut(1.5, 1.5), "end is 1.5 s, but must be after start, 1.5 s"),
    (Cut(1.5, 0.5), "end is 0.5 s, but must be after start, 1.5 s"),
    (Cut(0.5, 2.011), "end is 2.011 s, but the recording has 2 s"),
    (Cut(2.5, nan), "start is 2.5 s, but the recording has 2 s"),
    (Cut(0, np.inf), "end is inf s, but the recording has 2 s"),
]


@pytest.mark.parametrize(("cut", "fault"), FAULTS)
def test_times_outside_a_recording_are_refused(tmp_path, wav, speech, cut, fault):
    path = wav(tmp_path / "a.wav", speech(2))
    good, found = check_cuts(path, [Cut(0.5, 1), cut])
    assert good.num_samples == 8_000
    assert str(found) == f"{path}: {fault}"
    with pytest.raises(AudioError, match=f"{path}: {fault}"):
        Waveforms(cut_table(path, cut))


@pytest.mark.parametrize(
    ("cut", "cause"),
    [
        (Cut(0.5, 0.539), ", 0.5 s to 0.539 s: shorter than one analysis window (39.0 ms, at least 40 ms are needed)"),
        (Cut(2.0, nan), ", 2 s to the end: shorter than one analysis window (0.0 ms"),
        (Cut(nan, 0.3), ", 0 s to 0.3 s: silence (all samples are equal)"),
    ],
)
def test_a_cut_without_sound_is_refused(tmp_path, wav, speech, cut, cause):
    path = wav(tmp_path / "a.wav", np.append(np.zeros(8_000), speech(1.5)))
    good, found = check_cuts(path, [Cut(1, 1.04), cut])
    assert good.num_samples == 640
    assert str(found).startswith(f"{path}{cause}")


def test_each_cut_is_judged_by_its_own_samples(tmp_path):
    loud = np.clip(2 * tone(140, 16_000, 1, 1), -1, 1)
    parts = [loud, np.zeros(8_000), tone(300, 16_000, 1, 0.5), np.zeros(16_000), tone(300, 16_000, 1, 0.0002)]
    soundfile.write(tmp_path / "a.wav", np.concatenate(parts), 16_000, subtype="PCM_24")
    cuts = [Cut(0, 1), Cut(1, 3), Cut(3.5), WHOLE]
    clipped, speech, faint, whole = check_cuts(tmp_path / "a.wav", cuts)
    assert [list(each.cautions) for each in (clipped, speech, faint)] == [["clipped"], [], ["nearly silent"]]
    assert [each.peak for each in (clipped, speech, whole)] == pytest.approx([1, 0.5, 1], abs=1e-3)
    assert (speech.silence_before, speech.silence_after) == pytest.approx((0.5, 0.5), abs=0.011)
    assert whole == check_recording(tmp_path / "a.wav")
    assert {each.digest for each in (clipped, speech, faint)} == {whole.digest}, "of the recording"


def test_a_recording_is_decoded_once_and_in_blocks_as_in_one(tmp_path, monkeypatch):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (100_000, 2))
    soundfile.write(tmp_path / "a.flac", sound, 22_050)
    cuts = [Cut(index / 10, index / 10 + 0.7) for index in range(30)] + [WHOLE, Cut(3, nan)]
    at_once = check_cuts(tmp_path / "a.flac", cuts)
    opened = []
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 2_000)
    monkeypatch.setattr(decoding, "open_recording", lambda path: opened.append(path) or path.open("rb"))
    assert check_cuts(tmp_path / "a.flac", cuts) == at_once
    assert len(opened) == 1


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_414, 48_000])
def test_long_recordings_are_converted_in_pieces_without_a_seam(tmp_path, monkeypatch, rate):
    soundfile.write(
        tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, round(9.3 * rate)), rate, subtype="FLOAT"
    )
    expected = read_recording(tmp_path / "a.wav")
    monkeypatch.setattr(recording, "LONGEST_SECONDS", 2)
    monkeypatch.setattr(recording, "_PIECE_SECONDS", 2)
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 10_007)
    found = read_recording(tmp_path / "a.wav")
    assert len(found) == len(expected)
    # The last pieces' rounding; at unusual rates a piece's clock starts anew.
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_only_a_recording_that_is_cut_can_be_longer_than_ten_minutes(tmp_path, monkeypatch, wav, speech):
    path = wav(tmp_path / "a.wav", speech(5))
    for module in (checking, decoding):
        monkeypatch.setattr(module, "LONGEST_SECONDS", 3)
    monkeypatch.setattr(checking, "LONGEST_CUT_SECONDS", 6)
    monkeypatch.setattr(decoding.check_length, "__defaults__", (3,))
    short, long, whole = check_cuts(path, [Cut(1, 4), Cut(0.5, 4), WHOLE])
    assert short.num_samples == 48_000
    assert "a.wav, 0.5 s to 4 s: longer than 3 s" in str(long)
    assert "a.wav: longer than 3 s (5 s)" in str(whole)
    with pytest.raises(AudioError, match="longer than 3 s"):
        check_recording(path)
    monkeypatch.setattr(checking, "LONGEST_CUT_SECONDS", 4)
    with pytest.raises(AudioError, match="longer than 4 s"):
        check_cuts(path, [Cut(1, 2)])
