from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torchaudio.transforms import Resample

from ser.audio.checking import check_recording
from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.recording import read_recording
from ser.audio.waveforms import Waveforms
from tests.made_up.recordings import table, tone


def test_pcm16_is_read_as_the_standard_library_and_libsndfile_read_it(tmp_path, wav, speech):
    path = wav(tmp_path / "a.wav", speech(0.3))
    with wave.open(str(path)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.array_equal(read_recording(path), expected)
    assert np.array_equal(read_recording(path), soundfile.read(path, dtype="int16")[0])
    assert check_recording(path).num_samples == len(expected) == 4800


def test_samples_are_found_behind_other_chunks(tmp_path, wav, speech):
    plain = wav(tmp_path / "a.wav", speech(0.1)).read_bytes()
    other = b"LIST\x03\x00\x00\x00abc\x00"  # odd sizes are padded
    path = tmp_path / "b.wav"
    path.write_bytes(plain[:12] + other + plain[12:36] + other + plain[36:] + other)
    assert np.array_equal(read_recording(path), speech(0.1))
    assert np.array_equal(Waveforms(table(path)).read(0, 5, 9) * 32768, speech(0.1)[5:9])


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_24"), ("wav", "PCM_32"), ("wav", "FLOAT"), ("wav", "DOUBLE"), ("flac", "PCM_16"), ("aiff", "PCM_16")],
)
def test_other_encodings_give_the_same_samples(tmp_path, speech, suffix, subtype):
    pcm = speech(0.2)
    soundfile.write(tmp_path / f"a.{suffix}", pcm / 32768, SAMPLE_RATE_HZ, subtype=subtype)
    assert np.array_equal(read_recording(tmp_path / f"a.{suffix}"), pcm)


def test_extensible_and_big_endian_wav(tmp_path, speech):
    pcm = speech(0.2)
    soundfile.write(tmp_path / "a.wav", pcm, SAMPLE_RATE_HZ, format="WAVEX", subtype="PCM_16")
    soundfile.write(tmp_path / "b.wav", pcm, SAMPLE_RATE_HZ, endian="BIG", subtype="PCM_16")
    soundfile.write(tmp_path / "c.wav", pcm, SAMPLE_RATE_HZ, format="RF64", subtype="PCM_16")
    for path in tmp_path.iterdir():
        assert np.array_equal(read_recording(path), pcm), path


def test_eight_bits_and_full_scale(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.linspace(-1, 1, 2000), SAMPLE_RATE_HZ, subtype="PCM_U8")
    assert np.abs(read_recording(tmp_path / "a.wav") / 32768 - np.linspace(-1, 1, 2000)).max() < 1 / 64
    soundfile.write(tmp_path / "b.wav", np.linspace(-1.12, 1.12, 2000), SAMPLE_RATE_HZ, subtype="FLOAT")
    clipped = read_recording(tmp_path / "b.wav")
    assert clipped.min() == -32768
    assert clipped.max() == 32767
    assert np.all(np.diff(clipped.astype(int)) >= 0)


