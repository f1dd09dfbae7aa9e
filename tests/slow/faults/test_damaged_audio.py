"""Arbitrary WAV files: correct samples or a clear error, in under a second and in memory proportional to the file."""

from __future__ import annotations

import re
import resource
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser.audio.checking import check_recording
from ser.audio.decoding import AudioError, decode
from ser.audio.recording import read_recording
from tests.slow.faults.processes import ask
from tests.slow.faults.riff import EXTENSIBLE, FLOAT, PCM, chunk, extensible, form, readings, riff, samples, wav

DATA = samples(PCM, 16)  # 1600 bytes
FORM = chunk(b"fmt ", form())
NATIVE = chunk(b"data", DATA)
CHUNKS = "unreadable (it needs one fmt chunk, then one data chunk; it has: "
TWO_LENGTHS = "unreadable (its header promises 800 and 1600 bytes of samples)"
WIDTHS = [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)]


def with_sizes(name: str, content: bytes, frame_bytes: int) -> dict[str, tuple[bytes, str | None]]:
    """A wrong size of the data chunk: too large is an error, and bytes beyond it are not read."""
    form_chunk, there = content[12:36], len(content) - 44
    lying = {f"{name} of {size} bytes": size for size in (there + 1, there + 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)}
    files = {
        case: (
            riff(form_chunk, chunk(b"data", content[44:], size)),
            f"{'truncated' if size < 2**30 else 'of unknown length'} (its header promises {size} bytes",
        )
        for case, size in lying.items()
    }
    for size in (frame_bytes, 100 * frame_bytes, there - 1):
        files[f"{name} of {size} bytes"] = riff(form_chunk, chunk(b"data", content[44:], size)), None
    empty = riff(form_chunk, chunk(b"data", content[44:], frame_bytes - 1))
    return files | {f"{name} of {frame_bytes - 1} bytes": (empty, "empty (no samples)")}


def streamed() -> dict[str, tuple[bytes, str | None]]:
    """Sizes that were never filled in: files written into a pipe, or by a recorder that was stopped."""
    found = {}
    for name, riff_size, size in [
        ("ffmpeg", 0xFFFFFFFF, 0xFFFFFFFF),
        ("sox", 0x7FFFF024, 0x7FFFF000),
        ("arecord", 0x80000024, 0x80000000),
        ("another", 0x7FFFFFFF, 0x7FFFFFFF - 36),
        ("a recorder", 0, 0),
        ("a recorder with a header", 36, 0),
        ("only the length of the samples", None, 0),
    ]:
        content = riff(FORM, chunk(b"data", DATA, size), size=riff_size)
        found[f"streamed by {name}"] = content, f"of unknown length (its header promises {size} bytes of samples, 1600"
    rest = chunk(b"LIST", b"abc")
    return found | {
        "zeros, then samples": (riff(FORM, chunk(b"data", bytes(99) + DATA, 0), size=0), "of unknown length"),
        "in floats": (riff(chunk(b"fmt ", form(FLOAT, 32)), chunk(b"data", DATA, 2**32 - 1)), "of unknown length"),
        "samples like a chunk": (riff(FORM, chunk(b"data", b"abcd" * 400, 0), size=0), "of unknown length"),
        "streamed, none written": (riff(FORM, chunk(b"data", b"", 2**32 - 1)), "truncated"),
        "no samples, another chunk": (riff(FORM, chunk(b"data", b""), rest), "of unknown length"),
        "no samples, an odd chunk": (riff(FORM, chunk(b"data", b""), rest[:-1]), "of unknown length"),
    }


