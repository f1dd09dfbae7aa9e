"""Decoding block by block: files that change, formats that corpora refuse, peaks, damage."""

import os

import numpy as np
import pytest
import soundfile

from ser.audio import decoding
from ser.audio.blocks import Block
from ser.audio.checking import check_recording
from ser.audio.decoding import ANY_LENGTH, AudioError, decode_blocks
from tests.made_up.recordings import tone

CHECKED = {"WAV", "WAVEX", "RF64", "FLAC", "AIFF", "CAF"}
# RAW has no header; SD2 needs a second file for its header.
FORMATS = sorted(soundfile.available_formats().keys() - {"RAW", "SD2"})
RATES = {"WVE": 8_000, "XI": 44_100}  # the only ones that these have


def decoded(path) -> list[Block]:
    return list(decode_blocks(path, ANY_LENGTH, any_container=True))


def written(folder, container, samples=None):
    rate = RATES.get(container, 16_000)
    path = folder / f"a.{container.lower()}"
    soundfile.write(path, tone(440, rate) if samples is None else samples, rate, format=container)
    return path


def append(path):
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path):
    content = path.read_bytes()
    path.write_bytes(content[:2000] + content[2000:][::-1])


def truncate(path):
    os.truncate(path, 2000)


def touch(path):
    os.utime(path)


@pytest.mark.parametrize("container", ["WAV", "FLAC"])
@pytest.mark.parametrize("change", [append, rewrite, truncate, touch])
@pytest.mark.parametrize("blocks_before", [1, 3])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, container, change, blocks_before):
    """Early, and after its last block."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 30_000)
    path = written(tmp_path, container, samples)
    os.utime(path, (0, 0))
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 10_000)
    blocks = decode_blocks(path)
    for _ in range(blocks_before):
        next(blocks)
    change(path)
    with pytest.raises(AudioError) as caught:
        list(blocks)
    assert str(caught.value) == f"{path}: changed while it was read"


def test_reading_a_file_does_not_change_it(tmp_path):
    path = written(tmp_path, "WAV")
    blocks = decode_blocks(path)
    next(blocks)
    os.utime(path, ns=(1, path.stat().st_mtime_ns))  # read by another program
    assert list(blocks) == []


@pytest.mark.parametrize("container", FORMATS)
def test_every_format_is_decoded_as_soundfile_does(tmp_path, monkeypatch, capfd, container):
    path = written(tmp_path, container)
    expected, rate = soundfile.read(path, dtype="float32")
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 3_000)
    blocks = decoded(path)
    found = np.concatenate([block.samples for block in blocks])
    assert np.abs(found - expected).max() <= (1e-6 if container == "MP3" else 0)  # its decoder rounds differently
    assert capfd.readouterr() == ("", ""), "nor does a decoder complain"
    assert {(block.container, block.sample_rate_hz, block.promised) for block in blocks} == {
        (container, rate, len(expected))
    }


@pytest.mark.parametrize("container", FORMATS)
def test_corpora_refuse_formats_in_which_damage_is_not_noticed(tmp_path, container):
    path = written(tmp_path, container)
    if container in CHECKED:
        assert check_recording(path).num_samples == 8_000
    else:
        with pytest.raises(AudioError) as caught:
            check_recording(path)
        assert str(caught.value) == f"{path}: unreadable ({container} is not supported; convert it to WAV or FLAC)"


@pytest.mark.parametrize("container", ["MP3", "OGG"])
@pytest.mark.parametrize("amplitude", [1.3, 1.7, 2.3])
def test_compression_may_double_a_peak_and_no_more(tmp_path, container, amplitude):
    """Compression itself adds some ringing, so that each amplitude is far from the limits."""
    path = written(tmp_path, container, tone(300, 16_000, 1, amplitude))
    peak = np.abs(soundfile.read(path)[0]).max()
    assert peak == pytest.approx(amplitude, rel=0.1)
    if peak < 2:
        found = np.concatenate([block.samples for block in decoded(path)])
        assert np.abs(found - np.clip(soundfile.read(path, dtype="float32")[0], -1, 1)).max() < 1e-6
    else:
        with pytest.raises(AudioError, match=f"samples reach {peak:.3f}.*, but full scale is 1"):
            decoded(path)


@pytest.mark.parametrize("container", ["AU", "CAF", "W64", "WAV"])
@pytest.mark.parametrize("amplitude", [1.1, 1.15])
def test_other_formats_may_exceed_full_scale_by_one_decibel(tmp_path, container, amplitude):
    path = tmp_path / "a"
    soundfile.write(path, tone(300, 16_000, 1, amplitude), 16_000, format=container, subtype="FLOAT")
    if amplitude < 10 ** (1 / 20):
        assert max(np.abs(block.channels).max() for block in decoded(path)) == pytest.approx(amplitude, abs=0.01)
    else:
        with pytest.raises(AudioError, match="full scale is 1"):
            decoded(path)


def test_packets_of_an_aiff_file_are_not_a_wrong_length(tmp_path):
    """Its header counts packets of 64 samples; a file that lacks one is truncated."""
    path = tmp_path / "a.aifc"
    soundfile.write(path, tone(440, 16_000), 16_000, format="AIFF", subtype="IMA_ADPCM")
    expected = soundfile.read(path, dtype="float32")[0]
    assert (np.concatenate([block.samples for block in decoded(path)]) == expected).all()
    path.write_bytes(path.read_bytes()[:-34])
    with pytest.raises(AudioError, match="truncated"):
        decoded(path)


def test_a_truncated_ogg_file_of_one_page_is_not_called_empty_alone(tmp_path):
    path = written(tmp_path, "OGG")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AudioError, match="empty or truncated"):
        decoded(path)


@pytest.mark.parametrize("container", FORMATS)
def test_a_damaged_file_is_read_or_refused_with_one_line(tmp_path, container):
    """Cut at any place, or with changed bytes in its header; checked formats notice a missing half."""
    path = written(tmp_path, container, np.random.default_rng(0).uniform(-0.5, 0.5, 8_000))
    content, rng = path.read_bytes(), np.random.default_rng(1)
    damaged = {"half": content[: len(content) // 2], "10 bytes": content[:10], "1 byte": content[:1]}
    for number in range(20):
        changed = bytearray(content)
        for place in rng.integers(0, 60, 3):
            changed[place] ^= int(rng.integers(1, 256))
        damaged[f"changed {number}"] = bytes(changed)
    outcomes = {}
    for how, each in damaged.items():
        path.write_bytes(each)
        try:
            blocks = decoded(path)
        except AudioError as error:
            outcomes[how], message = "refused", str(error)
        else:
            outcomes[how], message = "read", f"{path}: "
            assert max(np.abs(block.samples).max() for block in blocks) <= 1
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
    assert outcomes["10 bytes"] == outcomes["1 byte"] == "refused"
    assert outcomes["half"] == "refused" or container not in CHECKED
