"""`ser predict --timeline`: windows are cuts of the recording, and files have safe, distinct names."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import parselmouth
import pytest
import soundfile
from parselmouth.praat import call

from tests.commands.conftest import content_of
from tests.commands.predict.conftest import EMOTIONS, POSTERIORS
from tests.made_up.release import noise, write_wav


def with_pauses(recordings, path):
    """Recordings and pauses of 0.6 s in turn."""
    sounds = [soundfile.read(recordings[name], dtype="int16")[0] for name in sorted(recordings)]
    parts = [np.concatenate(sounds[8 * place :][:8]) for place in range(3)]
    pause = np.zeros(9_600, np.int16)
    return write_wav(path, np.concatenate([parts[0], pause, parts[1], pause, parts[2]]))


@pytest.mark.parametrize("which", ["reccap", "trimmed", "crossval"])
def test_a_timeline_answers_as_for_audio_cut_at_its_times(
    ser, rows, fitted, trimmed_run, undisturbed, recordings, tmp_path, which
):
    """The windows are given as parts of the recording."""
    run = {"trimmed": trimmed_run, "crossval": undisturbed[0]}.get(which) or fitted("reccap")[0]
    file = with_pauses(recordings, tmp_path / "call.wav")
    words = ["predict", run, file, "--timeline", "--window_seconds", 0.5, "--step_seconds", 0.25]
    finished = ser(*words, "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    windows = pd.read_csv(tmp_path / "out" / "call.csv")
    assert windows.silent.any()
    spoken = windows[~windows.silent].reset_index(drop=True)
    spoken.assign(path=file)[["path", "start", "end"]].to_csv(tmp_path / "windows.csv", index=False)
    cut = rows(run, tmp_path / "windows.csv")
    names = [*POSTERIORS, "entropy", *(f"sd_{name}" for name in EMOTIONS if which == "crossval")]
    assert np.allclose(spoken[["start", "end", *names]], cut[["start", "end", *names]], atol=1e-5)
    about = json.loads((tmp_path / "out" / "call.json").read_text())
    grid = parselmouth.read(str(tmp_path / "out" / "call.TextGrid"))
    count = call(grid, "Get number of intervals", 1)
    found = [
        [call(grid, f"Get {what} of interval", 1, place) for what in ("start time", "end time", "label")]
        for place in range(1, count + 1)
    ]
    segments = [[row["start"], row["end"], row["emotion"] or "silence"] for row in about["segments"]]
    assert [row[2] for row in found] == [row[2] for row in segments]
    assert np.allclose([row[:2] for row in found], [row[:2] for row in segments])
    assert [line.split()[2] for line in finished.out.splitlines() if line.startswith("     ")] == [
        row[2].replace("silence", "(silence)") for row in segments
    ]


def test_a_timeline_as_json_is_that_of_the_file(ser, fitted, long, tmp_path):
    words = ["predict", fitted("seqcap")[0], long, tmp_path / "none.wav", "--timeline", "--json"]
    finished = ser(*words, "--out", tmp_path / "out")
    assert finished.code == 1
    (line,) = finished.out.splitlines()
    assert json.loads(line) == json.loads((tmp_path / "out" / "long.json").read_text())
    assert finished.err.count("none.wav: missing") == 1
    assert "Written: " in finished.err


HOSTILE = [
    b"<script>alert(1)<script>.wav",
    b"new\nline.wav",
    b"caf\xe9.wav",
    b"-rf.wav",
    b"x" * 240 + b".wav",
    b"a..wav",
]


def test_files_of_strange_names_are_answered_and_written_inside_the_folder(ser, rows, fitted, tmp_path):
    run, folder = fitted("cnn_gru")[0], tmp_path / "strange"
    for place, name in enumerate([*HOSTILE, b"sub/call.wav", b"other/call.wav", b"other/CALL.WAV"]):
        path = os.fsencode(folder) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_wav(Path(os.fsdecode(path)), noise(0.3, seed=place))
    before = content_of(tmp_path)
    table = rows(run, folder)
    assert content_of(tmp_path) == before
    assert len(table) == 9
    assert f"{folder}/caf\\xe9.wav" in table.path.tolist()
    finished = ser("predict", run, folder, "--timeline", "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    after = content_of(tmp_path)
    new = set(after) - set(before) - {tmp_path / "out"}
    assert {path: after[path] for path in before} == before
    assert {path.parent for path in new} == {tmp_path / "out"}
    assert len({path.name.casefold() for path in new}) == 4 * 9
    written = {json.loads(path.read_text())["path"] for path in new if path.suffix == ".json"}
    assert written == set(table.path), "none replaces another"
    for path in (path for path in new if path.suffix == ".png"):
        assert path.read_bytes().startswith(b"\x89PNG")
