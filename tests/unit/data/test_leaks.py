"""Overlaps of sets, with leaks planted in tables and in a corpus."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from ser.audio.silence import Trim
from ser.audio.waveforms import Waveforms
from ser.data import IEMOCAP, EmoDB, Manifest, Synthetic
from ser.data.labels import Labels
from ser.data.leaks import (
    check_leaks,
    dialogs,
    recording_digests,
    repeated_recordings,
    shared,
    some,
)
from ser.data.protocols import make_protocol
from ser.errors import InputError


def table(*rows):
    """Rows of utterance, speaker, dialog half and set."""
    return pd.DataFrame(rows, columns=["utterance", "speaker", "dialog_half", "set"])


SOUND = table(
    ("Ses01F_impro01_F000", "Ses01F", "F", "test"),
    ("Ses01F_impro01_M000", "Ses01M", "F", "val"),
    ("Ses02M_impro02a_F000", "Ses02F", "M", "train"),
    ("Ses02M_impro02a_M000", "Ses02M", "M", "train"),
)
CONTENT = ["a", "b", "c", "d"]
RULES = {name: make_protocol(name) for name in ("speaker", "wu2019")}


@pytest.fixture(scope="module")
def tiny_digests(tiny_corpus):
    """The table of the tiny corpus and the digests of its recordings."""
    utterances = Synthetic(str(tiny_corpus), utterances_per_speaker=8).utterances()
    return utterances, recording_digests(Waveforms(utterances), len(utterances))


# Overlap


def test_a_dialog_is_named_where_there_are_dialogs():
    names = ["Ses03M_impro05a_F001", "Ses05M_script01_1b_M003", "03a01Wb", "two_parts", "single"]
    utterances = pd.DataFrame({"utterance": names, "dialog_half": ["M", "M", "", "", "F"]}, index=[4, 3, 2, 1, 0])
    found = dialogs(utterances)
    assert found.tolist() == ["Ses03M_impro05a", "Ses05M_script01_1b", "", "", ""]
    assert found.index.equals(utterances.index)


def test_a_copy_is_known_by_its_content_and_told_by_its_names():
    overlap = shared(SOUND, ["a", "b", "a", "a"])["train", "test"]
    assert overlap["recordings"] == ["Ses02M_impro02a_F000, Ses02M_impro02a_M000 = Ses01F_impro01_F000"]
    assert shared(SOUND, None)["train", "test"]["recordings"] == []


def test_every_row_needs_a_digest():
    with pytest.raises(ValueError, match="length"):
        shared(SOUND, ["a"])


def test_rows_keep_their_digests_whatever_the_index():
    assert shared(SOUND.set_index(pd.Index([7, 5, 3, 1])), ["a", "b", "a", "a"]) == shared(SOUND, ["a", "b", "a", "a"])


def test_copies_within_one_set_are_found_too():
    assert repeated_recordings(SOUND, ["a", "b", "c", "c"]) == ["Ses02M_impro02a_F000 = Ses02M_impro02a_M000"]
    assert repeated_recordings(SOUND, CONTENT) == []


def test_long_lists_are_cut():
    assert some("dialogs", ["a"]) == "1 dialog: a"
    text = some("speakers", [f"s{i:02}" for i in range(12)])
    assert text.startswith("12 speakers: s00, s01")
    assert text.endswith("s09, and 2 more")


# Refusals


@pytest.mark.parametrize("protocol", ["speaker", "wu2019"])
def test_separate_sets_pass_and_their_dialog_is_reported(protocol):
    found, leaking = check_leaks(SOUND, CONTENT, RULES[protocol])
    nothing = {"speakers": [], "utterances": [], "recordings": [], "cuts": []}
    assert found["val", "test"] == {**nothing, "dialogs": ["Ses01F_impro01"]}
    assert leaking == []


def test_only_wu2019_lets_validation_and_test_share_actors():
    utterances = SOUND.assign(speaker=["Ses01F", "Ses01F", "Ses02F", "Ses02M"])
    found, _ = check_leaks(utterances, CONTENT, RULES["wu2019"])
    assert found["val", "test"]["speakers"] == ["Ses01F"]
    with pytest.raises(InputError, match="val and test share 1 speaker: Ses01F"):
        check_leaks(utterances, CONTENT, RULES["speaker"])


@pytest.mark.parametrize("protocol", ["speaker", "wu2019"])
@pytest.mark.parametrize(("row", "other"), [(0, "test"), (1, "val")])
def test_a_speaker_of_training_is_heard_nowhere_else(protocol, row, other):
    utterances = SOUND.copy()
    utterances.loc[row, "speaker"] = "Ses02M"
    with pytest.raises(InputError, match=f"train and {other} share 1 speaker: Ses02M") as caught:
        check_leaks(utterances, CONTENT, RULES[protocol])
    assert "wu2019" in str(caught.value) or protocol == "speaker"


@pytest.mark.parametrize("protocol", ["speaker", "wu2019"])
@pytest.mark.parametrize(("digests", "sets"), [("abad", "train and test"), ("abbd", "train and val"), ("aacd", "val")])
def test_no_two_sets_share_a_recording(protocol, digests, sets):
    with pytest.raises(InputError, match=f"{sets}.* share 1 recording: Ses0.* = Ses0"):
        check_leaks(SOUND, list(digests), RULES[protocol])


@pytest.mark.parametrize("protocol", ["speaker", "wu2019"])
def test_no_two_sets_share_an_utterance(protocol):
    twice = SOUND.assign(utterance=["x", "x", "y", "z"])
    with pytest.raises(InputError, match="val and test share 1 utterance: x"):
        check_leaks(twice, None, RULES[protocol])


def test_all_leaks_come_in_one_message():
    bad = SOUND.assign(speaker=["Ses01F", "Ses01F", "Ses01F", "Ses02M"])
    with pytest.raises(InputError) as caught:
        check_leaks(bad, list("abac"), RULES["speaker"])
    lines = str(caught.value).splitlines()
    assert lines[1:-1] == [
        "  train and val share 1 speaker: Ses01F",
        "  train and test share 1 speaker: Ses01F",
        "  train and test share 1 recording: Ses02M_impro02a_F000 = Ses01F_impro01_F000",
        "  val and test share 1 speaker: Ses01F",
    ]


def test_leaks_that_are_allowed_are_told_and_only_a_file_may_have_them(tmp_path):
    utterances, split = SOUND.assign(speaker="Ses01F"), make_protocol("split", splits=str(tmp_path / "s.csv"))
    _, leaking = check_leaks(utterances, CONTENT, split, allowed=True)
    assert leaking == [
        f"{pair} share 1 speaker: Ses01F" for pair in ("train and val", "train and test", "val and test")
    ]
    with pytest.raises(InputError, match="or use --allow_leaks, and every result says so"):
        check_leaks(utterances, CONTENT, split)
    with pytest.raises(InputError, match=r"remove the copies from the corpus$"):
        check_leaks(utterances, CONTENT, RULES["speaker"])


NAN = float("nan")


@pytest.mark.parametrize(
    ("first", "second", "leak"),
    [
        ((0.0, 2.0), (1.5, 3.0), True),
        ((1.5, 3.0), (0.0, 2.0), True),
        ((0.0, 9.0), (1.0, 2.0), True),
        ((0.0, 2.0), (2.0, 3.0), False),
        ((NAN, NAN), (1.0, 2.0), True),
        ((NAN, 1.0), (1.0, NAN), False),
        ((3.0, NAN), (1.0, 4.0), True),
    ],
)
def test_overlapping_cuts_of_one_recording_are_a_leak(tmp_path, first, second, leak):
    (tmp_path / "link.wav").symlink_to("long.wav")
    cuts = [(5.0, 6.0), first, second, (7.0, 8.0)]
    paths = [tmp_path / name for name in ("other.wav", "long.wav", "link.wav", "other.wav")]
    table = SOUND.assign(path=list(map(str, paths)), start=[cut[0] for cut in cuts], end=[cut[1] for cut in cuts])
    if leak:
        one, other = "Ses02M_impro02a_F000", "Ses01F_impro01_M000"
        with pytest.raises(InputError, match=f"train and val share 1 overlapping cut: {one} with {other}"):
            check_leaks(table, CONTENT, RULES["speaker"])
        for together in ("train", ""):
            check_leaks(table.assign(set=["test", together, "train", "train"]), CONTENT, RULES["speaker"])
    else:
        check_leaks(table, CONTENT, RULES["speaker"])


def test_cuts_of_a_copy_overlap(tmp_path, wav, speech):
    sound = speech(0.5, 1)
    for name in ("a", "copy"):
        wav(tmp_path / f"{name}.wav", sound)
    lines = ["path,speaker,emotion,start,end", "a.wav,x,calm,,0.3", "copy.wav,y,bored,0.2,", "a.wav,z,calm,0.4,"]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    cuts = Manifest(str(tmp_path / "mine.csv")).utterances(Labels(["calm", "bored"]))
    sets = cuts.speaker.map({"x": "test", "y": "train", "z": "train"})
    overlaps = shared(cuts.assign(set=sets), None)
    assert overlaps["train", "test"]["cuts"] == ["copy-0.2 with a-0.3"]


# In a corpus


@pytest.mark.parametrize("protocol", ["speaker", "wu2019"])
def test_every_fold_of_the_built_in_corpus_is_clean(tiny_digests, protocol):
    utterances, digests = tiny_digests
    assert len(set(digests)) == len(digests) == 80
    for fold in range(1, RULES[protocol].num_folds(utterances) + 1):
        sets = RULES[protocol].sets(utterances, fold)
        found, _ = check_leaks(utterances.assign(set=sets), digests, RULES[protocol])
        session = utterances[sets == "test"].session.iloc[0]
        both = {"speaker": [], "wu2019": [f"Ses0{session}F", f"Ses0{session}M"]}
        assert found["val", "test"]["speakers"] == both[protocol]
        # Both speak in every dialog, so `speaker` shares dialogs; the halves of wu2019 do not.
        assert bool(found["val", "test"]["dialogs"]) == (protocol == "speaker")
        assert not any(found["train", other][what] for other in ("val", "test") for what in found["train", other])


def recording(utterances, session, speaker):
    """The path of a speaker's first recording in a session."""
    return utterances[(utterances.session == session) & (utterances.speaker == speaker)].iloc[0].path


