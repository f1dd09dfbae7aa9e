"""The command `ser protocol` on a user's own split."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from ser.data import IEMOCAP


def by_session(row):
    return {1: "test", 2: "dev"}.get(row.session, "train")


def test_a_clean_split_of_ones_own(protocol, corpus, split_file):
    code, lines = protocol("--splits", split_file(by_session), *corpus)
    assert code == 0
    assert lines[-1] == "No leak found."
    assert "64 of 80 utterances are never tested." in lines


def test_speakers_in_two_sets_are_a_finding_with_exit_code_1(protocol, corpus, split_file, tmp_path):
    first_half = {}

    def by_chance(row):
        first_half[row.speaker] = first_half.get(row.speaker, 0) + 1
        return by_session(row) if row.session != 1 or first_half[row.speaker] % 2 else "train"

    file, out = split_file(by_chance), tmp_path / "found.json"
    code, lines = protocol("--splits", file, *corpus, "--out", out)
    assert code == 1
    assert lines[-2:] == [
        "1 leak under protocol speaker",
        "  fold 1: train and test share 2 speakers: Ses01F, Ses01M",
    ]
    assert json.loads(out.read_text())["folds"][0]["leaks"] == ["train and test share 2 speakers: Ses01F, Ses01M"]
    assert protocol("wu2019", "--splits", file, *corpus)[0] == 1, "train and test may share no speaker in any protocol"


def test_the_halves_of_wu2019_leak_by_the_rules_of_speaker(protocol, corpus, tmp_path):
    out = tmp_path / "halves.csv"
    assert protocol("wu2019", *corpus, "--out", out)[0] == 0
    assert protocol("wu2019", "--splits", out, *corpus)[0] == 0
    code, lines = protocol("--splits", out, *corpus)
    assert code == 1
    assert lines[-6] == "5 leaks under protocol speaker"
    assert lines[-1] == "  fold 5: val and test share 2 speakers: Ses05F, Ses05M"


def test_a_copied_recording_is_found_in_protocol_and_split(protocol, own_release, split_file):
    table = IEMOCAP(str(own_release)).utterances()
    heard, tested = table[table.session == 3].iloc[0], table[table.session == 1].iloc[0]
    shutil.copy(tested.path, heard.path)
    line = f"train and test share 1 recording: {heard.utterance} = {tested.utterance}"
    corpus = ["--data.corpus.root", own_release]
    for options in (["--splits", split_file(by_session)], ["wu2019", "--data.test_halves", "FMFFF"]):
        code, lines = protocol(*options, *corpus)
        assert code == 1
        assert f"  fold 1: {line}" in lines
        pair = " = ".join(sorted([heard.utterance, tested.utterance]))
        assert f"The corpus repeats 1 recording: {pair}" in lines
        assert protocol(*options, *corpus, "--no-audio")[0] == 0


def test_a_leak_of_the_second_fold_alone_is_a_finding(protocol, corpus, split_file, tmp_path):
    rows = pd.read_csv(split_file(by_session))
    moved = rows.utterance[rows.set == "test"].iloc[0]
    leaking = rows.assign(fold="b", set=rows.set.mask(rows.utterance == moved, "train"))
    pd.concat([rows.assign(fold="a"), leaking]).to_csv(tmp_path / "two.csv", index=False)
    code, lines = protocol("--splits", tmp_path / "two.csv", *corpus)
    assert code == 1
    assert lines[-2:] == [
        "1 leak under protocol speaker",
        f"  fold b: train and test share 1 speaker: {moved[:5]}{moved[-4]}",
    ]


def test_the_written_split_is_the_one_that_was_read(protocol, corpus, split_file, tmp_path):
    """Utterances that the split leaves out are not written."""
    file, out = split_file(lambda row: None if row.session == 5 else by_session(row)), tmp_path / "out.csv"
    assert protocol("--splits", file, *corpus, "--out", out)[0] == 0
    written, read = pd.read_csv(out), pd.read_csv(file)
    assert list(written.columns) == ["fold", "utterance", "set", "session", "speaker", "emotion"]
    assert written.utterance.tolist() == read.utterance.tolist()
    assert written.set.tolist() == read.set.replace("dev", "val").tolist()
    assert not written.utterance.str.startswith("Ses05").any()


def test_utterances_left_out_and_tested_twice_are_told(protocol, corpus, split_file, tmp_path):
    file = split_file(lambda row: None if row.session == 5 else by_session(row))
    code, lines = protocol("--splits", file, *corpus)
    assert code == 0
    left_out = next(line for line in lines if line.startswith("Fold 1 leaves out"))
    assert left_out.startswith("Fold 1 leaves out 16 utterances: Ses05")
    assert left_out.endswith("and 6 more.")
    rows = pd.read_csv(file)
    twice = pd.concat([rows.assign(fold="a"), rows[rows.set != "dev"].assign(fold="b")])
    twice.to_csv(tmp_path / "twice.csv", index=False)
    code, lines = protocol("--splits", tmp_path / "twice.csv", *corpus)
    assert code == 0
    assert any(line.startswith("Tested in more than one fold: 16 utterances: Ses01") for line in lines)
    assert "Warning: fold b has no utterance for val: nothing can leak into an empty set." in lines


@pytest.mark.parametrize(("only", "missing"), [(5, "train, val"), (2, "train, test"), (None, "test")])
def test_empty_sets_are_a_warning_beside_no_leak(protocol, corpus, split_file, only, missing):
    def rule(row):
        word = {5: "test", 2: "val"}.get(row.session, "train")
        return word if row.session == only or (only is None and word != "test") else None

    code, lines = protocol("--splits", split_file(rule), *corpus)
    assert code == 0
    assert lines[-3:] == [
        f"Warning: fold 1 has no utterance for {missing}: nothing can leak into an empty set.",
        "",
        "No leak found.",
    ]