def files() -> dict[str, tuple[bytes, str | None]]:
    """Content of each file, and the cause it is refused for; None if it must be read."""
    found: dict[str, tuple[bytes, str | None]] = {}
    for encoding, bits in WIDTHS:
        for channels in (1, 2, 100, 1024):
            found[f"{encoding}/{bits} bits, {channels} channels"] = wav(encoding, bits, channels), None
        found[f"extensible {encoding}/{bits}"] = (
            riff(chunk(b"fmt ", extensible(encoding, bits)), chunk(b"data", samples(encoding, bits))),
            None,
        )
    found |= (
        with_sizes("integers", wav(), 2) | with_sizes("floats", wav(FLOAT, 32), 4) | with_sizes("24", wav(bits=24), 3)
    )
    for size in (0, 1, 4, 36, 100, 2**31, 2**32 - 1):
        found[f"RIFF size {size}"] = riff(FORM, NATIVE, size=size), None
    short = "unreadable (Error in WAV/W64/RF64 file. Short 'fmt ' chunk)"
    found["format of 14 bytes"] = riff(chunk(b"fmt ", form()[:14]), NATIVE), short
    found["format size 15"] = riff(chunk(b"fmt ", form(), 15), NATIVE), short
    for size in (0, 2, 17, 18, 40, 1000, 2**32 - 1):
        found[f"format size {size}"] = riff(chunk(b"fmt ", form(), size), NATIVE), CHUNKS + "fmt)"
    found |= streamed()
    long = struct.pack("<QQQI", 2**63, 2**63, 2**62, 0)
    right = struct.pack("<QQQI", len(DATA) + 80, len(DATA), 800, 0)
    open_end = chunk(b"data", DATA, 2**32 - 1)
    contradiction = "unreadable (its header contradicts itself: "
    return found | {
        "RF64": (riff(chunk(b"ds64", right), FORM, open_end, name=b"RF64"), None),
        "RF64 of 2**63 bytes": (
            riff(chunk(b"ds64", long), FORM, open_end, name=b"RF64"),
            "of unknown length (its header promises 9",
        ),
        "RF64 without length": (riff(FORM, open_end, name=b"RF64"), "of unknown length"),
        "RF64 of two lengths": (
            riff(chunk(b"ds64", right), FORM, chunk(b"data", DATA, 800), name=b"RF64"),
            TWO_LENGTHS,
        ),
        "RIFF with RF64's length": (riff(chunk(b"ds64", right), FORM, open_end), "of unknown length"),
        "samples before format": (riff(NATIVE, FORM), CHUNKS + "data, fmt)"),
        "format again behind": (riff(FORM, NATIVE, chunk(b"fmt ", form(channels=2))), CHUNKS + "fmt, data, fmt)"),
        "two formats": (riff(FORM, chunk(b"fmt ", form(channels=2)), NATIVE), CHUNKS + "fmt, fmt, data)"),
        "two times samples": (riff(FORM, NATIVE, NATIVE), CHUNKS + "fmt, data, data)"),
        "none, then samples": (riff(FORM, chunk(b"data", b""), NATIVE), CHUNKS + "fmt, data, data)"),
        "no samples": (riff(FORM), CHUNKS + "fmt)"),
        "only a name": (b"RIFF\0\0\0\0WAVE", CHUNKS + "neither)"),
        "odd chunks": (riff(chunk(b"LIST", b"abc"), FORM, chunk(b"junk", b"x"), NATIVE, chunk(b"id3 ", b"y")), None),
        "odd chunk without padding": (riff(FORM, b"LIST\3\0\0\0abc", NATIVE), CHUNKS + "fmt)"),
        "zeros behind": (riff(FORM, NATIVE) + bytes(2_000_000), None),
        "zeros for samples": (riff(FORM) + bytes(8_000_000), CHUNKS + "fmt)"),
        "a million chunks": (riff(FORM, chunk(b"junk", b"") * 1_000_000, NATIVE), CHUNKS + "fmt)"),
        "0 channels": (wav(channels=0), contradiction + "0 channel(s) of 16 bits"),
        "0 bits": (riff(chunk(b"fmt ", form(bits=0)), NATIVE), contradiction + "1 channel(s) of 0 bits"),
        "0 Hz": (wav(rate=0), contradiction + "1 channel(s) of 16 bits at 0 Hz"),
        "2**32 - 1 Hz": (wav(rate=2**32 - 1), contradiction),
        "a flipped bit in the rate": (wav(rate=16_001, second_bytes=32_000), contradiction),
        "a flipped bit in the width": (wav(bits=24, frame_bytes=2), contradiction),
        "a flipped bit in the channels": (wav(channels=3, frame_bytes=2), contradiction),
        "24 bits in 4 bytes": (wav(bits=24, frame_bytes=4), contradiction),
        "1025 channels": (wav(channels=1025), "unreadable (Too many channels specified)"),
        "65535 channels": (riff(chunk(b"fmt ", form(channels=65_535)), NATIVE), contradiction),
        "100 channels, cut": (wav(channels=100)[:-1], "truncated"),
        "64-bit integers": (riff(chunk(b"fmt ", form(bits=64)), NATIVE), "unreadable (File contains data in an unimpl"),
        "16-bit floats": (riff(chunk(b"fmt ", form(FLOAT)), NATIVE), "unreadable"),
        "another extension": (riff(chunk(b"fmt ", extensible(tail=bytes(14))), NATIVE), "unreadable"),
        "an extension cut off": (riff(chunk(b"fmt ", form(EXTENSIBLE)), NATIVE), "unreadable"),
        "unknown encoding": (riff(chunk(b"fmt ", form(0x7777)), NATIVE), "unreadable"),
        "1 Hz": (wav(rate=1), "its sample rate of 1 Hz cannot be converted"),
        "15999 Hz": (wav(rate=15_999), None),
        "124990 Hz": (wav(bits=24, rate=124_990, frames=8000), None),
        "400001 Hz": (wav(rate=400_001, frames=24_000), "its sample rate of 400001 Hz cannot be converted"),
        "2**31 - 1 Hz": (wav(bits=8, rate=2**31 - 1), "its sample rate of 2147483647 Hz cannot be converted"),
    }


