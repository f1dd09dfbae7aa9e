from __future__ import annotations

import os

import pytest

from ser.data.corpora.corpus import COLUMNS
from ser.data.corpora.iemocap import IEMOCAP
from ser.errors import CorpusError, InputError

DIALOG = "Ses01F_impro01"
FIRST = 3  # line of the first utterance in a label file; the others follow every four lines


def problems(release, **options) -> list[str]:
    with pytest.raises(CorpusError) as caught:
        IEMOCAP(str(release.root), **options).utterances()
    return caught.value.problems


def test_the_table(release):
    table = IEMOCAP(str(release.root)).utterances()
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * 4
    row = table.set_index("utterance").loc["Ses02F_impro01_M001"]
    assert row.path == str(release.audio("Ses02F_impro01_M001"))
    assert row[["session", "speaker", "dialog_half", "emotion"]].tolist() == [2, "Ses02M", "F", "happy"]
    assert row.seconds == pytest.approx(0.1)
    assert table.utterance.is_monotonic_increasing


def test_the_last_field_says_who_speaks_and_the_first_whose_dialog_it_is(release):
    release.add_dialog(1, "Ses01M_script01_1b")
    table = IEMOCAP(str(release.root), style="all").utterances()
    assert set(table.speaker) == {"Ses01F", "Ses01M", "Ses02F", "Ses02M"}
    for row in table.itertuples():
        assert row.dialog_half == row.utterance[5]
        assert row.speaker[-1] == row.utterance.rsplit("_", 1)[1][0]
    assert set(table.groupby("speaker").dialog_half.nunique()) == {2}


def test_styles_and_excited(release):
    root = str(release.root)
    improvised, scripted = IEMOCAP(root).utterances(), IEMOCAP(root, style="scripted").utterances()
    assert len(IEMOCAP(root, style="all").utterances()) == len(improvised) + len(scripted)
    assert improvised.utterance.str.contains("impro").all()
    assert scripted.utterance.str.contains("script").all()
    merged = IEMOCAP(root, merge_excited=True).utterances()
    assert (merged.emotion == "happy").sum() == 2 * (improvised.emotion == "happy").sum()
    with pytest.raises(InputError, match="style is 'free'"):
        IEMOCAP(root, style="free")


def test_the_folder_around_the_release_and_windows_line_ends_are_accepted(release):
    path = release.labels(DIALOG)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    corpus = IEMOCAP(str(release.root.parent))
    assert len(corpus.utterances()) == 16
    assert corpus.location == str(release.root)


def test_synthetic_speech_is_never_called_iemocap(release):
    corpus = IEMOCAP(str(release.root))
    assert corpus.name == "iemocap"
    (release.root / "ser-synthetic.json").write_text("{}")
    assert corpus.name == "synthetic"


@pytest.mark.parametrize("root", [None, "", "empty", "absent", "x" * 300])
def test_without_a_release_two_lines_say_where_it_was_looked_for_and_what_else_there_is(tmp_path, root):
    (tmp_path / "empty").mkdir()
    corpus = IEMOCAP(str(tmp_path / root) if root else root)
    with pytest.raises(InputError) as caught:
        corpus.utterances()
    where, instead = str(caught.value).splitlines()
    assert (str(tmp_path / root) if root else "--data.corpus.root") in where
    assert "`root:`" in where or root
    assert instead.endswith("ser fit --config reccap --config demo")


@pytest.mark.parametrize(
    ("file", "instead"),
    [
        ("wav/03a01Fa.wav", "this is EMO-DB; to read it: --data emodb --data.corpus.root {place}"),
        ("mine.csv", "this is a manifest; to read it: --data manifest --data.corpus.csv {place}"),
        ("wav/mine.wav", "to use the built-in corpus instead: "),
    ],
)
def test_a_corpus_of_another_kind_is_recognised(tmp_path, wav, speech, file, instead):
    wav(tmp_path / file, speech())
    place = tmp_path / file if file.endswith(".csv") else tmp_path
    with pytest.raises(InputError, match="IEMOCAP not found in") as caught:
        IEMOCAP(str(place)).utterances()
    assert str(caught.value).splitlines()[1].startswith(instead.format(place=place))


