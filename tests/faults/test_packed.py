"""Packed audio under kills, flipped bits, rivals, full disks and folders that nothing can be written to."""

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

from ser.audio.decoding import AudioError
from ser.audio.packed import PackedAudio, write_packed
from ser.audio.waveforms import Waveforms
from tests.faults.processes import ask, fork, give_up_privileges

HOUR = 3600


def corpus(folder: Path, number: int = 6) -> pd.DataFrame:
    """Recordings of 24 bits, which have to be converted."""
    folder.mkdir()
    paths = [folder / f"{index}.wav" for index in range(number)]
    for index, path in enumerate(paths):
        noise = np.random.default_rng(index).uniform(-0.3, 0.3, 16_000 + index)
        soundfile.write(path, noise, 16_000, subtype="PCM_24")
    return pd.DataFrame({"path": [str(path) for path in paths]})


def everything(waveforms: Waveforms) -> bytes:
    return b"".join(waveforms.read(row).tobytes() for row in range(len(waveforms)))


def kill_preparations(folder: Path, number: int, seed: int = 0) -> int:
    """Kill a preparation of packed audio at a random moment, again and again; how many were killed while they wrote.

    There is alternately no packed file before, and a damaged one. After every kill the file is as it was or whole.
    """
    table, cache = corpus(folder / "files"), folder / "cache"
    start = time.monotonic()
    expected = everything(Waveforms(table, cache))
    duration = time.monotonic() - start
    [packed] = cache.iterdir()
    whole = packed.read_bytes()
    damaged = b"torn" + whole[4:]
    random, writing = np.random.default_rng(seed), 0
    for index in range(number):
        packed.unlink()
        if index % 2:
            packed.write_bytes(damaged)
        pid = fork(lambda: silently(lambda: Waveforms(table, cache)))
        time.sleep(random.uniform(0, duration))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        left = packed.read_bytes() if packed.exists() else None
        assert left in (whole, damaged if index % 2 else None)
        leftovers = list(cache.glob(".*.part"))
        writing += bool(leftovers)
        for leftover in leftovers:
            os.utime(leftover, times=(0, time.time() - 2 * HOUR))
        assert silently(lambda: everything(Waveforms(table, cache))) == expected
        assert list(cache.iterdir()) == [packed]
    return writing


def silently(work: Callable[[], object]) -> object:
    """Work without its notes on standard error."""
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        return work()


def flip_bits(folder: Path, number: int, seed: int = 0) -> int:
    """Flip one bit of packed audio, again and again, every fourth one outside the samples; how many lay in them.

    Each is found when the file is opened. One in the samples is also found by whoever had opened it before and reads
    them; who reads others, or has read the table already, goes on with right samples.
    """
    random = np.random.default_rng(seed)
    recordings = [random.integers(-3000, 3000, 9_000 + index).astype(np.int16) for index in range(10)]
    path = folder / "flips.pcm"
    write_packed(path, recordings)
    whole, opened, in_samples = path.read_bytes(), PackedAudio(path), 0
    samples = range(32, 32 + 2 * sum(map(len, recordings)))
    others = [byte for byte in range(len(whole)) if byte not in samples]
    for index in range(number):
        place = int(random.integers(samples.start, samples.stop) if index % 4 else random.choice(others))
        content = bytearray(whole)
        content[place] ^= 1 << random.integers(8)
        path.write_bytes(content)
        with pytest.raises(AudioError, match=r"flips\.pcm: damaged"):
            PackedAudio(path)
        refusals = []
        for row, pcm in enumerate(recordings):
            try:
                assert np.array_equal(opened.read(row, 0, len(pcm)), pcm)
            except AudioError as error:
                refusals.append(str(error))
        assert all(text.startswith(f"{path}: damaged (") and "delete it" in text for text in refusals)
        assert bool(refusals) == (place in samples)
        in_samples += bool(refusals)
    return in_samples


def test_a_hundred_kills_tear_nothing_and_leave_nothing(tmp_path):
    assert kill_preparations(tmp_path, 100) > 0


def test_two_hundred_flipped_bits_are_all_found(tmp_path):
    assert flip_bits(tmp_path, 200) == 150


