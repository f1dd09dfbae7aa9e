"""Functions shared by the readers of corpora."""

from __future__ import annotations

import math

import pytest

from ser.data.corpora.release import check_audio


def test_every_bad_recording_is_named_with_the_line_it_comes_from(tmp_path, wav, speech):
    paths = {name: str(tmp_path / f"{name}.wav") for name in "abcd"}
    wav(tmp_path / "b.wav", speech(0.25))
    wav(tmp_path / "c.wav", speech(0.02))
    rows = [{"utterance": name, "path": path} for name, path in paths.items()]
    table, problems = check_audio(rows, [f"m.csv:{line}" for line in (2, 3, 7, 9)])
    assert table.utterance.tolist() == ["b"]
    assert table.seconds.tolist() == pytest.approx([0.25])
    causes = {"m.csv:2": ("a", "missing"), "m.csv:7": ("c", "shorter than"), "m.csv:9": ("d", "missing")}
    assert len(problems) == 3
    for line, (place, (name, cause)) in zip(problems, causes.items(), strict=True):
        assert line.startswith(f"{place}: {paths[name]}: {cause}")


def test_utterances_cut_from_a_recording(tmp_path, wav, speech):
    one, other = (str(wav(tmp_path / f"{name}.wav", speech(1, seed))) for seed, name in enumerate("ab"))
    rows = [
        {"utterance": "1", "path": one, "start": 0.1, "end": 0.4},
        {"utterance": "2", "path": other},
        {"utterance": "3", "path": one, "start": 0.5, "end": 1.5},
        {"utterance": "4", "path": one, "start": 0.5, "end": math.nan},
        *({"utterance": name, "path": f"{tmp_path}/c.wav", "start": 0.1, "end": 0.4} for name in "56"),
    ]
    table, problems = check_audio(rows, [f"m.csv:{line}" for line in range(2, 8)])
    assert table.utterance.tolist() == ["1", "2", "4"]
    assert table.seconds.tolist() == pytest.approx([0.3, 1, 0.5])
    assert table.recording[0] == table.recording[2] != table.recording[1]
    assert problems == [
        f"m.csv:4: {one}: end is 1.5 s, but the recording has 1 s",
        f"m.csv:6: {tmp_path}/c.wav: missing; 2 utterances are in it",
    ]
