"""Answers as rows, JSON, table and text."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ser.audio.cuts import Cut
from ser.recognition.answers import Answer, as_json, as_row, as_table, as_text, entropy
from ser.recognition.recordings import Recording

EMOTIONS = ("calm", "angry", "sad")
TWO = np.array([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2]])


def answer(each=TWO, path="a.wav", cut=None, cautions=None):
    recording = Recording(path, cut) if cut else Recording(path)
    return Answer(recording, 1.25, np.array(each), cautions or {})


@pytest.mark.parametrize("number", [2, 4, 7])
def test_the_entropy_is_scipys(number):
    posteriors = np.random.default_rng(0).dirichlet(np.ones(number), 50)
    assert np.allclose(entropy(posteriors), scipy.stats.entropy(posteriors, base=2, axis=-1), atol=1e-12)
    certain = np.eye(number)
    assert entropy(certain).tolist() == [0] * number
    assert not np.signbit(entropy(certain)).any(), "-0.0 would be printed"


def test_one_system_has_no_spread():
    row = as_row(answer(TWO[:1], cautions={"clipped": "3 %", "short": "9 ms"}), EMOTIONS)
    assert list(row) == ["path", "emotion", "p_calm", "p_angry", "p_sad", "entropy", "seconds", "cautions"]
    assert (row["path"], row["emotion"], row["seconds"]) == ("a.wav", "angry", 1.25)
    assert [row["p_calm"], row["p_angry"], row["p_sad"]] == TWO[0].tolist()
    assert row["cautions"] == ["clipped (3 %)", "short (9 ms)"]


def test_several_systems_answer_with_mean_and_deviation():
    row = as_row(answer(), EMOTIONS)
    assert list(row)[5:8] == ["sd_calm", "sd_angry", "sd_sad"]
    assert row["emotion"] == "angry"
    assert [row[f"p_{name}"] for name in EMOTIONS] == pytest.approx([0.35, 0.5, 0.15])
    assert [row[f"sd_{name}"] for name in EMOTIONS] == pytest.approx([0.3 / 2**0.5, 0.4 / 2**0.5, 0.1 / 2**0.5])
    assert row["entropy"] == pytest.approx(scipy.stats.entropy([0.35, 0.5, 0.15], base=2))


def test_a_part_has_its_times():
    row = as_row(answer(cut=Cut(0.5)), EMOTIONS)
    assert list(row)[:3] == ["path", "start", "end"]
    assert (row["start"], row["end"]) == (0.5, None)
    assert json.loads(as_json(answer(cut=Cut(0.5, 2)), EMOTIONS))["end"] == 2


def test_the_table_has_the_rows_also_of_parts_and_wholes():
    answers = [answer(path="a,b\n.wav", cautions={"clipped": "3 %", "short": "9 ms"}), answer(cut=Cut(0.5, 1.75))]
    table = as_table(answers, EMOTIONS)
    assert list(table)[:4] == ["path", "start", "end", "emotion"]
    assert table.cautions.tolist() == ["clipped (3 %); short (9 ms)", ""]
    assert table.path.tolist() == ["a,b\n.wav", "a.wav"]
    assert (table.start.isna().tolist(), table.start[1]) == ([True, False], 0.5)
    rows = pd.DataFrame([json.loads(as_json(each, EMOTIONS)) for each in answers])
    numbers = [name for name in table if table[name].dtype == float and name not in ("start", "end")]
    assert (table[numbers] == rows[numbers]).all(axis=None)


def test_no_answers_make_an_empty_table():
    assert list(as_table([], EMOTIONS)) == list(as_row(answer(TWO[:1]), EMOTIONS))


def test_the_text_has_percentages_and_kinds_of_cautions():
    header, line, long = as_text(
        [
            answer(path="x\x1b[31m.wav", cautions={"clipped": "3 %", "short": "9 ms"}),
            answer(path="d/" * 40 + "end.wav"),
        ],
        EMOTIONS,
    ).splitlines()
    names = ["recording", "emotion", "calm %", "angry %", "sad %", "spread %", "entropy", "seconds", "cautions"]
    assert header.split() == " ".join(names).split()
    assert line.split() == [
        r"'x\x1b[31m.wav'",
        "angry",
        "35.0",
        "50.0",
        "15.0",
        "28.3",
        "1.44",
        "1.2",
        "clipped,",
        "short",
    ]
    assert "\x1b" not in line
    name = long.split()[0]
    assert len(name) == 32
    assert name == "…" + ("d/" * 40 + "end.wav")[-31:]
    assert "spread" not in as_text([answer(TWO[:1])], EMOTIONS)
