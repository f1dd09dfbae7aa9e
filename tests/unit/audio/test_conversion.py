"""Waveforms read slice by slice: native files in place, others from the cache of conversions."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser.audio.converted import read_converted
from ser.audio.decoding import AudioError
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.recording import read_recording
from ser.audio.waveforms import Waveforms
from ser.errors import InputError
from tests.made_up.recordings import table, tone


def test_native_files_are_read_in_place_slice_by_slice(tmp_path, wav, speech):
    pcm = [speech(0.2, seed=seed) for seed in range(3)]
    paths = [wav(tmp_path / f"{seed}.wav", samples) for seed, samples in enumerate(pcm)]
    waveforms = Waveforms(table(*paths), tmp_path / "cache")
    assert waveforms.num_samples.tolist() == [3200] * 3
    assert waveforms.num_samples.dtype == np.int64
    for row, samples in enumerate(pcm):
        whole = waveforms.read(row)
        assert whole.dtype == np.float32
        assert np.array_equal(whole, samples / 32768)
        assert np.array_equal(waveforms.read(row, 100, 164), whole[100:164])
        assert np.array_equal(waveforms.read(row, 3000), whole[3000:])
        assert np.array_equal(waveforms.read(row, 3000, 9000), whole[3000:])
        assert len(waveforms.read(row, 3200)) == 0
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def mixed(tmp_path, wav, speech) -> pd.DataFrame:
    """A native file between two that need conversion."""
    soundfile.write(tmp_path / "a.flac", speech(0.2, 1), SAMPLE_RATE_HZ)
    wav(tmp_path / "b.wav", speech(0.3, 2))
    soundfile.write(tmp_path / "c.wav", tone(500, 48_000), 48_000, subtype="FLOAT")
    return table(tmp_path / "a.flac", tmp_path / "b.wav", tmp_path / "c.wav")


def test_other_files_are_converted_once(tmp_path, mixed, monkeypatch):
    cache = tmp_path / "cache"
    waveforms = Waveforms(mixed, cache)
    assert waveforms.num_samples.tolist() == [3200, 4800, 8000]
    for row, path in enumerate(mixed.path):
        assert np.array_equal(waveforms.read(row), read_recording(path) / np.float32(32768))
        assert np.array_equal(waveforms.read(row, 40, 60), waveforms.read(row)[40:60])
    sizes = sorted(path.stat().st_size for path in cache.iterdir())
    assert sizes == [2 * 3200 + 4, 2 * 8000 + 4]
    monkeypatch.setattr("ser.audio.converted.read_recording", None)  # a second conversion would fail
    again = pickle.loads(pickle.dumps(Waveforms(mixed, cache)))
    assert np.array_equal(again.read(2), waveforms.read(2))


def test_every_recording_is_converted_once_whatever_else_is_in_the_table(tmp_path, mixed, speech, monkeypatch):
    cache, converted = tmp_path / "cache", []

    def convert(path):
        converted.append(Path(path).name)
        return read_recording(path)

    monkeypatch.setattr("ser.audio.converted.read_recording", convert)
    whole = Waveforms(mixed, cache)
    assert converted == ["a.flac", "c.wav"]
    for rows in ([0, 1], [2, 1, 0], [2], [0, 0, 2]):  # a manifest without a line, in another order, with a line twice
        part = Waveforms(mixed.iloc[rows], cache)
        assert all(np.array_equal(part.read(place), whole.read(row)) for place, row in enumerate(rows))
    assert converted == ["a.flac", "c.wav"]
    soundfile.write(tmp_path / "d.flac", speech(0.2, 4), SAMPLE_RATE_HZ)
    (tmp_path / "e.flac").write_bytes((tmp_path / "a.flac").read_bytes())  # the same recording under another name
    Waveforms(table(*mixed.path, tmp_path / "d.flac", tmp_path / "e.flac"), cache)
    assert converted == ["a.flac", "c.wav", "d.flac"]


@pytest.mark.parametrize("num_samples", [640, 8191, 8192, 8193, 16_384, 20_000])
def test_slices_of_a_conversion_wherever_its_blocks_end(tmp_path, speech, num_samples):
    pcm = speech(2)[:num_samples]
    soundfile.write(tmp_path / "a.flac", pcm, SAMPLE_RATE_HZ)
    waveforms = Waveforms(table(tmp_path / "a.flac"), tmp_path / "cache")
    assert waveforms.num_samples.tolist() == [num_samples]
    places = [place for place in (0, 1, 600, 8191, 8192, 8193, 16_383, 16_384, 19_999, 20_000) if place <= num_samples]
    for start in places:
        for stop in places:
            assert np.array_equal(waveforms.read(0, start, stop) * 32768, pcm[start:stop])


@pytest.mark.parametrize(
    "damage",
    [lambda old: old[:-2], lambda old: old + b"xx", lambda old: b"", lambda old: old[:20], lambda old: old[:16_388]],
)
def test_a_damaged_conversion_is_made_again(tmp_path, speech, damage):
    cache = tmp_path / "cache"
    soundfile.write(tmp_path / "a.flac", speech(1), SAMPLE_RATE_HZ)
    one = table(tmp_path / "a.flac")
    opened = Waveforms(one, cache)
    expected = opened.read(0)
    [path] = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(AudioError, match=f"{path.name}: damaged"):
        read_converted(path)
    with pytest.raises(AudioError, match=f"{path.name}: (damaged|has become shorter)"):
        opened.read(0)
    assert np.array_equal(Waveforms(one, cache).read(0), expected)
    assert list(cache.iterdir()) == [path]


def test_changed_audio_is_converted_again(tmp_path, mixed, speech):
    cache = tmp_path / "cache"
    Waveforms(mixed, cache)
    soundfile.write(tmp_path / "a.flac", speech(0.2, 9), SAMPLE_RATE_HZ)
    assert np.array_equal(Waveforms(mixed, cache).read(0), speech(0.2, 9) / np.float32(32768))
    assert len(list(cache.iterdir())) == 3


def test_where_converted_audio_is_kept(tmp_path, mixed, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SER_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    Waveforms(mixed)
    assert len(list((tmp_path / "home" / ".cache" / "ser").iterdir())) == 2
    monkeypatch.setenv("XDG_CACHE_HOME", "~/xdg")
    Waveforms(mixed)
    assert len(list((tmp_path / "home" / "xdg" / "ser").iterdir())) == 2
    monkeypatch.setenv("SER_CACHE", "~/chosen")
    Waveforms(mixed)
    assert len(list((tmp_path / "home" / "chosen").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_named(tmp_path, mixed):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match=r"taken/below/\w+\.pcm cannot be written: .*SER_CACHE"):
        Waveforms(mixed, tmp_path / "taken" / "below")


def test_a_file_that_goes_or_shrinks_later_is_named(tmp_path, wav, speech):
    path = wav(tmp_path / "a.wav", speech(0.2))
    waveforms = Waveforms(table(path))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(AudioError, match=r"a\.wav: has become shorter"):
        waveforms.read(0)
    path.unlink()
    with pytest.raises(AudioError, match=r"a\.wav: unreadable"):
        waveforms.read(0)
