from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ser.data.corpora.manifest import Manifest
from ser.data.labels import Labels
from ser.errors import CorpusError, InputError

HEADER = "utterance,path,session,speaker,emotion"


@pytest.fixture
def manifest(tmp_path, wav, speech):
    """A function that writes a CSV file beside four recordings: manifest(lines)."""
    for name in "abcd":
        wav(tmp_path / "audio" / f"{name}.wav", speech())

    def write(*lines: str | bytes):
        path = tmp_path / "corpus.csv"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
        return path

    return write


def problems(path, *emotions: str) -> list[str]:
    with pytest.raises(CorpusError) as caught:
        Manifest(str(path)).utterances(Labels(emotions) if emotions else None)
    assert all(line.startswith(f"{path}") for line in caught.value.problems)
    return [line.removeprefix(f"{path}:") for line in caught.value.problems]


SOUND = (
    "a,audio/a.wav,1,03,neutral",
    "b,audio/b.wav,1,04,angry",
    "c,audio/c.wav,2,05,happy",
    "d,audio/d.wav,2,06,sad",
)


def test_the_table(manifest, tmp_path):
    corpus = Manifest(str(manifest(HEADER, *SOUND)), name="mine")
    table = corpus.utterances()
    assert corpus.name == "mine"
    assert table.speaker.tolist() == ["03", "04", "05", "06"]
    assert table.session.tolist() == [1, 1, 2, 2]
    assert table.path[0] == str(tmp_path / "audio" / "a.wav")
    assert set(table.dialog_half) == {""}
    assert table.seconds.tolist() == pytest.approx([0.1] * 4)


def test_order_of_columns_further_columns_quotes_bom_blank_lines_and_windows_line_ends(manifest, tmp_path):
    path = manifest(
        b"\xef\xbb\xbfemotion, session ,speaker,dialog_half,text,path,utterance\r",
        b'neutral,one,S1,F,"Yes, of\r\ncourse",audio/a.wav,a\r',
        b"\r",
        b"sad,one,S2,M,Oh,%s,b\r" % str(tmp_path / "audio" / "b.wav").encode(),
    )
    table = Manifest(str(path)).utterances(Labels(["neutral", "sad"]))
    assert table.emotion.tolist() == ["neutral", "sad"]
    assert table.session.tolist() == ["one", "one"]
    assert table.dialog_half.tolist() == ["F", "M"]


@pytest.mark.parametrize("first", ["", "sep=\n", '"sep="\r\n', "\nsep=\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_of_spreadsheets(manifest, tmp_path, separator, first):
    """With or without a first line that declares the separator; line numbers are those of an editor."""
    expected = Manifest(str(manifest(HEADER, *SOUND))).utterances()
    first = first.replace("sep=", f"sep={separator}")
    lines = [HEADER + ",text", *(f'{line},"one, two; three\tfour"' for line in SOUND)]
    lines = [separator.join(line.split(",", 5)) for line in lines]
    path = manifest(first + lines[0], *lines[1:])
    assert Manifest(str(path)).utterances().equals(expected)
    path = manifest(first + lines[0], *lines[1:], lines[4])
    before = first.count("\n")
    assert f"{before + 6}: utterance d was already given in line {before + 5}" in problems(path)


@pytest.mark.parametrize(("first", "separator"), [("sep=;\n", ";"), ("sep=|\n", "|"), ("", ",")])
def test_a_separator_that_does_not_fit_is_named(manifest, first, separator):
    path = manifest(first + "utterance/path/session/speaker/emotion", "a/b/c/d/e")
    assert problems(path)[0].endswith(f"read with the separator {separator!r})")


def test_labels_are_in_any_words_and_missing_emotions_take_one_line_each(manifest):
    lines = [line.replace("neutral", "joy").replace("angry", "fear").replace("sad", "joy") for line in SOUND]
    path = manifest(HEADER, *lines)
    table, problems, left_out = Manifest(str(path)).read(Labels(["joy", "fear"]))
    assert not problems
    assert table.emotion.tolist() == ["joy", "fear", "joy"]
    assert left_out == {"happy": 1}
    with pytest.raises(CorpusError) as caught:
        Manifest(str(path)).utterances()
    assert caught.value.problems == [
        f"data.emotions: no utterance is labelled {emotion!r} (its labels: fear, happy, joy)"
        for emotion in ("neutral", "angry", "sad")
    ]


def test_a_folder_of_another_corpus_is_recognised(tmp_path, wav, speech):
    wav(tmp_path / "03a01Fa.wav", speech())
    with pytest.raises(InputError, match=r"not a file\nthis is EMO-DB; to read it: --data emodb --data"):
        Manifest(str(tmp_path)).utterances()


def test_samples_beyond_full_scale_are_said_once_on_standard_error(manifest, tmp_path, capsys):
    path = manifest(HEADER, *SOUND)
    samples = np.sin(np.arange(1600) / 9)
    for name, factor in (("a", 1.1), ("b", 1.05), ("c", 1)):
        soundfile.write(tmp_path / "audio" / f"{name}.wav", factor * samples, 16_000, subtype="FLOAT")
    Manifest(str(path)).utterances()
    assert capsys.readouterr().err == (
        "ser: warning: 2 recordings have samples beyond full scale (1), which are clipped; "
        f"the largest is 1.1 in {tmp_path}/audio/a.wav\n"
    )


def test_sessions_are_integers_only_if_all_are(manifest):
    lines = [SOUND[0], SOUND[1], *(line.replace(",2,", ",two,") for line in SOUND[2:])]
    assert Manifest(str(manifest(HEADER, *lines))).utterances().session.tolist() == ["1", "1", "two", "two"]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("a,,1,03,neutral", "column path is empty"),
        (" ,audio/a.wav,1,03,neutral", "column utterance is empty"),
        ("a,audio/a.wav,,03,neutral", "column session is empty"),
        ("a,audio/a.wav,1,03,", "column emotion is empty"),
        ("a,audio/a.wav,1,03", "4 cells, but the header has 5"),
        ("a,audio/a.wav,1,03,sad,", "6 cells, but the header has 5"),
        ("a,audio/b.wav,1,03,sad", "path {folder}/audio/b.wav was already given in line 3"),
        ("a,audio/../audio/b.wav,1,03,sad", "path {folder}/audio/b.wav was already given in line 3"),
        ("b,audio/a.wav,1,03,sad", "utterance b was already given in line 3"),
        ("a,audio/x.wav,1,03,neutral", "{folder}/audio/x.wav: missing"),
        ("a,../corpus.csv/,1,03,neutral", "{folder}/corpus.csv: missing"),
        (b"a,audio/\xff.wav,1,03,sad", "not UTF-8 (byte 0xff)"),
        (b"a\0,audio/\0.wav,1,03,neutral", "'{folder}/audio/\\x00.wav': unreadable (embedded null byte)"),
    ],
)
def test_a_bad_line_is_named(manifest, tmp_path, line, cause):
    (tmp_path / "other").mkdir()
    path = manifest(HEADER, "# comment,audio/d.wav,1,03,neutral", SOUND[1], line)
    folder = tmp_path.parent if "../corpus" in str(line) else tmp_path
    assert problems(path, "neutral", "angry") == [f"4: {cause.format(folder=folder)}"]


