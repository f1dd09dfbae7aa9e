"""The results of a report: each run has the expected seed and fold, and each folder a distinct name."""

import json

import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.report.reported_results import counts_of, printed_name, read_entries
from tests.made_up.entries import entry
from tests.made_up.hits import predictions
from tests.made_up.results import make_result


@pytest.mark.parametrize(("name", "folder"), [("seed", "seed1-fold01"), ("fold", "seed2-fold02")])
def test_a_run_of_another_seed_or_fold_is_refused(name, folder, tmp_path):
    made = make_result(tmp_path / "made", "CNNSeqCap", seeds=(1, 2), folds=[1, 2])
    about = json.loads((made / "result.json").read_text())
    (run,) = (run for run in about["runs"] if (run["seed"], run["fold"]) == (2, 1))
    (entry,) = read_entries([str(made)])
    assert [(run.seed, run.fold) for run in entry.runs] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    run["folder"] = folder
    (made / "result.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=f"{folder} holds {name} .*, but .* lists it as fold 1 of seed 2"):
        read_entries([str(made)])


def test_counts_are_those_of_the_named_set_in_the_given_order():
    details = {"counts": {"train": {"sad": 4, "neutral": 1, "angry": 2, "happy": 3}, "test": {"sad": 8}}}
    assert counts_of(details, "train", PAPER_EMOTIONS) == [1, 2, 3, 4]
    assert counts_of(details, "test", PAPER_EMOTIONS) == [0, 0, 0, 8]
    assert counts_of(details, "train", ["sad", "bored", "neutral"]) == [4, 0, 1]


def test_two_results_of_one_system_have_their_folders_names(tmp_path):
    folders = [
        make_result(tmp_path / name, system, folds=[1])
        for name, system in (("a b", "CNNSeqCap"), ("a-b", "CNNSeqCap"), ("c", "CNNGRUSeqCap"))
    ]
    entries = read_entries(list(map(str, folders)))
    assert [each.title for each in entries] == ["CNN_SeqCap (a b)", "CNN_SeqCap (a-b)", "CNN_GRU-SeqCap"]
    assert [each.stem for each in entries] == ["a-b", "a-b-2", "c"]
    assert printed_name("Another") == "Another"


@pytest.mark.parametrize(
    ("folds", "of", "named"),
    [([1, 2, 4], 4, "folds 1, 2, 4 of 4"), ([1, 2, 3], 3, "folds 1, 2, 3"), ([2], 2, "fold 2 of 2")],
)
def test_a_result_is_incomplete_as_soon_as_one_fold_is_missing(folds, of, named):
    found = entry(predictions([1] * len(folds)).assign(fold=folds), num_folds=of)
    assert (found.named_folds, found.is_incomplete) == (named, len(folds) < of)