def test_damage_at_the_start_is_mended_and_said(tmp_path, capsys):
    table, cache = corpus(tmp_path / "files", 3), tmp_path / "cache"
    expected = everything(Waveforms(table, cache))
    [packed] = cache.iterdir()
    content = bytearray(packed.read_bytes())
    content[1000] ^= 4
    packed.write_bytes(content)
    assert everything(Waveforms(table, cache)) == expected
    assert capsys.readouterr().err == f"ser: {packed} is damaged or unreadable; the audio is converted again\n"
    waveforms = Waveforms(table, cache)
    assert capsys.readouterr().err == ""
    packed.write_bytes(content)
    with pytest.raises(AudioError, match=rf"{packed.name}: damaged \(.*\); delete it and start again"):
        waveforms.read(0)
    packed.unlink()
    with pytest.raises(AudioError, match=rf"{packed.name}: unreadable \(No such file"):
        waveforms.read(1)


def test_another_process_may_put_its_own_in_place(tmp_path):
    """On another machine a sample may be rounded the other way."""
    pcm = np.arange(20_000, dtype=np.int16)
    write_packed(tmp_path / "a.pcm", [pcm, pcm])
    opened = PackedAudio(tmp_path / "a.pcm")
    write_packed(tmp_path / "a.pcm", [pcm, pcm ^ 1])
    assert np.array_equal(opened.read(0, 5, 19_000), pcm[5:19_000])
    assert np.array_equal(opened.read(1, 5, 19_000), pcm[5:19_000] ^ 1)


def test_two_processes_at_once_both_get_the_right_one(tmp_path):
    table = corpus(tmp_path / "files")
    expected = everything(Waveforms(table, tmp_path / "alone"))
    for turn in range(10):
        cache = tmp_path / f"cache{turn}"
        pids = [fork(lambda cache=cache: check(everything(Waveforms(table, cache)) == expected)) for _ in range(2)]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
        assert [path.suffix for path in cache.iterdir()] == [".pcm"]


def check(truth: bool) -> None:
    assert truth


def test_only_what_nobody_writes_to_is_swept(tmp_path):
    table, cache = corpus(tmp_path / "files", 2), tmp_path / "cache"
    cache.mkdir()
    for name, age in [(".new.pcm.part", 0), (".old.pcm.part", 2 * HOUR)]:
        (cache / name).write_bytes(b"half")
        os.utime(cache / name, times=(0, time.time() - age))
    Waveforms(table, cache)
    assert sorted(path.suffix for path in cache.iterdir()) == [".part", ".pcm"]
    assert (cache / ".new.pcm.part").exists()


def full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize(("fault", "cause"), [(full_disk, "File too large"), (give_up_privileges, "Permission denied")])
@pytest.mark.parametrize("before", ["damaged", "nothing"])
def test_where_nothing_can_be_written_the_file_is_named_and_the_old_ones_stay(tmp_path, fault, cause, before):
    table, cache = corpus(tmp_path / "files"), tmp_path / "cache"
    Waveforms(corpus(tmp_path / "others", 2), cache)
    [other] = cache.iterdir()
    Waveforms(table, cache)
    [packed] = set(cache.iterdir()) - {other}
    whole = packed.read_bytes()
    if before == "damaged":
        packed.write_bytes(whole[:-1])
    else:
        packed.unlink()
    contents = {path: path.read_bytes() for path in cache.iterdir()}
    cache.chmod(0o555 if fault is give_up_privileges else 0o755)

    def prepare() -> None:
        fault()
        silently(lambda: Waveforms(table, cache))

    hint = "choose another folder with the environment variable SER_CACHE"
    assert ask(prepare) == f"InputError: {packed} cannot be written: {cause}; {hint}"
    cache.chmod(0o755)
    assert {path: path.read_bytes() for path in cache.iterdir()} == contents
    silently(lambda: Waveforms(table, cache))
    assert packed.read_bytes() == whole


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    table = corpus(tmp_path / "files", 2)
    (tmp_path / "taken").write_text("mine")
    for cache in (tmp_path / "taken", tmp_path / "taken" / "below"):
        answer = ask(lambda cache=cache: Waveforms(table, cache))
        assert answer.startswith(f"InputError: {cache}/"), answer
        assert answer.endswith("SER_CACHE"), answer
    assert (tmp_path / "taken").read_text() == "mine"
