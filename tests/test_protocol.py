"""The command `ser protocol`: the counts of the facts, what it shows, and anyone's own split."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from ser.data import IEMOCAP
from ser.emotions import EMOTIONS
from ser.errors import InputError
from ser.protocol import main
from tests.conftest import CONF
from tests.data.conftest import noise, write_wav
from tests.data.test_folds import HALVES, SPEAKERS

LABELS = dict(zip(EMOTIONS, ("neu", "ang", "hap", "sad"), strict=True))


@pytest.fixture(scope="module")
def full_release(tmp_path_factory):
    """A release with the counts of IEMOCAP by dialog half and by speaker at once, 2280 recordings of 0.05 s."""
    root, draw, number = tmp_path_factory.mktemp("full") / "IEMOCAP_full_release", np.random.default_rng(1), 0
    for session in range(1, 6):
        turns = {"F": [], "M": []}
        for index, emotion in enumerate(EMOTIONS):
            halves = [half for half in "FM" for _ in range(HALVES[half][session - 1][index])]
            speakers = [letter for letter in "FM" for _ in range(SPEAKERS[letter][session - 1][index])]
            for half, speaker in zip(halves, draw.permutation(speakers), strict=True):
                turns[half].append((speaker, LABELS[emotion]))
        for half, spoken in turns.items():
            dialog, lines = f"Ses0{session}{half}_impro01", []
            for turn, (speaker, label) in enumerate(spoken):
                name, number = f"{dialog}_{speaker}{turn:03}", number + 1
                lines.append(f"[{turn}.1000 - {turn}.9000]\t{name}\t{label}\t[2.5, 2.5, 2.5]")
                path = root / f"Session{session}" / "sentences" / "wav" / dialog / f"{name}.wav"
                write_wav(path, noise(0.05, seed=number))
            labels = root / f"Session{session}" / "dialog" / "EmoEvaluation" / f"{dialog}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def protocol(capsys):
    """Run `ser protocol ARGUMENTS`: exit code and the lines on standard output."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out.splitlines()

    return run


@pytest.fixture(scope="module")
def corpus(tiny_release):
    return ["--data.corpus.root", tiny_release]


@pytest.fixture
def own_release(tiny_release, tmp_path):
    return shutil.copytree(tiny_release, tmp_path / "IEMOCAP_full_release")


@pytest.fixture
def split_file(tiny_release, tmp_path):
    """Writes a split of the tiny release by a rule: row of the table -> set, None to leave it out."""

    def write(rule, name="mine.csv"):
        table = IEMOCAP(str(tiny_release)).utterances()
        sets = [rule(row) for row in table.itertuples()]
        path = tmp_path / name
        table.assign(set=sets).dropna(subset="set")[["utterance", "set"]].to_csv(path, index=False)
        return path

    return write


def by_session(row):
    return {1: "test", 2: "dev"}.get(row.session, "train")


def below(lines, title):
    """The row of numbers below a heading and the header of its table."""
    return [int(cell) for cell in lines[lines.index(title) + 2].split()]


# The protocols


@pytest.mark.parametrize(
    ("halves", "expected"), [("MMFFF", [513, 155, 118, 342, 1128]), ("MMFFM", [514, 138, 126, 311, 1089])]
)
def test_wu2019_has_the_counts_of_the_papers_tables(protocol, full_release, tmp_path, halves, expected):
    out = tmp_path / "wu2019.json"
    options = ["--data.corpus.root", full_release, "--data.test_halves", halves, "--out", out]
    code, lines = protocol("wu2019", *options)
    assert code == 0
    assert below(lines, "Test sets of all folds together") == expected
    assert lines[0] == f"Protocol wu2019, test halves {halves}"
    assert "Nothing is tested twice." in lines
    assert f"{2280 - expected[-1]} of 2280 utterances are never tested." in lines
    assert "  fold 1: val and test share 2 speakers: Ses01F, Ses01M" in lines
    result = json.loads(out.read_text())
    assert result["test_halves"] == halves
    assert result["pooled_test"] == dict(zip([*EMOTIONS, "all"], expected, strict=True)) | {"tested_twice": []}
    for fold, letter in zip(result["folds"], halves, strict=True):
        session = fold["fold"]
        sets = fold["sets"]
        assert [sets["test"][emotion] for emotion in EMOTIONS] == list(HALVES[letter][session - 1])
        assert [sets["val"][emotion] for emotion in EMOTIONS] == list(HALVES["MF"["FM".index(letter)]][session - 1])
        assert sets["test"]["halves"] == [letter]
        assert sum(part["all"] for part in sets.values()) == 2280
        val_test = fold["shared"][2]
        assert val_test["sets"] == ["val", "test"]
        assert val_test["speakers"] == [f"Ses0{session}F", f"Ses0{session}M"]
        assert val_test["dialogs"] == val_test["utterances"] == val_test["recordings"] == []


def test_speaker_tests_everyone_once_with_the_counts_of_the_facts(protocol, full_release, tmp_path):
    out = tmp_path / "speaker.json"
    code, lines = protocol("speaker", "--data.corpus.root", full_release, "--out", out)
    assert code == 0
    assert below(lines, "Test sets of all folds together") == [1099, 289, 284, 608, 2280]
    assert "Everything is tested." in lines
    assert lines[-1] == "No leak found."
    result = json.loads(out.read_text())
    assert result["audio_compared"]
    for fold in result["folds"]:
        session, letter = (fold["fold"] - 1) % 5 + 1, "F" if fold["fold"] <= 5 else "M"
        assert fold["sets"]["test"]["speakers"] == [f"Ses0{session}{letter}"]
        assert [fold["sets"]["test"][emotion] for emotion in EMOTIONS] == list(SPEAKERS[letter][session - 1])
        assert fold["shared"][2]["dialogs"] == [f"Ses0{session}F_impro01", f"Ses0{session}M_impro01"]
        assert fold["shared"][2]["speakers"] == fold["leaks"] == []


