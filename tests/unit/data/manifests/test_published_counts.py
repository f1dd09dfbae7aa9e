"""The readers of public corpora, on empty files named like those of the complete releases."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from ser.data.manifests._writing import public_corpus
from ser.data.manifests.ravdess import RAVDESS

SEVEN = ("angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised")


def ravdess() -> list[str]:
    """Neutral (01) has no strong intensity (02)."""
    takes = product(range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2))
    names = [
        (actor, f"03-01-{e:02}-{i:02}-{s:02}-{r:02}-{actor:02}.wav") for actor, e, i, s, r in takes if (e, i) != (1, 2)
    ]
    return [f"Actor_{actor:02}/{name}" for actor, name in names]


def cremad() -> list[str]:
    """One sentence at three levels. The release lacks 20 recordings; which ones does not matter here."""
    sentences = ["DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI"]
    five = ["ANG", "DIS", "FEA", "HAP", "SAD"]
    names = []
    for actor, sentence, emotion in product(range(1001, 1092), sentences, [*five, "NEU"]):
        levels = ("LO", "MD", "HI") if (sentence, emotion != "NEU") == ("IEO", True) else ("XX",)
        names += [f"{actor}_{sentence}_{emotion}_{level}.wav" for level in levels]
    absent = {
        f"{actor}_TSI_{each}_XX.wav" for actor in (1008, 1053, 1064) for each in ["ANG", "DIS", "FEA", "HAP", "SAD"]
    }
    absent |= {f"{actor}_WSI_NEU_XX.wav" for actor in (1008, 1024, 1053, 1064, 1090)}
    renamed = {"1040_ITH_SAD_XX.wav": "1040_ITH_SAD_X.wav"}
    return [f"AudioWAV/{renamed.get(name, name)}" for name in names if name not in absent]


def tess() -> list[str]:
    emotions = ["angry", "disgust", "fear", "happy", "neutral", "ps", "sad"]
    words = [f"{a}{b}" for a, b in product("abcdefghijklmnopqrst", "abcdefghij")]
    folders = {"ps": "Pleasant_surprise"}
    names = [
        f"{speaker}_{folders.get(emotion, emotion)}/{speaker}_{word}_{emotion}.wav"
        for speaker, word, emotion in product(("OAF", "YAF"), words, emotions)
    ]
    return ["OAF_neutral/OA_ab_neutral.wav" if "OAF_ab_neutral" in name else name for name in names]


def savee() -> list[str]:
    sentences = dict.fromkeys(["a", "d", "f", "h", "sa", "su"], 15) | {"n": 30}
    letters = [(letter, n) for letter, number in sentences.items() for n in range(1, number + 1)]
    return [f"AudioData/{who}/{letter}{n:02}.wav" for who, (letter, n) in product(("DC", "JE", "JK", "KL"), letters)]


def savee_flat() -> list[str]:
    return ["ALL/{}_{}".format(*name.split("/")[1:]) for name in savee()]


def emovo() -> list[str]:
    states, speakers = ["dis", "gio", "neu", "pau", "rab", "sor", "tri"], ["f1", "f2", "f3", "m1", "m2", "m3"]
    sentences = ["b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5"]
    return [f"EMOVO/{who}/{state}-{who}-{text}.wav" for state, who, text in product(states, speakers, sentences)]


def emodb() -> list[str]:
    """The release has 535 of the speakers' versions; which ones does not matter here."""
    texts = ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"]
    speakers = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    names = []
    for letter, number in {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}.items():
        takes = [f"wav/{who}{text}{letter}{version}.wav" for version, text, who in product("ab", texts, speakers)]
        names += takes[:number]
    return names


RELEASES = {
    # files, recordings by emotion, by gender, speakers: as published
    "ravdess": (
        ravdess,
        {"neutral": 96} | dict.fromkeys(("calm", *set(SEVEN) - {"neutral"}), 192),
        {"F": 720, "M": 720},
        24,
    ),
    "cremad": (cremad, dict.fromkeys(SEVEN[:4] + SEVEN[5:6], 1271) | {"neutral": 1087}, {"": 7442}, 91),
    "tess": (tess, dict.fromkeys(SEVEN, 400), {"F": 2800}, 2),
    "savee": (savee, dict.fromkeys(SEVEN, 60) | {"neutral": 120}, {"M": 480}, 4),
    "savee flat": (savee_flat, dict.fromkeys(SEVEN, 60) | {"neutral": 120}, {"M": 480}, 4),
    "emovo": (emovo, dict.fromkeys(SEVEN, 84), {"F": 294, "M": 294}, 6),
    "emodb": (
        emodb,
        {"angry": 127, "bored": 81, "disgust": 46, "fearful": 69, "happy": 71, "sad": 62, "neutral": 79},
        None,
        10,
    ),
}


def write(folder: Path, names: list[str]) -> None:
    for each in {Path(name).parent for name in names}:
        (folder / each).mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("release", RELEASES)
