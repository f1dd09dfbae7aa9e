"""Converted audio under kills, flipped bits, concurrent processes, full disks and read-only folders."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser.audio.converted import read_converted
from ser.audio.decoding import AudioError
from ser.audio.waveforms import Waveforms
from tests.slow.faults.processes import ask, fork, give_up_privileges

HOUR = 3600


def corpus(folder: Path, number: int = 6) -> pd.DataFrame:
    """24-bit recordings, which have to be converted."""
    folder.mkdir()
    paths = [folder / f"{index}.wav" for index in range(number)]
    for index, path in enumerate(paths):
        noise = np.random.default_rng(index).uniform(-0.3, 0.3, 16_000 + index)
        soundfile.write(path, noise, 16_000, subtype="PCM_24")
    return pd.DataFrame({"path": [str(path) for path in paths]})


def everything(waveforms: Waveforms) -> bytes:
    return b"".join(waveforms.read(row).tobytes() for row in range(len(waveforms)))


def kill_preparations(folder: Path, number: int, seed: int = 0) -> int:
    """Kill `number` conversions at random moments; return how many were killed while writing.

    Before each, the cache is alternately empty or damaged. After each kill, every file is unchanged or complete.
    """
    table, cache = corpus(folder / "files"), folder / "cache"
    start = time.monotonic()
    expected = everything(Waveforms(table, cache))
    duration = time.monotonic() - start
    whole = contents(cache)
    damaged = {path: b"torn" + content[4:] for path, content in whole.items()}
    random, writing = np.random.default_rng(seed), 0
    for index in range(number):
        for path in whole:
            path.unlink()
            if index % 2:
                path.write_bytes(damaged[path])
        pid = fork(lambda: silently(lambda: Waveforms(table, cache)))
        time.sleep(random.uniform(0, duration))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        leftovers = list(cache.glob(".*.part"))
        left = {path: content for path, content in contents(cache).items() if path not in leftovers}
        assert left.items() <= whole.items() | (damaged.items() if index % 2 else set())
        assert not index % 2 or left.keys() == whole.keys()
        writing += bool(leftovers)
        for leftover in leftovers:
            os.utime(leftover, times=(0, time.time() - 2 * HOUR))
        assert silently(lambda: everything(Waveforms(table, cache))) == expected
        assert contents(cache) == whole
    return writing


def contents(cache: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in cache.iterdir()}


def silently(work: Callable[[], object]) -> object:
    """Do work without output on standard error."""
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        return work()


def flip_bits(folder: Path, number: int, seed: int = 0) -> int:
    """Flip `number` bits of a converted recording, every fourth one in a checksum; return how many in the samples.

    Each is detected when the file is checked, and when an already opened reader reads that half; the other half is
    still read correctly.
    """
    random, in_samples = np.random.default_rng(seed), 0
    table, cache = corpus(folder / "files", 1), folder / "cache"
    opened = Waveforms(table, cache)
    expected = opened.read(0)
    [path] = cache.iterdir()
    whole = path.read_bytes()
    samples = range(16_384), range(16_388, len(whole) - 4)  # bytes of the first 8192 samples, and of the others
    checksums = range(16_384, 16_388), range(len(whole) - 4, len(whole))
    halves = slice(0, 8_192), slice(8_192, 16_000)
    for index in range(number):
        half = int(random.integers(2))
        place = random.choice(samples[half] if index % 4 else checksums[half])
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        path.write_bytes(content)
        for read in (
            lambda: read_converted(path),
            lambda half=half: opened.read(0, halves[half].start, halves[half].stop),
        ):
            with pytest.raises(AudioError, match=rf"{path}: damaged \(.*\); delete it"):
                read()
        other = halves[1 - half]
        assert np.array_equal(opened.read(0, other.start, other.stop), expected[other])
        in_samples += index % 4 > 0
    return in_samples


def test_a_hundred_kills_tear_nothing_and_leave_nothing(tmp_path):
    assert kill_preparations(tmp_path, 100) > 0


def test_two_hundred_flipped_bits_are_all_found(tmp_path):
    assert flip_bits(tmp_path, 200) == 150


def test_damage_at_the_start_is_mended_and_said(tmp_path, capsys):
    table, cache = corpus(tmp_path / "files", 3), tmp_path / "cache"
    expected = everything(Waveforms(table, cache))
    path = min(cache.iterdir())
    content = bytearray(path.read_bytes())
    content[1000] ^= 4
    path.write_bytes(content)
    assert everything(Waveforms(table, cache)) == expected
    assert capsys.readouterr().err == f"ser: {path} is damaged or unreadable; the audio is converted again\n"
    waveforms = Waveforms(table, cache)
    assert capsys.readouterr().err == ""
    path.write_bytes(content)
    with pytest.raises(AudioError, match=rf"{path.name}: damaged \(.*\); delete it and start again"):
        everything(waveforms)
    path.unlink()
    with pytest.raises(AudioError, match=rf"{path.name}: unreadable \(No such file"):
        everything(waveforms)


def test_two_processes_at_once_both_get_the_right_one(tmp_path):
    table = corpus(tmp_path / "files")
    expected = everything(Waveforms(table, tmp_path / "alone"))
    for turn in range(10):
        cache = tmp_path / f"cache{turn}"
        pids = [fork(lambda cache=cache: check(everything(Waveforms(table, cache)) == expected)) for _ in range(2)]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
        assert [path.suffix for path in cache.iterdir()] == [".pcm"] * 6


def check(truth: bool) -> None:
    assert truth


def test_only_what_nobody_writes_to_is_swept(tmp_path):
    table, cache = corpus(tmp_path / "files", 2), tmp_path / "cache"
    cache.mkdir()
    for name, age in [(".new.pcm.part", 0), (".old.pcm.part", 2 * HOUR)]:
        (cache / name).write_bytes(b"half")
        os.utime(cache / name, times=(0, time.time() - age))
    Waveforms(table, cache)
    assert sorted(path.suffix for path in cache.iterdir()) == [".part", ".pcm", ".pcm"]
    assert (cache / ".new.pcm.part").exists()


def full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


@pytest.mark.parametrize(("fault", "cause"), [(full_disk, "File too large"), (give_up_privileges, "Permission denied")])
@pytest.mark.parametrize("before", ["damaged", "nothing"])
def test_where_nothing_can_be_written_the_file_is_named_and_the_old_ones_stay(tmp_path, fault, cause, before):
    table, cache = corpus(tmp_path / "files"), tmp_path / "cache"
    Waveforms(table.iloc[1:], cache)
    others = set(cache.iterdir())
    Waveforms(table, cache)
    [path] = set(cache.iterdir()) - others
    whole = path.read_bytes()
    if before == "damaged":
        path.write_bytes(whole[:-1])
    else:
        path.unlink()
    left = contents(cache)
    cache.chmod(0o555 if fault is give_up_privileges else 0o755)

    def prepare() -> None:
        fault()
        silently(lambda: Waveforms(table, cache))

    hint = "choose another folder with the environment variable SER_CACHE"
    assert ask(prepare) == f"InputError: {path} cannot be written: {cause}; {hint}"
    cache.chmod(0o755)
    assert contents(cache) == left
    silently(lambda: Waveforms(table, cache))
    assert path.read_bytes() == whole


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    table = corpus(tmp_path / "files", 2)
    (tmp_path / "taken").write_text("mine")
    for cache in (tmp_path / "taken", tmp_path / "taken" / "below"):
        answer = ask(lambda cache=cache: Waveforms(table, cache))
        assert answer.startswith(f"InputError: {cache}/"), answer
        assert answer.endswith("SER_CACHE"), answer
    assert (tmp_path / "taken").read_text() == "mine"
