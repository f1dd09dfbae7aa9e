"""The command `ser protocol`: the paper's and IEMOCAP's counts, and the output."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

from ser.commands.protocol import main
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from tests.conftest import CONF
from tests.made_up.release import noise, write_wav
from tests.unit.data.protocols.test_by_session import HALVES, SPEAKERS

LABELS = dict(zip(PAPER_EMOTIONS, ("neu", "ang", "hap", "sad"), strict=True))


@pytest.fixture(scope="module")
def full_release(tmp_path_factory):
    """A release with IEMOCAP's counts both by dialog half and by speaker, 2280 recordings of 0.05 s."""
    root, draw, number = tmp_path_factory.mktemp("full") / "IEMOCAP_full_release", np.random.default_rng(1), 0
    for session in range(1, 6):
        turns = {"F": [], "M": []}
        for index, emotion in enumerate(PAPER_EMOTIONS):
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


def below(lines, title):
    """The numbers in the row below a heading and its table header."""
    return [int(cell) for cell in lines[lines.index(title) + 2].split()]


# The protocols


def test_the_emotions_are_in_the_order_of_the_option(protocol, tiny_release, tmp_path):
    wanted, out = ["sad", "neutral", "happy", "angry"], tmp_path / "folds.json"
    options = ["--data.corpus.root", tiny_release, "--data.emotions", f"[{', '.join(wanted)}]", "--no-audio"]
    _, lines = protocol("speaker", *options, "--out", out)
    assert [line.split() for line in lines if "sad" in line][-1] == [*wanted, "all"]
    about = json.loads(out.read_text())
    assert list(about["folds"][0]["sets"]["train"])[:4] == wanted
    assert list(about["pooled_test"])[:4] == wanted


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
    assert "No utterance is tested twice." in lines
    assert f"{2280 - expected[-1]} of 2280 utterances are never tested." in lines
    assert "  fold 1: val and test share 2 speakers: Ses01F, Ses01M" in lines
    result = json.loads(out.read_text())
    assert result["test_halves"] == halves
    assert result["pooled_test"] == dict(zip([*PAPER_EMOTIONS, "all"], expected, strict=True)) | {"tested_twice": []}
    for fold, letter in zip(result["folds"], halves, strict=True):
        session = fold["fold"]
        sets = fold["sets"]
        assert [sets["test"][emotion] for emotion in PAPER_EMOTIONS] == list(HALVES[letter][session - 1])
        assert [sets["val"][emotion] for emotion in PAPER_EMOTIONS] == list(
            HALVES["MF"["FM".index(letter)]][session - 1]
        )
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
    assert "Every utterance is tested." in lines
    assert lines[-1] == "No leak: protocol speaker allows these overlaps."
    result = json.loads(out.read_text())
    assert result["audio_compared"]
    for fold in result["folds"]:
        session, letter = (fold["fold"] - 1) % 5 + 1, "F" if fold["fold"] <= 5 else "M"
        assert fold["sets"]["test"]["speakers"] == [f"Ses0{session}{letter}"]
        assert [fold["sets"]["test"][emotion] for emotion in PAPER_EMOTIONS] == list(SPEAKERS[letter][session - 1])
        assert fold["shared"][2]["dialogs"] == [f"Ses0{session}F_impro01", f"Ses0{session}M_impro01"]
        assert fold["shared"][2]["speakers"] == fold["leaks"] == []


def test_the_table_of_sets_is_aligned(protocol, corpus):
    _, lines = protocol("speaker", *corpus, "--no-audio")
    assert lines[3] == "Other labels, left out: 15 excited, 12 frustrated, 15 undecided."
    first = next(place for place, line in enumerate(lines) if line.split()[:2] == ["fold", "set"])
    table = lines[first : lines.index("", first)]
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
@pytest.mark.skipif("EMODB_ROOT" not in os.environ, reason="EMODB_ROOT is not set; EMO-DB is not in the repository")
def test_emodb(protocol):
    options = ["--data.corpus.root", os.environ["EMODB_ROOT"], "--data", CONF / "emodb.yaml"]
    code, lines = protocol("speaker", *options)
    assert code == 0
    assert below(lines, "Test sets of all folds together") == [79, 127, 71, 62, 339]
    assert {"  nothing", "No utterance is tested twice.", "Every utterance is tested."} <= set(lines)
    with pytest.raises(InputError, match="no dialog halves"):
        main(["wu2019", *map(str, options)])


# Leaks
