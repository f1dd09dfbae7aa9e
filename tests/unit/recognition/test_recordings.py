"""Files, folders, manifests and samples that a user names."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ser.audio.cuts import Cut
from ser.audio.sound import Sound
from ser.errors import InputError
from ser.recognition import recordings
from ser.recognition.recordings import Recording, find_recordings, read_sounds
from ser.recognition.samples import given_samples
from tests.made_up.recognisers import voice


def names(listed):
    return [each.path for each in listed.found]


def made(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"")
    return [str(folder / path) for path in paths]


def test_inputs_are_listed_in_their_order_and_each_file_once(tmp_path, monkeypatch):
    files = made(tmp_path, "b.wav", "a/2.FLAC", "a/1.mp3", "a/deep/er/x.ogg", "a/notes.txt", "a/README", "a/b.Txt")
    monkeypatch.chdir(tmp_path)
    listed = find_recordings(["b.wav", "a", "a/1.mp3", "./b.wav", "missing.wav", files[0]])
    assert names(listed) == ["b.wav", "a/1.mp3", "a/2.FLAC", "a/deep/er/x.ogg", "missing.wav"]
    assert dict(listed.left_out) == {".txt": 2, "README": 1}
    assert listed.problems == []


def test_hidden_files_and_folders_are_left_out(tmp_path):
    """macOS writes a file ._name beside every file on a foreign disk."""
    made(tmp_path, "._a.wav", "a.wav", ".cache/b.wav")
    assert names(find_recordings([tmp_path])) == [str(tmp_path / "a.wav")]


def test_a_folder_that_links_to_itself_is_read_once(tmp_path):
    made(tmp_path, "x/a.wav", "y/b.wav")
    (tmp_path / "x" / "loop").symlink_to(tmp_path)
    (tmp_path / "x" / "beside").symlink_to(tmp_path / "y")
    assert sorted(map(os.path.basename, names(find_recordings([tmp_path])))) == ["a.wav", "b.wav"]


def test_a_folder_without_audio_is_a_problem(tmp_path):
    made(tmp_path, "a.txt")
    assert find_recordings([tmp_path]).problems == [f"{tmp_path}: there is no audio file in this folder"]


@pytest.mark.parametrize(("closed", "found"), [("", []), ("secret", ["a.wav"])])
def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path, monkeypatch, closed, found):
    """Also one inside another."""
    made(tmp_path, "a.wav", "secret/b.wav")

    def scan(path, scandir=os.scandir):
        if str(path) == str(tmp_path / closed):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    listed = find_recordings([tmp_path])
    assert names(listed) == [str(tmp_path / name) for name in found]
    assert listed.problems == [f"{tmp_path / closed}: unreadable (Permission denied)"]


def test_names_that_are_not_utf8(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.wav", os.O_CREAT))
    (found,) = find_recordings([tmp_path]).found
    assert found.name == f"{tmp_path}/caf\\xe9.wav"
    assert os.path.exists(found.path)


def test_a_manifest_has_paths_beside_it_parts_and_speakers(tmp_path):
    lines = ["Path;speaker;start;end;note", "a.wav;03;;;", "b/b.wav;;1.5;;x", "/c.wav;04;0;2;", "a.wav;03;;;again"]
    (tmp_path / "list.CSV").write_text("\n".join(lines))
    listed = find_recordings([tmp_path / "list.CSV"])
    assert names(listed) == [f"{tmp_path}/a.wav", f"{tmp_path}/b/b.wav", "/c.wav"]
    assert [each.speaker for each in listed.found] == ["03", "", "04"]
    assert [str(each.cut) for each in listed.found] == ["0 s to the end", "1.5 s to the end", "0 s to 2 s"]
    assert listed.problems == []


def test_bad_lines_are_named_and_the_others_kept(tmp_path):
    file = tmp_path / "list.csv"
    lines = ["path,start,end", "a.wav,x,", "b.wav,2,1", ",1,2", "c.wav,1,2", "d.wav,-1,2", "e.wav,1", "f.wav,,inf"]
    file.write_text("\n".join(lines))
    listed = find_recordings([file])
    assert names(listed) == [f"{tmp_path}/c.wav"]
    assert [problem.removeprefix(f"{file}:")[0] for problem in listed.problems] == list("234678")
    assert "start and end must be numbers of seconds" in listed.problems[0]
    assert "end is 1 s, but must be after start, 2 s" in listed.problems[1]
    assert "column path is empty" in listed.problems[2]


def test_a_manifest_without_a_column_path(tmp_path):
    (tmp_path / "list.csv").write_text("file\na.wav\n")
    listed = find_recordings([tmp_path / "list.csv"])
    assert listed.found == []
    assert "list.csv:1: no column path" in listed.problems[0]


def test_an_empty_list_and_an_empty_name_are_problems(tmp_path):
    (tmp_path / "list.csv").write_text("path,start,end\n")
    listed = find_recordings([tmp_path / "list.csv", ""])
    assert listed.found == []
    assert listed.problems == [
        f"{tmp_path}/list.csv: there is no recording in this list",
        "an empty name is no recording",
    ]


def test_parts_that_differ_by_a_sample_are_two_parts(tmp_path):
    """Six digits are a resolution of 10 ms after an hour."""
    lines = ["3600.00125,3601", "3600.0013125,3601", "3600.00125,3601.0000625", "3600.00125,3601", "3600.00125,"]
    (tmp_path / "list.csv").write_text("\n".join(["path,start,end", *(f"a.wav,{line}" for line in lines)]))
    found = find_recordings([tmp_path / "list.csv"]).found
    assert [each.cut for each in found[:3]] == [
        (3600.00125, 3601),
        (3600.0013125, 3601),
        (3600.00125, 3601.0000625),
    ]
    assert len(found) == 4, "of the equal ones, one"


@pytest.fixture
def file(tmp_path):
    soundfile.write(tmp_path / "a.wav", voice(2), 16_000, "PCM_16")
    return str(tmp_path / "a.wav")


def test_parts_of_a_file_are_converted_once(file, monkeypatch):
    heard = []
    monkeypatch.setattr(recordings, "listen", lambda blocks: heard.append(1) or real(blocks))
    parts = [Cut(), Cut(0.5), Cut(0.25, 1.5)]
    whole = voice(2)
    found = list(read_sounds([Recording(file, cut) for cut in parts]))
    assert heard == [1]
    for (_, sound), (start, stop) in zip(found, [(0, 32_000), (8_000, 32_000), (4_000, 24_000)], strict=True):
        assert (sound.read() == whole[start:stop]).all()


real = recordings.listen


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (Cut(0.5, 2.5), "a.wav: end is 2.5 s, but the recording has 2 s"),
        (Cut(0.5, 0.50001), "a.wav, 0.5 s to 0.50001 s: shorter than a sample"),
        (Cut(2.005), "a.wav, 2.005 s to the end: shorter than a sample"),
    ],
)
def test_a_part_that_is_not_in_the_file_is_named(file, cut, message):
    """The parts before and after it can be used."""
    before, wrong, after = (found for _, found in read_sounds([Recording(file, each) for each in (Cut(), cut, Cut(1))]))
    assert str(wrong).endswith(message)
    assert str(wrong).startswith(file)
    assert isinstance(before, Sound)
    assert after.num_samples == 16_000


def test_a_file_that_cannot_be_read_is_named_for_each_part(tmp_path, file):
    (tmp_path / "empty.wav").touch()
    os.mkfifo(tmp_path / "pipe.wav")
    paths = [str(tmp_path / name) for name in ("empty.wav", "none.wav", "pipe.wav")] + [file, str(tmp_path)]
    found = [each for _, each in read_sounds([Recording(path) for path in paths])]
    causes = ["empty (0 bytes)", "missing", "not a file"]
    assert [str(each) for each in found[:3]] == [f"{path}: {cause}" for path, cause in zip(paths, causes, strict=False)]
    assert found[3].num_samples == 32_000
    assert str(found[4]) == f"{tmp_path}: not a file"


def test_a_recording_for_which_there_is_no_room_is_named(file, monkeypatch):
    def full(blocks):
        raise InputError("/tmp: No space left on device")

    monkeypatch.setattr(recordings, "listen", full)
    ((_, found),) = read_sounds([Recording(file)])
    assert str(found) == f"{file}: /tmp: No space left on device"


NUMBERS = np.array([0.5, -0.25, 0.0, 0.125])


@pytest.mark.parametrize(
    "samples",
    [
        NUMBERS,
        NUMBERS.astype(np.float32),
        (NUMBERS * 2**15).astype(np.int16),
        (NUMBERS * 2**31).astype(np.int32),
        NUMBERS.astype(np.float16),
    ],
)
@pytest.mark.parametrize("rate", [16_000, 44_100.0, np.int32(8_000)])
def test_samples_of_any_type(samples, rate):
    found, found_rate = given_samples((samples, rate))
    assert found.dtype == np.float32
    assert found.tolist() == [[each] for each in NUMBERS.tolist()]
    assert (found_rate, type(found_rate)) == (int(rate), int)


def test_samples_with_channels():
    found, _ = given_samples((np.stack([NUMBERS, NUMBERS / 2], axis=1), 16_000))
    assert found.shape == (4, 2)
    (block,) = Recording("", samples=(found, 16_000)).blocks()
    assert np.allclose(block.samples, 0.75 * NUMBERS)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (NUMBERS, "samples without their rate cannot be used"),
        ((NUMBERS,), "samples without their rate"),
        (16_000, "samples without their rate"),
        (b"ab", "the sample rate is 98|samples without their rate"),
        (("a.wav", "b.wav"), "give several recordings as a list"),
        ((Path("a.wav"), Path("b.wav"), Path("c.wav")), "give several recordings as a list"),
        ((16_000, NUMBERS), "the sample rate is ndarray, but must be"),
        (([[0.1, 0.2], [0.1]], 16_000), "samples cannot be converted to an array"),
        ((torch.zeros(9, requires_grad=True), 16_000), "samples cannot be converted to an array"),
        ((NUMBERS, None), "the sample rate is None"),
        ((NUMBERS, True), "the sample rate is True"),
        ((NUMBERS, float("nan")), "the sample rate is nan"),
        ((NUMBERS, float("inf")), "the sample rate is inf"),
        ((NUMBERS, 16_000.5), "must be a whole number of Hz"),
        ((NUMBERS, 999), "must be between 1000 and 1000000 Hz"),
        ((NUMBERS, 1_000_001), "must be between 1000 and 1000000 Hz"),
        ((NUMBERS[None], 16_000), r"look like \(channels, samples\); transpose them"),
        ((NUMBERS[None, None], 16_000), "have the shape"),
        ((NUMBERS[:0], 16_000), "have the shape"),
        ((0.5, 16_000), "have the shape"),
        ((NUMBERS + 1j, 16_000), "samples are complex128"),
        ((NUMBERS > 0, 16_000), "samples are bool"),
        (((100 * NUMBERS).astype(np.uint8), 16_000), "samples are uint8"),
        ((["a"], 16_000), "samples are <U1"),
        ((np.array([0.1, np.nan]), 16_000), "contain infinity or NaN"),
        ((np.array([0.1, np.inf]), 16_000), "contain infinity or NaN"),
        ((32_768 * NUMBERS, 16_000), "samples reach 16384, but full scale is 1"),
    ],
)
def test_samples_that_cannot_be_used(value, message):
    with pytest.raises(InputError, match=message):
        given_samples(value)
