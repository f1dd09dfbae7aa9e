"""The table of utterances of every corpus."""

from __future__ import annotations

from ser.data.corpora.manifest import Manifest

LINES = ["utterance,path,session,speaker,emotion", "c,c.wav,2,y,sad", "a,a.wav,1,w,happy", "d,d.wav,2,z,angry"]


def test_rows_are_sorted_by_name_and_numbered_in_that_order(tmp_path, wav, speech):
    """Row numbers link an utterance to everything else."""
    for number, name in enumerate("abcd"):
        wav(tmp_path / f"{name}.wav", speech(0.1 + number / 10, number))
    (tmp_path / "mine.csv").write_text("\n".join([*LINES, "b,b.wav,1,x,neutral"]))
    table = Manifest(str(tmp_path / "mine.csv")).utterances()
    assert table.index.tolist() == [0, 1, 2, 3]
    assert table.utterance.tolist() == ["a", "b", "c", "d"]
    assert table.speaker.tolist() == ["w", "x", "y", "z"]
    assert table.emotion.tolist() == ["happy", "neutral", "sad", "angry"]
    assert table.seconds.round(6).tolist() == [0.1, 0.2, 0.3, 0.4]
