"""`ser corpus`: its counts and warnings, and its recognition of corpora."""

import shutil
from datetime import date

import pandas as pd
import pytest
import soundfile

from ser.audio.waveforms import Waveforms
from ser.commands.corpus import main
from ser.data.corpora.emodb import EmoDB
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.corpora.manifest import Manifest
from ser.data.corpora.summary import census, detect
from ser.data.labels import Labels
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError


@pytest.fixture
def manifest(tmp_path, wav, speech):
    path = tmp_path / "corpus.csv"
    path.write_text("utterance,path,session,speaker,emotion\na,a.wav,1,x,sad\nb,b.wav,1,y,happy\n")
    wav(tmp_path / "a.wav", speech(0.1))
    wav(tmp_path / "b.wav", speech(0.3))
    return path


def test_counts(release):
    report = census(IEMOCAP(str(release.root)), Labels())
    assert report.left_out == {"excited": 4, "undecided": 4}
    speakers = report.counts("session", "speaker").set_index("speaker")
    assert speakers.loc["Ses01F", ["neutral", "angry", "happy", "sad", "all"]].tolist() == [0, 2, 0, 2, 4]
    assert speakers.iloc[-1][["session", "neutral", "angry", "happy", "sad", "all"]].tolist() == ["all", 4, 4, 4, 4, 16]
    assert speakers.minutes.tolist() == pytest.approx([0.4 / 60] * 4 + [1.6 / 60])
    halves = report.counts("session", "dialog_half")
    assert halves["all"].tolist() == [4, 4, 4, 4, 16]
    assert report.counts("gender").set_index("gender").loc["F", ["angry", "sad", "all"]].tolist() == [4, 4, 8]


def test_without_chosen_labels_all_are_counted(release):
    report = census(IEMOCAP(str(release.root)))
    assert report.emotions == ["neutral", "angry", "happy", "sad", "excited", "undecided"]
    assert report.counts("speaker").iloc[-1].tolist() == ["all", 4, 4, 4, 4, 4, 4, 24, pytest.approx(2.4 / 60)]
    assert (report.left_out, report.problems) == ({}, [])


def test_chosen_labels_are_counted_in_the_given_order(release, capsys):
    chosen = ["--emotions", "sad, positive", "--merge", "happy=positive, excited=positive"]
    assert main(["check", str(release.root), *chosen]) == 0
    text = capsys.readouterr().out
    assert "12 utterances" in text
    assert "Other labels, left out: 4 angry, 4 neutral, 4 undecided.\n" in text
    speakers, genders = (
        part.split("\n")[1:] for part in text.split("\n\n") if part.startswith("By ") and "half" not in part
    )
    assert speakers[0].split() == ["session", "speaker", "sad", "positive", "all", "minutes"]
    assert speakers[1].split()[:-1] == ["1", "Ses01F", "2", "0", "2"]
    assert speakers[-1].split()[:-1] == ["all", "4", "8", "12"]
    assert [line.split()[:4] for line in genders] == [
        ["gender", "sad", "positive", "all"],
        ["F", "4", "0", "4"],
        ["M", "0", "8", "8"],
        ["all", "4", "8", "12"],
    ]


def test_labels_with_the_names_of_columns_are_counted_beside_these(manifest, capsys):
    """A native label can be any word."""
    manifest.write_text("path,speaker,emotion,gender\na.wav,x,all,F\nb.wav,y,speaker,F\n")
    assert main(["check", str(manifest)]) == 0
    speakers = capsys.readouterr().out.split("By speaker\n")[1].splitlines()[:4]
    assert speakers[0].split() == ["speaker", '"all"', '"speaker"', "all", "minutes"]
    assert [line.split()[:4] for line in speakers[1:]] == [["x", "1", "0", "1"], ["y", "0", "1", "1"], ["all", *"112"]]
    manifest.write_text("path,speaker,emotion,gender\na.wav,x,gender,F\nb.wav,y,minutes,F\n")
    assert main(["check", str(manifest)]) == 0
    assert '"gender"  "minutes"  all  minutes\n     F' in capsys.readouterr().out


def test_a_label_that_never_occurs_is_a_problem(release, capsys):
    assert main(["check", str(release.root), "--emotions", "sad,hapy"]) == 2
    expected = (
        "data.emotions: no utterance is labelled 'hapy'; did you mean happy? (its labels: angry, excited, happy, "
    )
    assert f"\n{expected}" in capsys.readouterr().out


