"""The folder of a report: only an earlier report is ever removed."""

import json
from pathlib import Path

import pytest

from ser.errors import InputError
from ser.report.page.folder import check_folder, new_folder, write_marker


def made_report(folder, **about):
    folder.mkdir()
    (folder / "index.html").write_text("earlier")
    write_marker(folder, about)
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_an_earlier_report_is_replaced_whole(tmp_path):
    out = made_report(tmp_path / "out")
    assert json.loads((out / "report.json").read_text())["files"] == ["index.html"]
    with new_folder(check_folder(str(out))) as place:
        (place / "new.html").write_text("new")
        assert contents(out)["index.html"] == "earlier", "until the new one is complete"
    assert contents(tmp_path) == {"out/new.html": "new"}


def test_a_marker_of_another_kind_gives_nothing_away(tmp_path):
    out = made_report(tmp_path / "out", kind="another program's")
    with pytest.raises(InputError, match=r"holds index\.html, report\.json, which no earlier report wrote"):
        check_folder(str(out))


def test_what_was_written_there_meanwhile_is_not_removed(tmp_path):
    out = made_report(tmp_path / "out")
    with pytest.raises(InputError, match=r"holds notes\.txt"), new_folder(out):
        (out / "notes.txt").write_text("mine")
    assert contents(out).keys() == {"index.html", "report.json", "notes.txt"}
    assert list(tmp_path.iterdir()) == [out]


def test_an_earlier_report_is_put_back_if_the_new_one_cannot_take_its_place(tmp_path):
    out = made_report(tmp_path / "out")
    before = contents(out)
    with pytest.raises(InputError, match="No such file"), new_folder(out) as place:
        place.rmdir()
    assert contents(tmp_path) == {f"out/{name}": text for name, text in before.items()}


def test_an_earlier_report_is_kept_if_its_place_is_taken_while_it_is_replaced(tmp_path, monkeypatch):
    place = tmp_path / "report"
    with new_folder(place) as folder:
        (folder / "index.html").write_text("first")
        write_marker(folder, {})
    rename = Path.rename

    def taken(path, target):
        moved = rename(path, target)
        if path == place:
            place.mkdir()
            (place / "theirs").write_text("x")
        return moved

    monkeypatch.setattr(Path, "rename", taken)
    with pytest.raises(InputError, match="--out"), new_folder(place) as folder:
        write_marker(folder, {})
    assert [path.read_text() for path in tmp_path.rglob("index.html")] == ["first"]