@pytest.fixture
def own_release(tiny_release, tmp_path):
    """A copy of the tiny release to plant leaks in."""
    return shutil.copytree(tiny_release, tmp_path / "IEMOCAP_full_release")


def check_fold_1(root):
    utterances = IEMOCAP(str(root)).utterances()
    utterances["set"] = RULES["speaker"].sets(utterances, 1)
    return utterances, recording_digests(Waveforms(utterances), len(utterances))


def test_a_recording_copied_under_another_name_is_found(own_release):
    utterances, _ = check_fold_1(own_release)
    source, target = recording(utterances, 1, "Ses01F"), recording(utterances, 2, "Ses02F")
    shutil.copy(source, target)
    pair = [os.path.basename(path).removesuffix(".wav") for path in (target, source)]
    with pytest.raises(InputError, match=f"train and test share 1 recording: {pair[0]} = {pair[1]}"):
        check_leaks(*check_fold_1(own_release), RULES["speaker"])


def test_one_bit_makes_another_recording(own_release):
    utterances, before = check_fold_1(own_release)
    target = recording(utterances, 2, "Ses02F")
    shutil.copy(recording(utterances, 1, "Ses01F"), target)
    with open(target, "r+b") as file:
        file.seek(-2, os.SEEK_END)  # the low byte of the last sample
        low = file.read(1)[0]
        file.seek(-2, os.SEEK_END)
        file.write(bytes([low ^ 1]))
    changed, after = check_fold_1(own_release)
    check_leaks(changed, after, RULES["speaker"])
    assert [path for path, old, new in zip(utterances.path, before, after, strict=True) if old != new] == [target]


