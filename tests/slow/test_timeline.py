"""The timeline of joined recordings by a trained system has the right answers, and boundaries where they change."""

import json
from itertools import groupby

import numpy as np
import pandas as pd
import soundfile

from tests.made_up.release import write_wav

PAUSE_SECONDS = 1


def test_boundaries_are_within_a_step(ser, demo, tmp_path):
    """Of the test set, the recordings of at least two seconds with the surest right answers, one of each emotion."""
    table = pd.read_csv(demo / "run" / "predictions.csv")
    table["sure"] = table[[name for name in table if name.startswith("p_")]].max(axis=1)
    table["path"] = [next((demo / "corpus").rglob(f"{name}.wav")) for name in table.utterance]
    seconds = table.path.map(lambda path: soundfile.info(path).duration)
    table = table[(seconds >= 2) & (table.emotion == table.predicted)]
    chosen = table.sort_values("sure", ascending=False).drop_duplicates("emotion").sort_values("emotion")
    assert len(chosen) == 4
    pause = np.zeros(round(16_000 * PAUSE_SECONDS), np.int16)
    parts, edges = [pause], []
    for path in chosen.path:
        parts += [soundfile.read(path, dtype="int16")[0], pause]
        end = sum(map(len, parts[:-1])) / 16_000
        edges.append((end - len(parts[-2]) / 16_000, end))
    write_wav(tmp_path / "joined.wav", np.concatenate(parts))
    finished = ser("predict", demo / "run", tmp_path / "joined.wav", "--timeline", "--json")
    assert finished.code == 0, finished.err
    spoken = [row for row in json.loads(finished.out)["segments"] if not row["silent"]]
    found = [list(rows) for _, rows in groupby(spoken, lambda row: row["emotion"])]  # phrases, with short pauses
    assert [rows[0]["emotion"] for rows in found] == chosen.emotion.tolist()
    assert np.abs(np.array([(rows[0]["start"], rows[-1]["end"]) for rows in found]) - edges).max() <= 0.5
