"""The cache of converted recordings, listed and emptied."""

from __future__ import annotations

import os
import time

import pytest
import soundfile

from ser.audio.cache import contents, empty
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.waveforms import Waveforms
from ser.errors import InputError
from tests.made_up.recordings import table

HOUR = 3600
DAY = 24 * HOUR
MOMENT = 1_700_000_000


@pytest.fixture
def cache(tmp_path, speech):
    """Two conversions of half a second and one that is not of ser."""
    paths = [tmp_path / f"{seed}.flac" for seed in (1, 2)]
    for seed, path in enumerate(paths):
        soundfile.write(path, speech(0.5, seed), SAMPLE_RATE_HZ)
    folder = tmp_path / "cache"
    Waveforms(table(*paths), folder)
    (folder / "notes.pcm").write_bytes(b"mine")
    return folder


def test_what_it_holds(cache):
    found = contents(cache)
    converted = sorted(path for path in cache.iterdir() if path.name != "notes.pcm")
    assert found.files == converted
    assert found.num_bytes == sum(path.stat().st_size for path in converted) > 0
    assert found.others == 1
    dates = []
    for path, moment in zip(converted, (MOMENT, MOMENT + 40 * DAY), strict=True):
        os.utime(path, times=(0, moment))
        dates.append(time.strftime("%Y-%m-%d", time.localtime(moment)))
    assert str(contents(cache)).splitlines() == [
        f"2 converted recordings in {cache}, 0.0 MB, written {dates[0]} to {dates[1]}",
        "Other files there, which ser has not written: 1",
    ]


def test_only_files_of_ser_are_removed_and_none_that_is_being_written(cache):
    kept = {"notes.pcm", "0123456789abcdef0123456789abcdef.pcm", f".{'0' * 32}.pcm.7-abcdef.part", "F" * 32 + ".pcm"}
    (cache / "0123456789abcdef0123456789abcdef.pcm").mkdir()
    (cache / ("F" * 32 + ".pcm")).write_bytes(b"mine")
    for name, age in ((f".{'0' * 32}.pcm.7-abcdef.part", 0), (f".{'1' * 32}.pcm.7-abcdef.part", 2 * HOUR)):
        (cache / name).write_bytes(b"half")
        os.utime(cache / name, times=(0, time.time() - age))
    before = contents(cache)
    assert before.others == 3
    assert empty(cache) == before
    assert {path.name for path in cache.iterdir()} == kept
    assert contents(cache).files == []


def test_a_folder_that_is_not_there_is_an_empty_cache(tmp_path):
    assert empty(tmp_path / "none") == contents(tmp_path / "none") == (tmp_path / "none", [], 0, [], 0)
    assert str(contents(tmp_path / "none")) == f"0 converted recordings in {tmp_path / 'none'}, 0.0 MB"
    assert not (tmp_path / "none").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("mine")
    for command in (contents, empty):
        with pytest.raises(InputError, match=r"taken: Not a directory; the cache is chosen by .* SER_CACHE"):
            command(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