def test_stereo_is_averaged(tmp_path, speech):
    left, right = speech(0.2, seed=1) // 2 * 2, speech(0.2, seed=2) // 2 * 2
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), SAMPLE_RATE_HZ, subtype="PCM_16")
    assert np.array_equal(read_recording(tmp_path / "a.wav"), (left.astype(int) + right) // 2)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_414, 44_056, 44_100, 48_000, 160_001])
def test_a_tone_keeps_its_frequency_level_and_time_at_another_rate(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(1000, rate), rate, subtype="PCM_24")
    pcm = read_recording(tmp_path / "a.wav")
    assert len(pcm) == check_recording(tmp_path / "a.wav").num_samples == 8000
    middle = slice(800, -800)
    drift = 0.5 * 2 * np.pi * 1000 * 0.5 / 160_000 if rate == 160_001 else 0  # converted as 160 kHz
    assert np.abs(pcm / 32768 - tone(1000, SAMPLE_RATE_HZ))[middle].max() < 1e-3 + drift


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_usual_rates_are_converted_by_torchaudio(tmp_path, speech, rate):
    pcm = speech(0.2)
    soundfile.write(tmp_path / "a.wav", pcm, rate, subtype="PCM_16")
    options = {"lowpass_filter_width": 64, "rolloff": 0.95, "resampling_method": "sinc_interp_kaiser", "beta": 14.77}
    expected = Resample(rate, SAMPLE_RATE_HZ, **options)(torch.from_numpy(np.float32(pcm / 32_768)))
    assert np.array_equal(read_recording(tmp_path / "a.wav"), np.rint(expected.numpy() * np.float32(32_768)))


@pytest.mark.parametrize("rate", [24_414, 44_056, 48_000])
def test_what_is_below_7_khz_is_kept(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(7_000, rate), rate, subtype="PCM_24")
    pcm = read_recording(tmp_path / "a.wav")
    assert np.abs(pcm / 32768 - tone(7_000, SAMPLE_RATE_HZ))[800:-800].max() < 2e-3


@pytest.mark.parametrize("rate", [24_414, 48_000])
def test_nothing_is_folded_down_from_above_8_khz(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(1000, rate) + tone(9_500, rate, amplitude=0.4), rate, subtype="FLOAT")
    pcm = read_recording(tmp_path / "a.wav")
    assert np.abs(pcm / 32768 - tone(1000, SAMPLE_RATE_HZ))[800:-800].max() < 2e-3


def bad_files(folder: Path, wav, speech) -> dict[Path, str]:
    """Every kind of unusable recording, with the cause in its message."""
    whole = wav(folder / "whole.wav", speech(0.2)).read_bytes()
    samples = np.stack([speech(0.2), speech(0.2, seed=1)], axis=1)
    causes: dict[str, tuple[bytes | None, str]] = {
        "missing.wav": (None, "missing"),
        "zero.wav": (b"", "empty (0 bytes)"),
        "no_samples.wav": (whole[:40] + bytes(4), "empty (no samples)"),
        "cut.wav": (whole[:-100], "truncated (its header promises 6400 bytes of samples, 6300 are there)"),
        "header_only.wav": (whole[:44], "truncated (its header promises 6400 bytes of samples, 0 are there)"),
        "half_header.wav": (whole[:30], "unreadable (it needs one fmt chunk, then one data chunk; it has: fmt)"),
        "no_data.wav": (whole[:36], "unreadable (it needs one fmt chunk, then one data chunk; it has: fmt)"),
        "text.wav": (b"this is not audio\n" * 50, "unreadable (Format not recognised)"),
        "zeros.wav": (whole[:44] + bytes(len(whole) - 44), "silence"),
    }
    for name, (content, _) in causes.items():
        if content is not None:
            (folder / name).write_bytes(content)
    for name, data, rate, subtype, cause in [
        ("nan.wav", np.where(np.arange(3200) == 7, np.nan, 0.1), 16_000, "FLOAT", "not finite"),
        ("inf.wav", np.where(np.arange(3200) == 7, np.inf, 0.1), 16_000, "DOUBLE", "not finite"),
        ("short.wav", speech(0.039), 16_000, "PCM_16", "shorter than one analysis window (39.0 ms"),
        ("short48.wav", speech(0.2)[: 3 * 639], 48_000, "PCM_16", "shorter than one analysis window (39.9 ms"),
        ("constant.wav", np.full(3200, 0.25), 44_100, "PCM_24", "silence"),
        ("quiet.wav", speech(0.2) * 1e-10, 16_000, "FLOAT", "silence"),
        ("opposite.wav", samples[:, :1] * np.int16([1, -1]), 16_000, "PCM_16", "the channels cancel out"),
        ("silent_stereo.wav", np.zeros((3200, 2)), 16_000, "PCM_16", "silence"),
        ("loud.wav", 40 * tone(300, 16_000, amplitude=1), 16_000, "FLOAT", "samples reach 40, but full scale is 1"),
        ("integers.wav", np.float64(speech(0.2)), 44_100, "DOUBLE", "samples reach 2999, but full scale is 1"),
        ("loud.aiff", tone(300, 16_000, amplitude=1.123), 16_000, "FLOAT", "samples reach 1.12"),
        ("loud.caf", np.outer(tone(300, 16_000), [1, 4]), 16_000, "FLOAT", "samples reach 2, but full scale is 1"),
        ("empty_float.wav", np.zeros(0), 16_000, "FLOAT", "empty (no samples)"),
        ("slow.wav", speech(0.2), 3_999, "PCM_16", "its sample rate of 3999 Hz cannot be converted"),
        ("cut_stereo.wav", samples, 16_000, "PCM_16", "truncated (its header promises 12800 bytes"),
        ("cut_float.wav", samples / 32768, 44_100, "FLOAT", "truncated (its header promises 25600 bytes"),
        ("cut24.wav", samples, 16_000, "PCM_24", "truncated (its header promises 19200 bytes"),
        ("cut.flac", samples, 16_000, "PCM_16", "unreadable (flac decoder lost sync)"),
    ]:
        soundfile.write(folder / name, data, rate, subtype=subtype)
        if name.startswith("cut"):
            (folder / name).write_bytes((folder / name).read_bytes()[:-1000])
        causes[name] = (None, cause)
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")
    causes |= {"folder.wav": (None, "not a file"), "pipe.wav": (None, "not a file")}
    causes["zero.wav/inside.wav"] = (None, "missing")
    return {folder / name: cause for name, (_, cause) in causes.items()}


def test_every_unusable_recording_is_refused_with_its_cause(tmp_path, wav, speech):
    for path, cause in bad_files(tmp_path, wav, speech).items():
        for read in (check_recording, read_recording):
            with pytest.raises(AudioError) as caught:
                read(path)
            assert str(caught.value).startswith(f"{path}: {cause}" if cause != "not finite" else f"{path}: has samples")
            assert "\n" not in str(caught.value)


def test_waveforms_refuses_them_too_and_leaves_nothing_behind(tmp_path, wav, speech):
    cache = tmp_path / "cache"
    files = tmp_path / "files"
    for path, cause in bad_files(files, wav, speech).items():
        if cause.startswith(("silence", "shorter")) and path.name in ("zeros.wav", "short.wav"):
            continue  # already 16 kHz PCM: checked when the table was made, not again
        with pytest.raises(AudioError, match=path.name):
            Waveforms(table(path), cache)
    assert not list(cache.glob("*"))
