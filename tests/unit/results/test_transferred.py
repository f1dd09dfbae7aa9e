"""A result on another corpus: its numbers by hand, and what makes it unreadable."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score

from ser.errors import InputError
from ser.files import digest
from ser.results.transferred import EACH, LEFT_OUT, describe_transfer, restrict, summarise_transfer
from ser.results.transferred_result import read_transfer
from tests.made_up.transfers import make_transfer

SYSTEM = ["calm", "sad", "angry"]


def table(posteriors, actual, speakers=None):
    rows = pd.DataFrame({"utterance": [f"u{i}" for i in range(len(actual))], "session": "", "fold": 0})
    rows["speaker"] = speakers or [f"s{i}" for i in range(len(actual))]
    rows["emotion"] = actual
    rows["predicted"] = [SYSTEM[place] for place in np.argmax(posteriors, axis=1)]
    rows[[f"p_{name}" for name in SYSTEM]] = posteriors
    return rows


def test_a_result_by_hand():
    """The system says "calm" most of the time, which the other corpus does not have."""
    first = table([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.8, 0.05, 0.15]], ["sad", "sad", "angry"])
    second = table([[0.2, 0.2, 0.6], [0.1, 0.7, 0.2], [0.0, 0.0, 1.0]], ["sad", "sad", "angry"])
    names = [f"p_{name}" for name in SYSTEM]
    mean = first.assign(**{name: (first[name] + second[name]) / 2 for name in names})
    restricted = [restrict(each, ["angry", "sad"]) for each in (first, second)]
    each = pd.concat([part.assign(seed=1, fold=fold) for fold, part in enumerate(restricted, 1)])
    found = summarise_transfer(restrict(mean, ["angry", "sad"]), each, SYSTEM)
    # Mean posteriors (calm, sad, angry): 0.4, 0.25, 0.35; 0.3, 0.45, 0.25; 0.4, 0.025, 0.575.
    assert found["emotions"] == ["angry", "sad"]
    assert found["emotions_left_out"] == ["calm"]
    assert found["probability_left_out"] == pytest.approx((0.4 + 0.3 + 0.4) / 3)
    assert found["confusion"] == [[1, 0], [1, 1]]
    assert (found["wa"], found["ua"]) == (pytest.approx(2 / 3), pytest.approx((1 + 0.5) / 2))
    assert [run["wa"] for run in found["runs"]] == [pytest.approx(2 / 3), pytest.approx(2 / 3)]
    assert [run["probability_left_out"] for run in found["runs"]] == [pytest.approx(1.9 / 3), pytest.approx(0.1)]
    assert found["over_folds"]["wa"]["mean"] == pytest.approx(2 / 3)


def test_an_utterance_without_probability_is_named():
    with pytest.raises(InputError, match="utterance u1: sad, angry all have probability 0"):
        restrict(table([[0.2, 0.4, 0.4], [1, 0, 0]], ["sad", "sad"]), ["sad", "angry"])


@pytest.mark.parametrize("system", ["CNNGRU", "CNNGRUSeqCap"])
def test_a_result_can_be_read_and_its_scores_are_those_of_scikit_learn(tmp_path, system):
    made = make_transfer(tmp_path / "made", system, emotions=["sad", "happy", "neutral"], seeds=(1, 2))
    found = read_transfer(made)
    assert found.about["wa"] == accuracy_score(found.predictions.emotion, found.predictions.predicted)
    recalls = recall_score(found.predictions.emotion, found.predictions.predicted, average="macro")
    assert found.about["ua"] == pytest.approx(recalls)
    assert len(found.each) == 6 * len(found.predictions)
    for run in found.about["runs"]:
        own = found.each[(found.each.seed == run["seed"]) & (found.each.fold == run["fold"])]
        assert run["wa"] == accuracy_score(own.emotion, own.predicted)
        assert run["probability_left_out"] == pytest.approx(own[LEFT_OUT].mean())
    text = describe_transfer(found.about)
    assert text.startswith(f"{system} trained on emodb (protocol speaker, 3 folds, 2 seeds), tested on nemo\n")
    assert "without angry, which had" in text
    assert "utterances of other labels: 81 bored" in text
    assert text.count("seed 2, fold  3: WA") == 1


def test_the_result_of_a_training_with_leaks_says_so(tmp_path):
    source = {"protocol": "split", "leaks": ["train and test share 1 speaker: 03"]}
    lines = describe_transfer(
        read_transfer(make_transfer(tmp_path / "made", "CNNGRU", source=source)).about
    ).splitlines()
    assert lines[0] == "CNNGRU trained on emodb (protocol split (leaks), 3 folds, 1 seed), tested on nemo"
    assert "  leak        in training: train and test share 1 speaker: 03" in lines


def rewrite(folder, name, change):
    """Change a table, and record its new digest."""
    found = pd.read_csv(folder / name, keep_default_na=False)
    change(found).to_csv(folder / name, index=False)
    about = json.loads((folder / "result.json").read_text())
    about["digests"][name] = digest(folder / name)
    (folder / "result.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (EACH, lambda table: table[table.fold != 2], r"predictions_each.csv: no predictions of fold 2 \(seed 1\)"),
        (EACH, lambda table: table.drop(index=5), "predictions_each.csv: a fold has other utterances"),
        (EACH, lambda table: table.drop(columns="left_out"), "predictions_each.csv: the table has other columns"),
        (EACH, lambda table: table.drop(columns="seed"), "predictions_each.csv.* has no column seed"),
        ("predictions.csv", lambda table: table.rename(columns={"p_sad": "p_sd"}), "other columns than"),
        (
            "predictions.csv",
            lambda table: table.assign(predicted="happy"),
            "result.json: wa is 0.*, but predictions.csv",
        ),
        ("predictions.csv", lambda table: table.assign(predicted="joy"), "predictions.csv: unknown emotion 'joy'"),
        ("predictions.csv", lambda table: pd.concat([table, table]), "predictions.csv: utterance .* occurs twice"),
    ],
)
def test_a_changed_table_is_refused(tmp_path, name, change, message):
    made = make_transfer(tmp_path / "made", "CNNGRU")
    rewrite(made, name, change)
    with pytest.raises(InputError, match=message):
        read_transfer(made)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "crossval"}, "kind is 'crossval'"),
        ({"trained_on": {"corpus": "emodb"}}, "trained_on.folder is missing"),
        ({"left_out": None}, "left_out is None"),
        ({"runs": []}, "runs is "),
        ({"digests": {}}, "no digest of predictions.csv"),
    ],
)
def test_a_record_that_lacks_something_is_refused(tmp_path, entry, message):
    made = make_transfer(tmp_path / "made", "CNNGRU")
    about = json.loads((made / "result.json").read_text())
    (made / "result.json").write_text(json.dumps(about | entry))
    with pytest.raises(InputError, match=message):
        read_transfer(made)