def test_the_complete_release_has_the_published_counts(tmp_path, release):
    names, emotions, genders, speakers = RELEASES[release]
    write(tmp_path, names())
    kind = public_corpus(release.split()[0])
    rows, left_out = kind(str(tmp_path)).rows()
    assert len(rows) == sum(emotions.values())
    assert Counter(row["emotion"] for row in rows) == emotions
    assert dict(kind.emotions.values()) == emotions, "the numbers that the command prints beside its own"
    assert len({row["speaker"] for row in rows}) == speakers
    assert genders is None or Counter(row["gender"] for row in rows) == genders
    assert len({row["utterance"] for row in rows}) == len(rows)
    assert {row["path"] for row in rows} == {str(tmp_path / name) for name in names()}
    assert not left_out


def row_of(kind: str, folder: Path, name: str) -> list[str]:
    write(folder, [name])
    (row,), _ = public_corpus(kind)(str(folder)).rows()
    assert row["path"] == str(folder / name)
    return [row[column] for column in ("utterance", "speaker", "gender", "emotion")]


@pytest.mark.parametrize(
    ("kind", "name", "row"),
    [
        ("ravdess", "Actor_12/03-01-06-01-02-01-12.wav", ["03-01-06-01-02-01-12", "12", "F", "fearful"]),
        ("ravdess", "03-01-02-02-01-02-01.WAV", ["03-01-02-02-01-02-01", "01", "M", "calm"]),
        ("ravdess", "a/03-01-08-02-01-02-23.wav", ["03-01-08-02-01-02-23", "23", "M", "surprised"]),
        ("cremad", "1040_ITH_SAD_X.wav", ["1040_ITH_SAD_X", "1040", "", "sad"]),
        ("cremad", "AudioWAV/1091_WSI_FEA_XX.wav", ["1091_WSI_FEA_XX", "1091", "", "fearful"]),
        ("tess", "OA_bite_neutral.wav", ["OA_bite_neutral", "OAF", "F", "neutral"]),
        ("tess", "YAF_pleasant_surprised/YAF_youth_ps.wav", ["YAF_youth_ps", "YAF", "F", "surprised"]),
        ("savee", "KL/sa03.wav", ["KL_sa03", "KL", "M", "sad"]),
        ("savee", "ALL/JK_a15.wav", ["JK_a15", "JK", "M", "angry"]),
        ("savee", "JE/su01.wav", ["JE_su01", "JE", "M", "surprised"]),
        ("emovo", "m2/gio-m2-l4.wav", ["gio-m2-l4", "m2", "M", "happy"]),
        ("emovo", "pau-f3-d1.wav", ["pau-f3-d1", "f3", "F", "fearful"]),
        ("emodb", "wav/03a01Fa.wav", ["03a01Fa", "03", "M", "happy"]),
        ("emodb", "16b10Lb.wav", ["16b10Lb", "16", "F", "bored"]),
        ("emodb", "11b02As.wav", ["11b02As", "11", "M", "fearful"]),
    ],
)
def test_what_a_name_means(tmp_path, kind, name, row):
    assert row_of(kind, tmp_path, name) == row


@given(actor=integers(1, 24))
def test_actors_of_ravdess_with_odd_numbers_are_men(actor):
    form = re.fullmatch(RAVDESS.form, f"03-01-01-01-01-01-{actor:02}")
    assert RAVDESS.speaker(None, form) == (f"{actor:02}", ["F", "M"][actor % 2])


@given(actor=integers(0, 99).filter(lambda actor: not 1 <= actor <= 24))
def test_ravdess_has_24_actors(actor):
    assert re.fullmatch(RAVDESS.form, f"03-01-01-01-01-01-{actor:02}") is None


def test_men_and_women_of_emodb(tmp_path):
    write(tmp_path, emodb())
    rows, _ = public_corpus("emodb")(str(tmp_path)).rows()
    men = {row["speaker"] for row in rows if row["gender"] == "M"}
    women = {row["speaker"] for row in rows if row["gender"] == "F"}
    assert men == {"03", "10", "11", "12", "15"}
    assert women == {"08", "09", "13", "14", "16"}


def test_songs_of_ravdess_are_left_out_and_counted(tmp_path):
    """The release has 1,012: 44 for each actor but 18."""
    takes = [(e, i, s, r) for e, i, s, r in product(range(1, 7), (1, 2), (1, 2), (1, 2)) if (e, i) != (1, 2)]
    songs = [f"03-02-{e:02}-{i:02}-{s:02}-{r:02}-{a:02}.wav" for a in range(1, 25) if a != 18 for e, i, s, r in takes]
    write(tmp_path, [*songs, "03-01-01-01-01-01-01.wav"])
    rows, left_out = RAVDESS(str(tmp_path)).rows()
    assert [row["utterance"] for row in rows] == ["03-01-01-01-01-01-01"]
    assert left_out == {"sung": 1012}


@pytest.mark.parametrize("place", [".", "AudioWAV"])
def test_genders_of_cremad_are_read_beside_or_above_the_recordings(tmp_path, place):
    write(tmp_path, [f"AudioWAV/{actor}_DFA_ANG_XX.wav" for actor in (1001, 1002, 1003)])
    table = '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male",,\n1002,21,"Female",,\n'
    (tmp_path / place / "VideoDemographics.csv").write_text(table)
    rows, _ = public_corpus("cremad")(str(tmp_path / "AudioWAV")).rows()
    assert [row["gender"] for row in rows] == ["M", "F", ""]
