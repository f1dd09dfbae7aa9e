"""`ser predict`: files, runs and options that cannot be used."""

import json
import os
from pathlib import Path

import pytest
import torch

from tests.made_up.release import noise, write_wav


def test_each_file_that_cannot_be_used_has_one_message(ser, fitted, tmp_path):
    """The others are answered."""
    folder = tmp_path / "mixed"
    good = write_wav(folder / "good.wav", noise(0.3))
    (folder / "empty.wav").touch()
    (folder / "text\nof two lines.wav").write_text("not audio")
    (folder / "cut.wav").write_bytes(good.read_bytes()[:-100])
    os.mkfifo(folder / "pipe.wav")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.flac").symlink_to(folder / "nowhere")
    (tmp_path / "nothing").mkdir()
    lines = ["path,start,end", "mixed/good.wav,0.1,0.2", "mixed/good.wav,x,", "mixed/good.wav,0.1,9", ",,"]
    (tmp_path / "parts.csv").write_text("\n".join([*lines, ",0,1", "mixed/good.wav,0.1,0.10001"]))
    run = fitted("cnn_gru")[0]
    finished = ser("predict", run, folder, tmp_path / "nothing", tmp_path / "parts.csv", "--json")
    assert finished.code == 1
    paths = [json.loads(line)["path"] for line in finished.out.splitlines()]
    assert paths == [str(good)] * 2
    messages = finished.err.splitlines()
    assert all(message.startswith("ser predict: ") for message in messages)
    parts = [
        "empty.wav: empty (0 bytes)",
        r"text\nof two lines.wav: unreadable",
        "cut.wav: truncated",
        "pipe.wav: not a",
    ]
    parts += ["gone.flac: missing", "nothing: there is no audio file", "parts.csv:3: start and end must be numbers"]
    parts += ["good.wav: end is 9 s, but the recording has 0.3 s", "parts.csv:6: column path is empty"]
    parts += ["good.wav, 0.1 s to 0.10001 s: shorter than a sample"]
    for part in parts:
        assert sum(part in message for message in messages) == 1, (part, messages)
    assert len(messages) == len(parts)
    timelines = ser("predict", run, folder, "--timeline", "--json")
    assert timelines.code == 1
    assert len(timelines.out.splitlines()) == 1
    assert len(timelines.err.splitlines()) == 5


@pytest.mark.parametrize("words", [["empty"], ["none.wav"], ["none.wav", "--timeline"]])
def test_nothing_to_answer_is_exit_code_1(ser, fitted, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    finished = ser("predict", fitted("cnn_gru")[0], *words, "--out", "out" if "--timeline" in words else "out.csv")
    assert finished.code == 1
    assert finished.out == ""
    assert finished.err.count("ser predict: ") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]


RUN = "BEST OF cnn_gru"
REFUSALS = [
    (["none.ckpt", "a.wav"], ["none.ckpt: no such checkpoint"]),
    (["foreign.ckpt", "a.wav"], ["foreign.ckpt", "not"]),
    (["a.wav", "a.wav"], ["a.wav: not a readable checkpoint"]),
    (["unfinished", "a.wav"], ["unfinished: not finished (no result.json)", "last.ckpt"]),
    (["folder", "a.wav"], ["folder: there is no trained system"]),
    ([RUN, "a.wav", "--out", "there.csv"], ["--out there.csv exists already"]),
    ([RUN, "a.wav", "--out", "there.txt"], ["--out is there.txt, but must end in .csv"]),
    ([RUN, "a.wav", "--timeline", "--out", "there.csv"], ["--out there.csv already exists"]),
    ([RUN, "a.wav", "--timeline", "--out", "folder"], ["--out folder already exists and is not an empty folder"]),
    ([RUN, "a.wav", "--timeline", "--smoothing", 4], ["smoothing is 4, but must be an odd number"]),
    ([RUN, "a.wav", "--timeline", "--smoothing", 0], ["smoothing is 0"]),
    ([RUN, "a.wav", "--timeline", "--step_seconds", 2.5], ["step_seconds is 2.5, but must be at most window_seconds"]),
    ([RUN, "a.wav", "--timeline", "--silence_db", 5], ["silence_db is 5"]),
    ([RUN, "a.wav", "--timeline", "--max_seconds", 5], ["--max_seconds does not apply to --timeline"]),
    ([RUN, "a.wav", "--window_seconds", 1], ["--window_seconds needs --timeline"]),
    ([RUN, "a.wav", "--smoothing", 0], ["--smoothing needs --timeline"]),
    ([RUN, "a.wav", "--device", "nonsense"], ["device is 'nonsense', which cannot be used here"]),
    ([RUN, "a.wav", "--device", "meta"], ["device is 'meta', which cannot be used here"]),
    ([RUN, "a.wav", "--batch_seconds", 0], ["batch_seconds is 0"]),
    ([RUN, "a.wav", "--batch_seconds", 0, "--timeline"], ["batch_seconds is 0"]),
    ([RUN, "a.wav", "--max_seconds", "nan"], ["max_seconds is nan"]),
    ([RUN, "a.wav", "--speaker", "a.wav"], ["this system is not standardised by speaker"]),
    ([RUN, "a.wav", "--speaker", "a.wav", "--timeline"], ["this system is not standardised by speaker"]),
    ([RUN, "a.wav", "--speaker", "folder"], ["--speaker: folder: there is no audio file"]),
    (["BY SPEAKER", "a.wav"], ["give --speaker FILE"]),
    (["BY SPEAKER", "a.wav", "--timeline"], ["give --speaker FILE"]),
    (["BY SPEAKER", "a.wav", "--speaker", "none.wav"], ["--speaker: none.wav: missing"]),
    (["BY SPEAKER", "a.wav", "--speaker", "others.csv"], ["a.wav: is not in the list of --speaker"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, speaker_run, best_of, tmp_path, words, parts):
    write_wav(tmp_path / "a.wav", noise(0.3))
    write_wav(tmp_path / "b.wav", noise(0.3))
    torch.save({"state_dict": {"layer.weight": torch.zeros(2)}, "epoch": 3}, tmp_path / "foreign.ckpt")
    if words[0] == "unfinished":
        (tmp_path / "unfinished" / "checkpoints").mkdir(parents=True)
        (tmp_path / "unfinished" / "checkpoints" / "last.ckpt").write_bytes(best_of("cnn_gru").read_bytes())
    files = {"there.csv": "path\n", "folder/notes.txt": "mine", "others.csv": "path,speaker\nb.wav,anna\n"}
    words = [speaker_run if word == "BY SPEAKER" else word for word in words]
    refused(["predict", *words], parts, files)


@pytest.mark.parametrize("words", [[], ["run"], ["run", "a.wav", "--nonsense"], ["run", "a.wav", "--silence", "loud"]])
def test_wrong_usage(ser, words):
    finished = ser("predict", *words)
    assert finished.code == 2
    assert "Traceback" not in finished.err
    assert finished.out == ""