def test_the_table_of_sets_is_aligned(protocol, corpus):
    _, lines = protocol("speaker", *corpus, "--no-audio")
    table = lines[3 : lines.index("", 3)]
    assert len(table) == 1 + 10 * 3
    for row in table[1:]:
        cells = row.split()
        assert sum(map(int, cells[2:6])) == int(cells[6])
    assert len({row.index("Ses0") for row in table[1:]} | {table[0].index("speakers")}) == 1
    assert "Recordings were not compared (--no-audio)." in lines


def test_the_built_in_corpus_and_files_in_any_order(protocol, tiny_corpus, tmp_path):
    options = ["--data.corpus.root", tiny_corpus]
    built_in = ["--data.corpus", "ser.data.Synthetic", *options, "--data.corpus.utterances_per_speaker", 8]
    code, lines = protocol("speaker", *built_in)
    assert code == 0
    assert lines[1].startswith(f"synthetic in {tiny_corpus}: 80 utterances")
    file = tmp_path / "data.yaml"
    file.write_text(
        "corpus:\n  class_path: ser.data.Synthetic\n  init_args: {root: nowhere, utterances_per_speaker: 8}\n"
    )
    assert protocol("speaker", *options, "--data", file) == protocol("--data", file, *options, "speaker") == (0, lines)


def test_the_own_split_of_a_protocol_is_the_protocol(protocol, corpus, tmp_path):
    out = tmp_path / "folds.csv"
    _, lines = protocol("speaker", *corpus, "--out", out)
    assert len(pd.read_csv(out)) == 800
    assert len(set(pd.read_csv(out).groupby("fold").size())) == 1
    code, again = protocol("--splits", out, *corpus)
    assert code == 0
    assert again[0] == f"Split {out} by the rules of protocol speaker"
    assert again[1:] == lines[1:]


@pytest.mark.emodb
@pytest.mark.skipif("EMODB_ROOT" not in os.environ, reason="EMODB_ROOT is not set: the corpus is not part of this one")
def test_emodb(protocol):
    options = ["--data.corpus.root", os.environ["EMODB_ROOT"], "--data", CONF / "emodb.yaml"]
    code, lines = protocol("speaker", *options)
    assert code == 0
    assert below(lines, "Test sets of all folds together") == [79, 127, 71, 62, 339]
    assert {"  nothing", "Nothing is tested twice.", "Everything is tested."} <= set(lines)
    with pytest.raises(InputError, match="no dialog halves"):
        main(["wu2019", *map(str, options)])


# Leaks


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
    assert protocol("wu2019", "--splits", file, *corpus)[0] == 1, "training may share no actor under any protocol"


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
        assert f"The corpus holds more than once 1 recording: {pair}" in lines
        assert protocol(*options, *corpus, "--no-audio")[0] == 0


@pytest.mark.parametrize("own", [True, False])
def test_halves_that_are_none_are_refused_even_where_nobody_asks_for_them(protocol, corpus, split_file, own):
    options = ["--splits", split_file(by_session)] if own else []
    with pytest.raises(InputError, match="test_halves is 'XX', but must be one F or M for each"):
        protocol("wu2019", *options, *corpus, "--data.test_halves", "XX")


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


# Mistakes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "give a protocol, speaker or wu2019, or your own split"),
        (["random"], "invalid choice: 'random'"),
        (["speaker"], "no folder was given for IEMOCAP"),
        (["speaker", "--nonsense"], "nonsense"),
        (["speaker", "--data.corpus", "ser.data.Nonsense"], "Nonsense"),
        (["speaker", "--data.corpus.style", "sung"], "sung"),
        (["speaker", "--data.corpus", "Synthetic", "--data.corpus.utterances_per_speaker", "1"], "at least 8"),
        (["speaker", "--out", "table.txt"], "must end in .json or .csv"),
        (["speaker", "--out", "absent/table.csv"], "no such folder"),
        (["--splits", "absent.csv"], "absent.csv: unreadable"),
    ],
)
def test_mistakes_are_refused_in_one_message(options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        main(options)
    assert list(tmp_path.iterdir()) == []


def test_halves_that_do_not_fit_are_refused(corpus):
    with pytest.raises(InputError, match="test_halves is 'MMFF'"):
        main(["wu2019", *map(str, corpus), "--data.test_halves", "MMFF"])


def test_an_unsound_split_is_refused_and_nothing_is_written(corpus, tmp_path):
    file, out = tmp_path / "bad.csv", tmp_path / "out.json"
    file.write_text("utterance,set\nnobody,train\n")
    with pytest.raises(InputError, match=r"bad.csv: 1 problem\n.*bad.csv:2: unknown utterance 'nobody'"):
        main(["--splits", str(file), *map(str, corpus), "--out", str(out)])
    assert not out.exists()


def test_nothing_is_overwritten(corpus, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        main(["speaker", *map(str, corpus), "--out", str(out)])
    assert out.read_text() == "mine"


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "ser protocol wu2019 --data.corpus.root DIR" in text
    assert "--data.corpus.help" in text
