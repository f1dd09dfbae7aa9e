from __future__ import annotations

import os

import pytest

from ser.data.corpora.emodb import EmoDB
from ser.errors import CorpusError, InputError


@pytest.fixture
def folder(tmp_path, wav, speech):
    """Recordings of two sessions with all seven emotion letters."""
    for index, speaker in enumerate(["03", "08", "10", "09"]):
        for letter in "NWFTLEA":
            wav(tmp_path / "wav" / f"{speaker}a01{letter}b.wav", speech(0.1, index))
    return tmp_path


def test_the_table(folder, wav, speech):
    (folder / "wav" / "._03a01Nb.wav").write_bytes(b"\x00\x05\x16\x07")
    (folder / "wav" / "readme.txt").write_text("")
    table = EmoDB(str(folder)).utterances()
    assert table.equals(EmoDB(str(folder / "wav")).utterances())
    assert table.emotion.value_counts().to_dict() == dict.fromkeys(["neutral", "angry", "happy", "sad"], 4)
    row = table.set_index("utterance").loc["03a01Wb"]
    assert row[["session", "speaker", "dialog_half", "emotion"]].tolist() == [1, "03", "", "angry"]
    assert set(table.groupby("session").speaker.unique().map(tuple)) == {("03", "08"), ("09", "10")}


def test_letters_are_the_german_words_of_emotions_and_sessions_pair_a_man_with_a_woman(tmp_path, wav, speech):
    """Wut, Freude, Trauer, neutral; the men are 03, 10, 11, 12 and 15 (Burkhardt et al., 2005)."""
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    for number, (speaker, letter) in enumerate((speaker, letter) for speaker in speakers for letter in "WFTN"):
        wav(tmp_path / f"{speaker}b02{letter}a.wav", speech(0.1, number))
    table = EmoDB(str(tmp_path)).utterances()
    letters = {"W": "angry", "F": "happy", "T": "sad", "N": "neutral"}
    assert table.emotion.tolist() == [letters[name[5]] for name in table.utterance]
    assert table.speaker.tolist() == [name[:2] for name in table.utterance]
    men = table.speaker.isin(["03", "10", "11", "12", "15"])
    assert table[men].groupby("session").speaker.unique().map(list).tolist() == [["03"], ["10"], ["11"], ["12"], ["15"]]
    women = table[~men].groupby("session").speaker.unique().map(list).tolist()
    assert women == [["08"], ["09"], ["13"], ["14"], ["16"]]


def test_all_problems_come_at_once(folder, wav, speech):
    wavs = folder / "wav"
    for name in ("speech", "03a01Xb", "07a01Nb", "3a01Nb"):
        wav(wavs / f"{name}.wav", speech())
    (wavs / "08a01Nb.wav").write_bytes(b"")
    with pytest.raises(CorpusError) as caught:
        EmoDB(str(folder)).utterances()
    assert caught.value.problems == [
        f"{wavs}/03a01Xb.wav: not named like a recording of EMO-DB (03a01Fa.wav)",
        f"{wavs}/07a01Nb.wav: unknown speaker 07 (known: 03, 08, 09, 10, 11, 12, 13, 14, 15, 16)",
        f"{wavs}/3a01Nb.wav: not named like a recording of EMO-DB (03a01Fa.wav)",
        f"{wavs}/speech.wav: not named like a recording of EMO-DB (03a01Fa.wav)",
        f"{wavs}/08a01Nb.wav: empty (0 bytes)",
    ]


@pytest.mark.parametrize("root", [None, "empty", "absent"])
def test_without_a_corpus_two_lines_say_where_it_was_looked_for(tmp_path, root):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        EmoDB(str(tmp_path / root) if root else None).utterances()
    where, instead = str(caught.value).splitlines()
    assert (str(tmp_path / root) if root else "--data.corpus.root") in where
    assert "ser fit" in instead


def test_iemocap_is_recognised(tmp_path):
    (tmp_path / "Session1").mkdir()
    with pytest.raises(InputError, match=r"\nthis is IEMOCAP; to read it: --data iemocap --data.corpus.root"):
        EmoDB(str(tmp_path)).utterances()


def test_the_built_in_corpus_is_refused(folder):
    (folder / "ser-synthetic.json").write_text("{}")
    with pytest.raises(InputError, match="holds the built-in corpus, not EMO-DB"):
        EmoDB(str(folder)).utterances()


@pytest.mark.emodb
@pytest.mark.skipif("EMODB_ROOT" not in os.environ, reason="EMODB_ROOT is not set: EMO-DB is not included")
def test_the_real_corpus():
    table = EmoDB(os.environ["EMODB_ROOT"]).utterances()
    assert len(table) == 339
    assert table.emotion.value_counts().to_dict() == {"neutral": 79, "angry": 127, "happy": 71, "sad": 62}
    sessions = {session: set(speakers) for session, speakers in table.groupby("session").speaker}
    assert sessions == {1: {"03", "08"}, 2: {"09", "10"}, 3: {"11", "13"}, 4: {"12", "14"}, 5: {"15", "16"}}
    assert table.seconds.between(1, 10).all()
