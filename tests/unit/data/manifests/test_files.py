"""Which files of a folder are read, and what is refused."""

from __future__ import annotations

import os

import pytest

from ser.data.manifests._public_corpus import wav_files
from ser.data.manifests._writing import write_manifest
from ser.data.manifests.ravdess import RAVDESS
from ser.errors import InputError

NAME = "03-01-06-01-02-01-12.wav"


def test_foreign_and_hidden_files_are_ignored(tmp_path):
    for name in (
        "README.txt",
        ".DS_Store",
        f"._{NAME}",
        f"__MACOSX/Actor_12/._{NAME}",
        f".cache/{NAME}",
        NAME,
        "x.mp4",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    assert wav_files(tmp_path) == [str(tmp_path / NAME)]


def test_linked_folders_are_read_once(tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / NAME).touch()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "b").symlink_to(tmp_path / "audio")
    (tmp_path / "corpus" / "c").symlink_to(tmp_path / "audio")
    (tmp_path / "audio" / "loop").symlink_to(tmp_path / "corpus")
    assert wav_files(tmp_path / "corpus") == [str(tmp_path / "corpus" / "b" / NAME)]


def test_an_unreadable_folder_is_not_skipped(tmp_path, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        wav_files(tmp_path)


def test_a_copy_within_the_folder_is_one_message(tmp_path):
    """A download of RAVDESS can contain every actor twice."""
    folders = [tmp_path / "Actor_12", tmp_path / "audio_speech_actors_01-24" / "Actor_12"]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in (NAME, NAME.replace("06", "05")):
            (folder / name).touch()
    with pytest.raises(InputError) as caught:
        RAVDESS(str(tmp_path)).rows()
    assert str(caught.value).splitlines() == [
        f"RAVDESS in {tmp_path}: 2 names are used more than once; give a folder that holds each recording once",
        *(f"  {folder / NAME.replace('06', '05')}" for folder in folders),
    ]
    assert len(RAVDESS(str(folders[1].parent)).rows()[0]) == 2


def test_ten_recordings_of_another_naming_are_listed(tmp_path):
    names = [f"take{number:02}.wav" for number in range(13)]
    for name in (NAME, *names):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as caught:
        RAVDESS(str(tmp_path)).rows()
    assert str(caught.value).splitlines() == [
        f"RAVDESS in {tmp_path}: 13 recordings not named like {NAME}",
        *(f"  {tmp_path / name}" for name in names[:10]),
        "  ... and 3 more",
    ]


@pytest.mark.parametrize("name", [f"x{NAME}", "03-01-09-01-02-01-12.wav", "03-01-06-01-02-01-25.wav", f"{NAME}.wav"])
def test_the_whole_name_counts(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="1 recording not named like 03-01"):
        RAVDESS(str(tmp_path)).rows()


def test_a_folder_that_is_not_utf_8_is_refused(tmp_path):
    folder = os.fsencode(tmp_path / "b") + b"\xff"
    os.mkdir(folder)
    (tmp_path / os.fsdecode(folder) / NAME).touch()
    with pytest.raises(InputError, match="the name of a folder in it is not UTF-8"):
        write_manifest("ravdess", str(tmp_path), str(tmp_path / "a.csv"))
    assert not (tmp_path / "a.csv").exists()
