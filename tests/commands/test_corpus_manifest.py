"""`ser corpus manifest`: the file, the summary, and refusals."""

from __future__ import annotations

import csv
from itertools import product

import pytest

from ser.commands.corpus import main
from ser.data.corpora.emodb import EmoDB
from ser.data.corpora.manifest import Manifest

RAVDESS = "03-01-06-01-02-01-12.wav"


@pytest.fixture
def emovo(tmp_path, monkeypatch):
    """A folder with four recordings named like EMOVO's, below the current folder."""
    for name in ("f1/dis-f1-b1", "f1/gio-f1-b1", "m1/neu-m1-l4", "m1/neu-m1-n5"):
        (tmp_path / "EMOVO" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "EMOVO" / f"{name}.wav").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "EMOVO"


def read(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_file(emovo, tmp_path):
    assert main(["manifest", "emovo", str(emovo), "--out", "emovo.csv"]) == 0
    assert (tmp_path / "emovo.csv").read_text().splitlines()[0] == "utterance,path,speaker,gender,emotion"
    rows = read(tmp_path / "emovo.csv")
    assert rows[0] == {
        "utterance": "dis-f1-b1",
        "path": "EMOVO/f1/dis-f1-b1.wav",
        "speaker": "f1",
        "gender": "F",
        "emotion": "disgust",
    }
    assert [row["utterance"] for row in rows] == ["dis-f1-b1", "gio-f1-b1", "neu-m1-l4", "neu-m1-n5"]


def test_paths_are_absolute_unless_the_recordings_are_below_the_file(emovo, tmp_path):
    (tmp_path / "lists, own").mkdir()
    assert main(["manifest", "emovo", "EMOVO", "--out", "lists, own/emovo.csv"]) == 0
    assert read(tmp_path / "lists, own" / "emovo.csv")[0]["path"] == f"{emovo}/f1/dis-f1-b1.wav"
    assert main(["manifest", "emovo", "EMOVO/f1", "--out", "EMOVO/emovo.csv"]) == 0
    assert [row["path"] for row in read(emovo / "emovo.csv")] == ["f1/dis-f1-b1.wav", "f1/gio-f1-b1.wav"]


def test_the_file_is_a_manifest_that_says_what_the_reader_of_emodb_says(tmp_path):
    for speaker, letter in product(["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"], "NFTWAEL"):
        (tmp_path / f"{speaker}a01{letter}b.wav").touch()
    out = str(tmp_path / "emodb.csv")
    assert main(["manifest", "emodb", str(tmp_path), "--out", out]) == 0
    found, expected = Manifest(out).listed(), EmoDB(str(tmp_path)).listed()
    assert not found.problems
    assert len(found.rows) == 70
    columns = ("utterance", "path", "speaker", "gender", "emotion")
    said, by_reader = ([[row[each] for each in columns] for row in listing.rows] for listing in (found, expected))
    assert said == by_reader
    assert {row["session"] for row in found.rows} == {""}, "its pairs are not part of the release"


def test_the_summary(emovo, capsys):
    assert main(["manifest", "emovo", "EMOVO", "--out", "e 1.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[2:7]] == [
        ["speaker", "gender", "neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised", "all"],
        ["f1", "F", "0", "1", "0", "0", "0", "1", "0", "2"],
        ["m1", "M", "2", "0", "0", "0", "0", "0", "0", "2"],
        ["all", "2", "1", "0", "0", "0", "1", "0", "4"],
        ["published", *["84"] * 7, "588"],
    ]
    assert [*lines[:2], *lines[7:]] == [
        f"EMOVO in {emovo}: 4 of 588 recordings",
        "",
        "",
        "Cite: Costantini et al., 2014",
        "",
        "Written: e 1.csv",
        "Next: ser corpus check 'e 1.csv'",
    ]


def test_what_is_left_out_and_the_licence(tmp_path, capsys):
    for name in (RAVDESS, "03-02-06-01-02-01-12.wav"):
        (tmp_path / name).touch()
    assert main(["manifest", "ravdess", str(tmp_path), "--out", str(tmp_path / "r.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": 1 of 1440 recordings")
    assert lines[-5:-3] == [
        "Left out, sung: 1",
        "Cite: Livingstone and Russo, 2018. Licence: CC BY-NC-SA 4.0",
    ]
    assert [row["utterance"] for row in read(tmp_path / "r.csv")] == ["03-01-06-01-02-01-12"]


@pytest.mark.parametrize(
    ("words", "parts", "files"),
    [
        (["ravdes", ".", "--out", "a.csv"], ["ravdes: no such public corpus", "choose from cremad, emodb, emovo"], {}),
        (["ravdess", "absent", "--out", "a.csv"], ["RAVDESS not found in HERE/absent: no such folder"], {}),
        (["ravdess", "a.txt", "--out", "a.csv"], ["RAVDESS not found in HERE/a.txt: not a folder"], {"a.txt": ""}),
        (["ravdess", ".", "--out", "a.csv"], ["RAVDESS in HERE: no recording named like 03-01-06"], {"a.txt": ""}),
        (
            ["ravdess", ".", "--out", "a.csv"],
            ["1 recording not named like 03-01", "HERE/b.wav"],
            {"b.wav": "", RAVDESS: ""},
        ),
        (
            ["savee", ".", "--out", "a.csv"],
            ["1 name is used", "DC/a01.wav", "DC_a01.wav"],
            {"DC/a01.wav": "", "DC_a01.wav": ""},
        ),
        (["ravdess", ".", "--out", "a.txt"], ["--out is a.txt, but must end in .csv"], {RAVDESS: ""}),
        (["ravdess", ".", "--out", "x/a.csv"], ["--out x/a.csv: there is no folder x"], {RAVDESS: ""}),
        (["ravdess", ".", "--out", "a.csv"], ["--out a.csv exists already"], {RAVDESS: "", "a.csv": "mine"}),
        (
            ["cremad", ".", "--out", "a.csv"],
            ["HERE/VideoDemographics.csv:1: no column ActorID"],
            {"1001_DFA_ANG_XX.wav": "", "VideoDemographics.csv": "Actor,Sex\n"},
        ),
        (
            ["ravdess", ".", "--out", "a.csv", "--kind", "x"],
            ["--kind: no such option", "ser corpus manifest --help"],
            {},
        ),
    ],
)
def test_refusals(refused, tmp_path, words, parts, files):
    refused(["corpus", "manifest", *words], [part.replace("HERE", str(tmp_path)) for part in parts], files)


def test_help_names_the_corpora(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["manifest", "--help"])
    assert caught.value.code == 0
    assert "cremad, emodb, emovo, ravdess, savee, tess" in capsys.readouterr().out
