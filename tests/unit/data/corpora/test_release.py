"""Functions shared by the readers of corpora."""

from __future__ import annotations

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