def test_one_recording_under_two_names_is_found_through_links(manifest, tmp_path):
    (tmp_path / "audio" / "e.wav").symlink_to("a.wav")
    (tmp_path / "more").symlink_to("audio")
    path = manifest(HEADER, *SOUND[:3], "d,audio/e.wav,2,06,sad", "e,more/b.wav,2,06,sad")
    assert problems(path) == [
        f"5: path {tmp_path}/audio/e.wav was already given in line 2",
        f"6: path {tmp_path}/more/b.wav was already given in line 3",
    ]


def test_dialog_halves(manifest):
    path = manifest(HEADER + ",dialog_half", *(f"{line},{half}" for line, half in zip(SOUND, "FMXF", strict=True)))
    assert "4: dialog_half is 'X', but must be F, M or empty" in problems(path)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["utterance,path,session"], "1: no column speaker, emotion (needed: path, speaker, emotion; "),
        ([HEADER + ",path", "a,b,1,2,sad,c"], "1: two columns with the same name"),
        ([HEADER, 'a,"audio/a.wav,1,03,neutral'], "2: not a line of CSV (unexpected end of data)"),
        ([""], " empty"),
    ],
)
def test_a_bad_file(manifest, lines, expected):
    assert problems(manifest(*lines))[0].startswith(expected)


def test_all_problems_come_at_once_and_a_line_may_have_several(manifest):
    path = manifest(HEADER, "a,,1,,neutral", "b,audio/x.wav,1,04,sad", *SOUND[2:], "e,audio/d.wav,2,06,sad")
    assert len(problems(path)) == 4


def test_without_a_file_two_lines_say_where_it_was_looked_for(tmp_path):
    for csv, where in [
        (None, "--data.corpus.csv"),
        (str(tmp_path / "x.csv"), "no such file"),
        (str(tmp_path), "not a"),
    ]:
        with pytest.raises(InputError) as caught:
            Manifest(csv).utterances()
        first, second = str(caught.value).splitlines()
        assert where in first
        assert "ser fit" in second


def test_sessions_are_numbers_only_where_each_has_its_own(manifest):
    def sessions(*names: str) -> list:
        lines = [f"{name},audio/{name}.wav,{names[place // 2]},{place},sad" for place, name in enumerate("abcd")]
        return Manifest(str(manifest(HEADER, *lines))).read().table.session.tolist()[::2]

    assert sessions("01", "02") == [1, 2]
    assert sessions("1", "01") == ["1", "01"]
    assert sessions("1" * 5000, "2") == ["1" * 5000, "2"]


@pytest.mark.parametrize(
    ("csv", "name", "expected"),
    [
        ("folder/mine.csv", None, "mine"),
        ("~/Other corpus.v2.csv", None, "Other corpus.v2"),
        ("folder/mine.csv", "theirs", "theirs"),
        ("folder/a:b.csv", None, "a-b"),
    ],
)
def test_a_corpus_is_called_after_its_file_unless_it_has_a_name(csv, name, expected):
    assert Manifest(csv, name).name == expected


def test_a_name_that_could_not_be_told_from_a_speaker(tmp_path):
    with pytest.raises(InputError, match=r"data\.corpus\.name is 'a:b', but must not contain a colon"):
        Manifest(str(tmp_path / "x.csv"), "a:b")