def test_unknown_labels_take_one_line_each(release):
    for name in (DIALOG, "Ses01M_impro02a", "Ses02F_impro01", "Ses02M_impro02a"):
        release.line(name, FIRST, release.line(name, FIRST).replace("neu", "joy"))
    places = [f"{release.labels(name)}:{FIRST}" for name in (DIALOG, "Ses01M_impro02a", "Ses02F_impro01")]
    [problem] = problems(release)
    assert problem.startswith(f"{places[0]}: unknown emotion 'joy' (known: neu, ")
    assert problem.endswith(f"; 4 in all, also {places[1]}, {places[2]}")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("[x - 2.0]\t{name}\tneu\t[1, 2, 3]", "malformed times '[x - 2.0]'"),
        ("[1.0]\t{name}\tneu\t[1, 2, 3]", "malformed times '[1.0]'"),
        ("[2.0 - 2.0]\t{name}\tneu\t[1, 2, 3]", "{name} ends at 2.0 s, not after its start at 2.0 s"),
        ("[1.0 - 2.0]\t{name}\t[1, 2, 3]", "malformed line"),
        ("[1.0 - 2.0]\t{name}\tneu", "malformed line"),
        ("[1.0 - 2.0]\t{name}\t\t[1, 2, 3]", "malformed line"),
        ("[1.0 - 2.0]\t{name}\tneu\t[1, 2", "malformed line"),
        ("[1.0 - 2.0] {name} neu [1, 2, 3]", "malformed line"),
        (
            "[1.0 - 2.0]\t{name}\tjoy\t[1, 2, 3]",
            "unknown emotion 'joy' (known: neu, ang, hap, sad, exc, fru, sur, fea, dis, ",
        ),
        (b"[1.0 - 2.0]\tSes01F_impro01_M000\tneu\xff\t[1, 2, 3]", "not UTF-8 (byte 0xff)"),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(release, line, cause):
    name = f"{DIALOG}_M000"
    release.line(DIALOG, FIRST, line if isinstance(line, bytes) else line.format(name=name))
    [problem] = problems(release)
    assert problem.startswith(f"{release.labels(DIALOG)}:{FIRST}: {cause.format(name=name)}")


def test_a_bad_byte_in_any_line_of_a_label_file(release):
    release.line(DIALOG, FIRST + 1, b"C-E2:\tNeutral;\t(\xe9)")
    assert problems(release) == [f"{release.labels(DIALOG)}:{FIRST + 1}: not UTF-8 (byte 0xe9)"]


def test_duplicate_names(release):
    release.line(DIALOG, FIRST + 3, release.line(DIALOG, FIRST))
    assert problems(release) == [
        f"{release.labels(DIALOG)}:{FIRST + 3}: {DIALOG}_M000 was already labelled in line {FIRST}"
    ]


@pytest.mark.parametrize("name", ["Ses01F_impro02_M000", "Ses01M_impro01_M000", f"{DIALOG}_X000", DIALOG])
def test_a_name_of_another_dialog(release, name):
    release.line(DIALOG, FIRST, release.line(DIALOG, FIRST).replace(f"{DIALOG}_M000", name))
    release.audio(f"{DIALOG}_M000").unlink()
    assert problems(release) == [
        f"{release.labels(DIALOG)}:{FIRST}: {name} is not named like an utterance of dialog {DIALOG}"
    ]


def test_labels_without_audio_and_audio_without_labels(release, wav, speech):
    release.audio(f"{DIALOG}_F000").unlink()
    extra = wav(release.audio(f"{DIALOG}_F009"), speech())
    dialog = wav(release.audio("Ses01M_impro07_F000"), speech()).parent
    wav(release.audio("Ses01M_script07_F000"), speech())  # not an improvised dialog
    labels = release.labels(DIALOG)
    assert problems(release) == [
        f"{dialog}: audio without a label file ({labels.with_name('Ses01M_impro07.txt')})",
        f"{labels}:{FIRST + 4}: {DIALOG}_F000 has no audio file ({release.audio(f'{DIALOG}_F000')})",
        f"{extra}: audio without a label line in {labels}",
    ]


