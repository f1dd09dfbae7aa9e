"""The columns of a manifest: three are needed, the others are optional."""

from __future__ import annotations

import math

import pytest

from ser.data.corpora.corpus import COLUMNS
from ser.data.corpora.manifest import Manifest
from ser.data.labels import Labels
from ser.errors import CorpusError

TWO = Labels(["calm", "bored"])


@pytest.fixture
def read(tmp_path, wav, speech):
    """A function that writes a CSV file beside two recordings in two folders, and returns its table: read(lines)."""
    wav(tmp_path / "one" / "a.wav", speech(0.5, 1))
    wav(tmp_path / "two" / "a.wav", speech(0.5, 2))

    def table(*lines: str):
        path = tmp_path / "mine.csv"
        path.write_text("\n".join(lines))
        return Manifest(str(path)).utterances(TWO)

    return table


def test_path_speaker_and_emotion_are_enough(read, tmp_path):
    (tmp_path / "two" / "a.wav").rename(tmp_path / "two" / "b.c.wav")
    table = read("path,speaker,emotion", "one/a.wav,x,calm", "two/b.c.wav,y,bored")
    assert tuple(table.columns) == COLUMNS
    assert table.utterance.tolist() == ["a", "b.c"], "the file's name without its ending"
    assert table[["session", "gender", "dialog_half"]].eq("").all(axis=None)
    assert table[["start", "end"]].isna().all(axis=None)
    assert table.seconds.tolist() == pytest.approx([0.5, 0.5])


def test_files_of_the_same_name_need_names(read):
    with pytest.raises(CorpusError) as caught:
        read("path,speaker,emotion", "one/a.wav,x,calm", "two/a.wav,y,bored")
    [problem] = caught.value.problems
    assert problem.endswith(
        "mine.csv:3: utterance a was already given in line 2; files of the same name need a column utterance with "
        "unique names"
    )
    table = read("path,speaker,emotion,utterance", "one/a.wav,x,calm,first", "two/a.wav,y,bored,second")
    assert table.utterance.tolist() == ["first", "second"]


def test_genders_have_two_usual_letters_and_other_words_are_kept(read, tmp_path, wav, speech):
    words = ["F", "female", "m", "MALE", "nonbinary", ""]
    for number in range(len(words)):
        wav(tmp_path / f"{number}.wav", speech(0.1, number))
    lines = [f"{number}.wav,s{number},{('calm', 'bored')[number % 2]},{word}" for number, word in enumerate(words)]
    assert read("path,speaker,emotion,gender", *lines).gender.tolist() == ["F", "F", "M", "M", "nonbinary", ""]


def test_utterances_inside_a_recording(read):
    lines = ["one/a.wav,x,calm,0,0.2", "one/a.wav,y,bored,.25,", "two/a.wav,x,calm,,0.3", "two/a.wav,y,bored,0.3,0.5"]
    table = read("path,speaker,emotion,start,end", *lines).set_index("utterance")
    assert set(table.index) == {"a-0-0.2", "a-.25", "a-0.3", "a-0.3-0.5"}
    assert table.loc["a-0-0.2", ["start", "end"]].tolist() == [0, 0.2]
    assert table.loc["a-.25", "start"] == 0.25
    assert math.isnan(table.loc["a-.25", "end"])
    assert math.isnan(table.loc["a-0.3", "start"])


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("one/a.wav,x,calm,0.3,0.2", "end is 0.2, but must be after start, 0.3"),
        ("one/a.wav,x,calm,0.3,0.3", "end is 0.3, but must be after start, 0.3"),
        ("one/a.wav,x,calm,,0", "end is 0, but must be after start, 0"),
        ("one/a.wav,x,calm,early,0.2", "start is 'early', but must be a number of seconds, such as 1.5"),
        ("one/a.wav,x,calm,-1,0.2", "start is '-1', but must be a number of seconds, such as 1.5"),
        ("one/a.wav,x,calm,0,nan", "end is 'nan', but must be a number of seconds, such as 1.5"),
        ("one/a.wav,x,calm,inf,", "start is 'inf', but must be a number of seconds, such as 1.5"),
        ("two/a.wav,y,bored,0.10,0.2", "path {folder}/two/a.wav 0.1 to 0.2 s was already given in line 2"),
        ("two/a.wav,y,bored,0.1,0.2", "utterance a-0.1-0.2 was already given in line 2"),
    ],
)
def test_a_bad_part_of_a_recording_is_named(read, tmp_path, line, cause):
    with pytest.raises(CorpusError) as caught:
        read("path,speaker,emotion,start,end", "two/a.wav,x,calm,0.1,0.2", line)
    assert caught.value.problems[0].startswith(f"{tmp_path}/mine.csv:3: {cause.format(folder=tmp_path)}")


def test_a_part_from_the_beginning_can_be_given_once(read):
    for first, again in ((",0.2", "0,0.2"), (",", "0,")):
        with pytest.raises(CorpusError, match="was already given in line 2"):
            read("path,speaker,emotion,start,end", f"one/a.wav,x,calm,{first}", f"one/a.wav,y,bored,{again}")


def test_columns_of_a_spreadsheet(read):
    """Capital letters, and empty columns at the end."""
    table = read("Path,SPEAKER,Emotion,Start,Gender,,", "one/a.wav,x,calm,0.2,f,,", "two/a.wav,y,bored,,m,,")
    assert table.seconds.tolist() == pytest.approx([0.5, 0.3])
    assert table.gender.tolist() == ["M", "F"]


def test_all_lines_have_a_session_or_none(read):
    header, line = "path,speaker,emotion,session,utterance", "one/a.wav,x,calm,,1"
    assert read(header, line, "two/a.wav,y,bored,,2").session.tolist() == ["", ""]
    with pytest.raises(CorpusError) as caught:
        read(header, line, "two/a.wav,y,bored,4,2")
    assert caught.value.problems[0].endswith("mine.csv:2: column session is empty")


def test_a_bad_recording_is_named_with_its_line(read, tmp_path):
    (tmp_path / "two" / "a.wav").unlink()
    with pytest.raises(CorpusError) as caught:
        read("path,speaker,emotion,utterance", "one/a.wav,x,calm,first", "two/a.wav,y,bored,second")
    assert caught.value.problems == [f"{tmp_path}/mine.csv:3: {tmp_path}/two/a.wav: missing"]
    with pytest.raises(CorpusError) as caught:
        read("path,speaker,emotion,utterance", "one/a.wav,x,sad,first", "two/a.wav,y,bored,second")
    assert not [line for line in caught.value.problems if "one/a.wav" in line], "other labels are not read"