def test_a_right_reading_or_a_clear_error(tmp_path):
    path = tmp_path / "a.wav"
    for case, (content, cause) in files().items():
        path.write_bytes(content)
        if cause is None:
            heard, rate, *_ = decode(path)
            heard = heard / 32_768 if heard.dtype == np.int16 else heard
            others = readings(path)
            assert others, case
            for name, (expected, expected_rate) in others.items():
                assert rate == expected_rate, (case, name)
                assert len(heard) == len(expected), (case, name)
                assert np.allclose(heard, expected, rtol=0, atol=1e-6), (case, name)
        else:
            for read in (decode, check_recording, read_recording):
                with pytest.raises(AudioError) as caught:
                    read(path)
                assert str(caught.value).startswith(f"{path}: {cause}"), (case, str(caught.value))
                assert "\n" not in str(caught.value)


def hours(folder: Path) -> dict[Path, str]:
    """Small files of other formats that declare hours, or decompress to minutes, and the cause in the error."""
    paths = {name: folder / name for name in ("claims.flac", "silence.flac", "unknown.flac", "claims.aiff")}
    for path in paths.values():
        silence = np.zeros(630 * 16_000 if path.name in ("silence.flac", "unknown.flac") else 0, np.int16)
        soundfile.write(path, np.append(np.frombuffer(DATA, "<i2"), silence), 16_000, subtype="PCM_16")
    for name, place, length in [
        ("claims.flac", 22, 2**32 - 1),  # the lower 32 of 36 bits of the number of samples
        ("unknown.flac", 22, 0),
        ("claims.aiff", paths["claims.aiff"].read_bytes().index(b"COMM") + 10, 2**31 - 1),
    ]:
        content = bytearray(paths[name].read_bytes())
        content[place : place + 4] = struct.pack(">I", length)
        paths[name].write_bytes(content)
    found = {path: "longer than 600 s" if path.suffix == ".flac" else "truncated" for path in paths.values()}
    with (folder / "sparse.wav").open("wb") as file:
        file.write(riff(FORM, chunk(b"data", b"", 2**31)))
        file.truncate(44 + 2**31)
    with (folder / "fast.wav").open("wb") as file:  # 79 s
        file.write(riff(chunk(b"fmt ", form(rate=384_000)), chunk(b"data", b"", 2 * 30_400_000)))
        file.truncate(44 + 2 * 30_400_000)
    return found | {
        folder / "fast.wav": "more than 28800000 samples a channel",
        paths["unknown.flac"]: "unreadable (a stream of unknown length",
        folder / "sparse.wav": "longer than 600 s",
    }