def test_label_files_without_utterances_or_with_another_name(release):
    release.labels("Ses01M_impro02a").write_text("% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n")
    wrong = release.labels(DIALOG).with_name("Ses02F_impro01.txt")
    wrong.write_text("")
    found = problems(release)
    assert f"{release.labels('Ses01M_impro02a')}: no line with an utterance" in found
    assert f"{wrong}: not named like a dialog of session 1" in found


def test_a_session_without_labels(release):
    release.labels(DIALOG).parent.rename(release.root / "Session1" / "dialog" / "elsewhere")
    assert problems(release) == [f"{release.labels(DIALOG).parent}: missing"]


def test_bad_audio_of_selected_utterances_only(release):
    bad = release.audio(f"{DIALOG}_M000")
    bad.write_bytes(bad.read_bytes()[:-10])
    release.audio(f"{DIALOG}_F002").write_bytes(b"")  # labelled xxx: not selected
    release.audio("Ses01F_script01_1b_M000").write_bytes(b"")  # scripted: not selected
    assert problems(release) == [f"{bad}: truncated (its header promises 3200 bytes of samples, 3190 are there)"]


def test_all_problems_come_at_once(release):
    release.line(DIALOG, FIRST, "[1.0 - 0.5]\tSes01F_impro01_M000\tneu\t[1, 2, 3]")
    release.line("Ses02F_impro01", FIRST, b"[\xff")
    release.audio("Ses02M_impro02a_M000").write_bytes(b"")
    release.audio("Ses02M_impro02a_F000").unlink()
    with pytest.raises(CorpusError, match=r"^iemocap in .*IEMOCAP_full_release: 5 problems\n  /") as caught:
        IEMOCAP(str(release.root)).utterances()
    assert len(caught.value.problems) == 5


PER_HALF = {
    (1, "F"): [119, 29, 24, 43], (1, "M"): [104, 33, 9, 61],
    (2, "F"): [119, 9, 21, 33], (2, "M"): [98, 13, 33, 67],
    (3, "F"): [77, 22, 22, 94], (3, "M"): [121, 68, 38, 96],
    (4, "F"): [91, 63, 5, 38], (4, "M"): [83, 21, 26, 43],
    (5, "F"): [143, 24, 49, 82], (5, "M"): [144, 7, 57, 51],
}  # fmt: skip
PER_SPEAKER = {
    "Ses01F": [119, 37, 18, 43], "Ses01M": [104, 25, 15, 61],
    "Ses02F": [90, 7, 25, 63], "Ses02M": [127, 15, 29, 37],
    "Ses03F": [95, 22, 39, 108], "Ses03M": [103, 68, 21, 82],
    "Ses04F": [51, 47, 10, 41], "Ses04M": [123, 37, 21, 40],
    "Ses05F": [151, 18, 56, 73], "Ses05M": [136, 13, 50, 60],
}  # fmt: skip


@pytest.mark.iemocap
@pytest.mark.skipif("IEMOCAP_ROOT" not in os.environ, reason="IEMOCAP_ROOT is not set: the release needs a licence")
def test_the_release_gives_the_counts_of_the_paper():
    table = IEMOCAP(os.environ["IEMOCAP_ROOT"]).utterances()
    emotions = ["neutral", "angry", "happy", "sad"]
    assert table.emotion.value_counts()[emotions].tolist() == [1099, 289, 284, 608]
    assert len(table) == 2280
    assert round(table.seconds.sum() / 3600, 2) == 2.78
    halves = table.groupby(["session", "dialog_half", "emotion"]).size().unstack()[emotions]
    assert {key: counts.tolist() for key, counts in halves.iterrows()} == PER_HALF
    speakers = table.groupby(["speaker", "emotion"]).size().unstack()[emotions]
    assert {key: counts.tolist() for key, counts in speakers.iterrows()} == PER_SPEAKER