def test_a_sound_corpus_is_reported_with_exit_code_0(release, capsys):
    assert main(["check", str(release.root)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"iemocap in {release.root}\n")
    assert "24 utterances, 0.0 minutes; shortest 0.10 s, median 0.10 s, longest 0.10 s" in text
    assert "By session and speaker" in text
    assert "By session and dialog half" in text
    assert text.endswith("No problems found.\n")


def test_warnings_are_no_problems(tmp_path, wav, speech, capsys):
    path = tmp_path / "corpus.csv"
    rows = [("a", 1, "w", "sad"), ("b", 1, "x", "happy"), ("c", 2, "y", "sad"), ("d", 2, "z", "sad")]
    for name, *_ in rows:
        wav(tmp_path / f"{name}.wav", speech(0.1, seed=ord(name) % 3))  # a and d are equal, with equal labels
    soundfile.write(tmp_path / "c.wav", speech(0.1, seed=ord("b") % 3) / 32_768, 16_000, subtype="FLOAT")  # equal to b
    lines = [f"{name},{name}.wav,{session},{who},{emotion}" for name, session, who, emotion in rows]
    path.write_text("\n".join(["utterance,path,session,speaker,emotion", *lines]) + "\n")
    assert main(["check", str(path)]) == 0
    text = capsys.readouterr().out
    assert text.endswith("\n\nNo problems found.\n")
    assert text.split("\n\n")[-2].splitlines() == [
        "5 warnings",
        f"{tmp_path}/b.wav (happy): the same recording has another label in {tmp_path}/c.wav (sad)",
        f"{path}: no utterance of neutral, angry, but training uses the emotions in data.emotions (default: the "
        "paper's four); its labels: happy, sad",
        f"{path}: speaker w has no utterance of happy",
        f"{path}: speaker x has no utterance of sad",
        f"{path}: session 2 has no utterance of happy",
    ]
    path.write_text("\n".join(["utterance,path,session,speaker,emotion", *lines[:2]]) + "\n")
    assert main(["check", str(path)]) == 0
    assert "\n4 warnings\n" in (text := capsys.readouterr().out)
    assert f"{path}: one session only (1): folds leave one out, so none remains for training\n" in text


def test_a_fault_of_every_recording_takes_ten_lines(tmp_path, wav, speech):
    rows = [[str(n), f"{n}.wav", str(n // 2), f"s{n}", PAPER_EMOTIONS[n % 4]] for n in range(14)]
    for name, file, *_ in rows:
        wav(tmp_path / file, speech(0.1, int(name)) + 900)
    path = tmp_path / "corpus.csv"
    path.write_text("\n".join(["utterance,path,session,speaker,emotion", *map(",".join, rows)]))
    lines = [line for line in census(Manifest(str(path))).warnings if "off-centre" in line]
    assert len(lines) == 11
    assert lines[-1] == "... and 4 more recordings: off-centre"


def test_problems_are_reported_one_per_line_with_exit_code_2(release, capsys):
    release.audio("Ses01F_impro01_M000").unlink()
    release.audio("Ses02F_impro01_M000").write_bytes(b"")
    assert main(["check", str(release.root)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3] == "2 problems"
    assert lines[-2].startswith(f"{release.labels('Ses01F_impro01')}:3: ")
    assert lines[-1] == f"{release.audio('Ses02F_impro01_M000')}: empty (0 bytes)"


def test_nothing_usable(manifest, capsys):
    manifest.write_text("utterance,path\n")
    assert main(["check", str(manifest)]) == 2
    text = capsys.readouterr().out
    assert "No usable utterance." in text
    assert text.splitlines()[-2] == "1 problem"


def test_options_of_iemocap(release, capsys):
    for style, number in ((["--style", "all"], 30), ([], 20)):  # only improvised dialogs by default
        assert (
            main(["check", str(release.root), *style, "--emotions", "neutral,angry,happy,sad", "--merge-excited"]) == 0
        )
        assert f"{number} utterances" in capsys.readouterr().out
        assert main(["check", str(release.root), *style, "--merge", "excited=happy"]) == 0
        assert f"{number} utterances" in capsys.readouterr().out


def test_what_a_path_holds_is_recognised(release, manifest, tmp_path, wav, speech):
    wav(tmp_path / "emodb" / "wav" / "03a01Fa.wav", speech())
    assert isinstance(detect(str(release.root)), IEMOCAP)
    assert isinstance(detect(str(release.root.parent)), IEMOCAP)
    assert isinstance(detect(str(tmp_path / "emodb")), EmoDB)
    assert isinstance(detect(str(tmp_path / "emodb" / "wav")), EmoDB)
    assert isinstance(detect(str(manifest)), Manifest)
    with pytest.raises(InputError, match="no such file or folder"):
        detect(str(tmp_path / "absent"))
    shutil.rmtree(release.root)
    with pytest.raises(InputError, match="no corpus recognised\nlooked for"):
        detect(str(tmp_path))


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["check", "IEMOCAP_full_release", "--kind", "emodb"], ["EMO-DB not found"]),
        (["check", "corpus.csv", "--style", "all"], ["for IEMOCAP only"]),
        (["check", "x", "--knd", "emodb"], ["ser: --knd: no such option", "--kind?", ": ser corpus check --help"]),
        (["check", "corpus.csv", "--emotions", "sad"], ["data.emotions is ['sad'], but must be 2 to 100 names"]),
        (["check", "corpus.csv", "--merge", "sad"], ["--merge: 'sad' is not of the form excited=happy"]),
        (["check", "corpus.csv", "--merge", "a=sad,a=happy"], ["--merge: 'a=sad,a=happy' counts a label twice"]),
        (["check", "corpus.csv", "--merge", "a=b,b=a"], ["data.merge counts 'a' as 'b', and is circular: a -> b -> a"]),
        (["check", "corpus.csv", "--emotions", "sad,happy", "--merge", "a=joy"], ["'a' as 'joy', which is not in"]),
        (["cache", "--emtpy"], ["ser: --emtpy: no such option", "--empty?", ": ser corpus cache --help"]),
        (["synth", "x", "--sed", 3], ["ser: --sed: no such option", "--seed?", ": ser corpus synth --help"]),
    ],
)
def test_refusals(refused, release, manifest, words, parts):
    message = refused(["corpus", *words], parts)
    assert "no such option" not in message or message.splitlines()[-1].startswith("(all options")


def test_the_built_in_corpus_is_written_once(tmp_path, capsys):
    command = ["synth", str(tmp_path / "demo"), "--utterances-per-speaker", "8"]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert first.startswith(f"Written to {tmp_path / 'demo'}\n")
    assert "122 utterances" in first, "80 of the paper's emotions and 42 of others"
    assert main(command) == 0
    assert capsys.readouterr().out == first.replace("Written to", "Already there:")
    assert isinstance(detect(command[1]), IEMOCAP)


def test_the_cache_is_listed_and_emptied(tmp_path, speech, monkeypatch, capsys):
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.flac", speech(1), 16_000)
    Waveforms(pd.DataFrame({"path": [tmp_path / "a.flac"]}))
    size = sum(path.stat().st_size for path in (tmp_path / "cache").iterdir())
    line = f"1 converted recording in {tmp_path / 'cache'}, {size / 1e6:.1f} MB, written {date.today()}\n"
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == line
    assert main(["cache", "--empty"]) == 0
    assert capsys.readouterr().out == f"Removed: {line}"
    assert list((tmp_path / "cache").iterdir()) == []
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"0 converted recordings in {tmp_path / 'cache'}, 0.0 MB\n"


def test_a_cache_that_is_a_file_is_refused(tmp_path, refused, monkeypatch):
    (tmp_path / "taken").write_text("mine")
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "taken"))
    for words in (["cache"], ["cache", "--empty"]):
        refused(["corpus", *words], [f"ser: {tmp_path / 'taken'}: Not a directory", "SER_CACHE"])


def test_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["check"])
    assert caught.value.code == 2
    assert "usage: ser corpus check" in capsys.readouterr().err


def test_missing_sessions_are_noted(tiny_release, tmp_path):
    """A release without two sessions is valid but has other folds, so it is noted."""
    part = tmp_path / "IEMOCAP_full_release"
    shutil.copytree(tiny_release, part, ignore=shutil.ignore_patterns("Session2", "Session4"))
    assert "3 of the 5 sessions of iemocap are present (1, 3, 5)" in str(census(IEMOCAP(str(part))))
    assert census(IEMOCAP(str(tiny_release))).note is None