def test_the_header_of_a_recording_is_not_its_content(tmp_path, wav, speech):
    one, other = wav(tmp_path / "a.wav", speech(0.2)), tmp_path / "b.wav"
    content = one.read_bytes()
    extra = b"LIST" + (4).to_bytes(4, "little") + b"note"  # a chunk between format and data
    riff = (len(content) - 8 + len(extra)).to_bytes(4, "little")
    other.write_bytes(content[:4] + riff + content[8:36] + extra + content[36:])
    waveforms = Waveforms(pd.DataFrame({"path": [str(one), str(other)]}))
    first, second = recording_digests(waveforms, 2)
    assert first == second
    assert np.array_equal(waveforms.read(0), waveforms.read(1))


def test_a_copy_is_found_however_silence_was_trimmed(tmp_path, wav, speech):
    silent = wav(tmp_path / "a.wav", np.pad(speech(0.2), 16_000))
    table = pd.DataFrame({"path": [str(silent)]})
    digests = {
        recording_digests(Waveforms(table, trim=trim), 1)[0] for trim in (None, Trim(), Trim(margin_seconds=0.5))
    }
    assert len(digests) == 1


@pytest.mark.emodb
@pytest.mark.skipif("EMODB_ROOT" not in os.environ, reason="EMODB_ROOT is not set: EMO-DB is not included")
def test_the_folds_of_emodb_share_nothing():
    utterances = EmoDB(os.environ["EMODB_ROOT"]).utterances()
    digests = recording_digests(Waveforms(utterances), len(utterances))
    assert repeated_recordings(utterances, digests) == []
    for fold in range(1, 11):
        found, _ = check_leaks(
            utterances.assign(set=RULES["speaker"].sets(utterances, fold)), digests, RULES["speaker"]
        )
        assert not any(names for overlap in found.values() for names in overlap.values())