def read_in(path: Path, mebibytes: float) -> tuple[str, float]:
    """Decode a file with limited additional memory; return the outcome and the seconds of processor time."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + int(mebibytes * 2**20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    start = time.process_time()
    try:
        decode(path)
        outcome = "read"
    except AudioError as error:
        outcome = str(error).removeprefix(f"{path}: ")
    except MemoryError:
        outcome = "memory"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return outcome, time.process_time() - start


def test_no_file_takes_a_second_or_more_memory_than_it_deserves(tmp_path):
    path = tmp_path / "a.wav"

    def read_all() -> dict[str, tuple[str, float]]:
        outcomes = {}
        for case, (content, _) in files().items():
            path.write_bytes(content)
            outcomes[case] = read_in(path, 16 + 5 * len(content) / 2**20)
        return outcomes

    outcomes = ask(read_all)
    for case, (_, cause) in files().items():
        outcome, seconds = outcomes[case]
        assert outcome.startswith(cause or "read"), (case, outcome)
        assert seconds < 1, case


def test_hours_of_sound_are_neither_decoded_nor_believed(tmp_path):
    for path, cause in hours(tmp_path).items():
        outcome, seconds = ask(lambda path=path: read_in(path, 16))
        assert outcome.startswith(cause), (path.name, outcome)
        assert seconds < 1, path.name


@pytest.mark.parametrize("container", ["AIFF", "CAF", "FLAC", "MP3", "OGG", "AU", "W64", "NIST", "VOC"])
def test_other_formats_cut_short_are_not_taken_for_whole(tmp_path, container):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 32_000)
    soundfile.write(tmp_path / "a.wav", noise, 16_000, format=container)
    content = (tmp_path / "a.wav").read_bytes()
    if container in ("MP3", "OGG", "AU", "W64", "NIST", "VOC"):
        with pytest.raises(AudioError, match=f"({container}|MPEG) is not supported; convert it to WAV or FLAC"):
            decode(tmp_path / "a.wav")
    else:
        assert len(decode(tmp_path / "a.wav")[0]) == 32_000
    for kept in (0.3, 0.6, 0.9):
        (tmp_path / "a.wav").write_bytes(content[: int(kept * len(content))])
        with pytest.raises(AudioError, match=r"a\.wav: (truncated|unreadable)"):
            decode(tmp_path / "a.wav")


def test_floats_beyond_full_scale_are_clipped_before_they_are_resampled_and_refused_beyond_1_db(tmp_path):
    loud = np.tile(np.float32([1, -1, 1]), 2000)
    for name, factor in (("a", 1.122), ("b", 1), ("c", 1.123), ("d", 3e38)):
        soundfile.write(tmp_path / f"{name}.wav", factor * loud, 44_100, subtype="FLOAT")
    assert np.array_equal(read_recording(tmp_path / "a.wav"), read_recording(tmp_path / "b.wav"))
    for name, reached in (("c", "1.123"), ("d", "3e+38")):
        with pytest.raises(AudioError, match=rf"{name}\.wav: samples reach {re.escape(reached)}, but full scale is 1;"):
            read_recording(tmp_path / f"{name}.wav")
