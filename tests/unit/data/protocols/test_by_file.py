"""The protocol whose sets a file gives: named folds, utterances left out, and validation taken from training."""

import pandas as pd
import pytest

from ser.data.protocols.by_file import SplitProtocol
from ser.errors import CorpusError, InputError
from tests.unit.data.protocols.test_by_speaker import unequal

TABLE = unequal(12)


@pytest.fixture
def split_file(tmp_path):
    """A protocol whose sets are given by speaker and fold name: split_file(a={"test": [0], "val": [1]})."""

    def write(**folds):
        rows = []
        for name, numbers in folds.items():
            words = {f"s{number:02}": word for word, people in numbers.items() for number in people}
            for utterance, speaker in zip(TABLE.utterance, TABLE.speaker, strict=True):
                if word := words.get(speaker):
                    rows.append((utterance, name.removeprefix("_"), word))
        path = tmp_path / "official.csv"
        pd.DataFrame(rows, columns=["utterance", "fold", "set"]).to_csv(path, index=False)
        return SplitProtocol(str(path))

    return write


def test_the_sets_are_those_of_the_file_and_folds_keep_their_names(split_file):
    protocol = split_file(
        b={"test": [0], "val": [1], "train": range(2, 12)},
        _2={"test": [1], "dev": [0], "train": range(2, 12)},
        _1={"test": [2], "dev": [3], "train": [0, 1, *range(4, 12)]},
    )
    assert protocol.num_folds(TABLE) == 3
    assert [protocol.fold_name(fold) for fold in (1, 2, 3)] == [None, None, "b"]
    for fold, tested, validates in ((1, "s02", "s03"), (2, "s01", "s00"), (3, "s00", "s01")):
        sets = protocol.sets(TABLE, fold)
        assert set(TABLE.speaker[sets == "test"]) == {tested}
        assert set(TABLE.speaker[sets == "val"]) == {validates}
        assert protocol.remarks(TABLE, fold) == []


def test_without_validation_rows_training_speakers_validate(split_file):
    protocol = split_file(official={"test": [0, 1], "train": range(2, 10)})
    sets = protocol.sets(TABLE, 1)
    validates, trains = (set(TABLE.speaker[sets == name]) for name in ("val", "train"))
    assert validates
    assert not validates & trains
    assert validates | trains == {f"s{number:02}" for number in range(2, 10)}
    assert set(TABLE.speaker[sets == ""]) == {"s10", "s11"}
    share = (sets == "val").sum() / sets.isin(["val", "train"]).sum()
    assert 0.1 < share < 0.3, "about a fifth"
    left_out = int(TABLE.speaker.isin(["s10", "s11"]).sum())
    assert protocol.remarks(TABLE, 1) == [
        f"official.csv has no validation rows: training speakers {', '.join(sorted(validates))} validate",
        f"official.csv leaves out {left_out} utterances",
    ]
    again = TABLE.sample(frac=1, random_state=0)
    assert (protocol.sets(again, 1).sort_index() == sets).all(), "without a random choice"


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ({"b": {"train": range(12)}}, "fold b of protocol split has no utterance for: test"),
        ({"_1": {"test": [0], "dev": [1]}}, "fold 1 of protocol split has no utterance for: train"),
        ({"_1": {"test": [0], "train": [1]}}, "fold 1 has no validation rows, and no second training speaker"),
    ],
)
def test_a_fold_that_cannot_be_trained_is_refused(split_file, folds, words):
    with pytest.raises(InputError, match=words):
        split_file(**folds).sets(TABLE, 1)


def test_unknown_and_repeated_utterances_are_named_with_their_lines(tmp_path):
    path = tmp_path / "official.csv"
    path.write_text("utterance,set\nu99,train\n00-0,train\n00-0,test\n")
    with pytest.raises(CorpusError) as refused:
        SplitProtocol(str(path)).sets(TABLE, 1)
    assert refused.value.problems == [
        f"{path}:2: unknown utterance 'u99'",
        f"{path}:4: utterance 00-0 was already given in line 3",
    ]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent.csv: unreadable \(No such file"):
        SplitProtocol(str(tmp_path / "absent.csv")).num_folds(TABLE)
