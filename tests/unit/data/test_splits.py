"""Splits from CSV files: valid files, and all errors in one message."""

from __future__ import annotations

import pandas as pd
import pytest

from ser.data.splits import read_split
from ser.errors import CorpusError, InputError

SOUND = pd.DataFrame(
    {"utterance": ["Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses02M_impro02a_F000", "Ses02M_impro02a_M000"]}
)


@pytest.fixture
def split_file(tmp_path):
    def write(text):
        path = tmp_path / "split.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_split_is_read(split_file):
    text = "\ufefffold,utterance, who,set\n2,Ses01F_impro01_F000,me,test\n\n10,Ses01F_impro01_M000,me,dev\n"
    sets = read_split(split_file(text + "10,Ses02M_impro02a_F000,me,validation\n")).sets(SOUND)
    assert list(sets) == [2, 10]
    assert sets[2].tolist() == ["test", "", "", ""]
    assert sets[10].tolist() == ["", "val", "val", ""]
    assert list(read_split(split_file(text.replace("fold", "Fold"))).sets(SOUND)) == [2, 10]
    one = read_split(split_file("utterance,set\nSes01F_impro01_F000,train\n")).sets(SOUND)
    assert one[1].tolist() == ["train", "", "", ""]


def test_a_split_can_list_utterances_of_other_labels(split_file):
    file = read_split(split_file("utterance,set\nSes01F_impro01_F000,test\nbored,train\nu99,train\n"))
    with pytest.raises(CorpusError, match="unknown utterance 'u99'") as refused:
        file.sets(SOUND, known={"bored"})
    assert len(refused.value.problems) == 1
    assert file.sets(SOUND, known={"bored", "u99"})[1].tolist() == ["test", "", "", ""]


def test_a_number_written_with_a_point_is_the_same_fold(split_file):
    rows = ["1.0,Ses01F_impro01_F000,test", "1,Ses01F_impro01_M000,dev", "1.5,Ses02M_impro02a_F000,train"]
    sets = read_split(split_file("\n".join(["fold,utterance,set", *rows, "b.0,Ses02M_impro02a_F000,dev"]))).sets(SOUND)
    assert list(sets) == [1, "1.5", "b.0"]
    assert sets[1].tolist() == ["test", "val", "", ""]


def test_a_fold_of_more_digits_than_python_reads_is_a_name(split_file):
    sets = read_split(split_file(f"fold,utterance,set\n{'1' * 5000},Ses01F_impro01_F000,test\n")).sets(SOUND)
    assert list(sets) == ["1" * 5000]


def test_all_problems_of_a_split_come_at_once_in_order(split_file):
    file = split_file(
        "utterance,set,fold\nu99,train,1\nSes01F_impro01_F000,tests,1\nSes01F_impro01_F000,test,1\n"
        "Ses01F_impro01_F000,test,2\nSes01F_impro01_M000,val\nSes01F_impro01_M000,val,\n"
    )
    with pytest.raises(CorpusError) as caught:
        read_split(file).sets(SOUND)
    assert caught.value.problems == [
        f"{file}:2: unknown utterance 'u99'",
        f"{file}:3: unknown set 'tests' (known: train, val, validation, dev, test)",
        f"{file}:4: utterance Ses01F_impro01_F000 was already given in line 3",
        f"{file}:6: 2 cells, but the header has 3",
        f"{file}:7: column fold is empty",
    ]


@pytest.mark.parametrize(("separator", "first"), [(";", ""), ("\t", ""), (";", "sep=;\n"), (",", "sep=,\n")])
def test_separators_of_spreadsheets(split_file, separator, first):
    rows = ["utterance,set", "Ses01F_impro01_F000,test", "Ses01F_impro01_M000,tests", "x,tests"]
    file = split_file(first + "\n".join(rows).replace(",", separator))
    with pytest.raises(CorpusError) as caught:
        read_split(file).sets(SOUND)
    line = 3 + bool(first)
    assert caught.value.problems == [
        f"{file}:{line}: unknown set 'tests' (known: train, val, validation, dev, test); "
        f"2 in all, also {file}:{line + 1}",
        f"{file}:{line + 1}: unknown utterance 'x'",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("utterance,part\n", ":1: no column set"),
        ("a,b\n", "no column utterance, set"),
        ("utterance,set,set\n", "two columns with the same name"),
        ("", ": empty"),
        ("utterance,set\n", "no line with an utterance"),
        (b"utterance,set\nSes01\xff,train\n", ":2: not UTF-8 \\(byte 0xff\\)"),
        ('utterance,set\n"a"b,train\n', ":2: not a line of CSV"),
    ],
)
def test_what_is_no_split_is_refused(split_file, text, words):
    with pytest.raises(InputError, match=words):
        read_split(split_file(text))


def test_a_split_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent.csv: unreadable \(No such file"):
        read_split(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="Is a directory"):
        read_split(tmp_path)
