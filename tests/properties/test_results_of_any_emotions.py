"""Results, reports and studies with other emotions than the paper's four, against counts of their tables."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from ser.errors import InputError
from ser.report.reported_results import read_entries
from ser.results.lambda_curve import LAMBDAS
from ser.results.pooled_result import read_pooled
from ser.sweep.outcome.findings import routing_cells, trial_validation
from tests.conftest import CONF
from tests.made_up.joint_study import open_made_up, settle, write_joint
from tests.made_up.reports import write_report
from tests.made_up.results import make_result
from tests.properties.test_any_emotions import emotions_of


@pytest.fixture(params=[2, 20])
def made(request, made_once):
    """Two results with this many emotions, and a report on them."""
    names = emotions_of(request.param)

    def make(place):
        make_result(place / "seqcap", "CNNSeqCap", skill=1.6, folds=[1, 2, 6], emotions=names)
        make_result(place / "both", "CNNGRUSeqCap", skill=1.9, folds=[1, 2, 6], averaged=2, emotions=names)
        write_report([place / "seqcap", place / "both"], place / "report")

    place = made_once(f"emotions{request.param}", make)
    return names, [place / "seqcap", place / "both"], place / "report"


def test_a_report_has_a_row_for_each_emotion_and_nothing_of_the_paper(made):
    names, runs, report = made
    for run, stem in zip(runs, ("seqcap", "both"), strict=True):
        table = read_pooled(run).predictions
        matrix = confusion_matrix(table.emotion, table.predicted, labels=names)
        shown = pd.read_csv(report / f"confusion-{stem}.csv", index_col="actual")
        assert shown.index.tolist() == names
        assert shown[[f"{name} count" for name in names]].fillna(0).to_numpy().tolist() == matrix.tolist()
        recalls = recall_score(table.emotion, table.predicted, labels=names, average=None, zero_division=0)
        row = pd.read_csv(report / "recall.csv", index_col=0).iloc[("seqcap", "both").index(stem)]
        assert row[[f"{name} correct" for name in names]].fillna(0).tolist() == matrix.diagonal().tolist()
        assert row["UA %"] == pytest.approx(100 * recalls[matrix.sum(1) > 0].mean(), abs=1e-3)
        scores = pd.read_csv(report / "scores.csv", index_col=0).iloc[("seqcap", "both").index(stem)]
        assert scores["WA %"] == pytest.approx(100 * accuracy_score(table.emotion, table.predicted), abs=1e-3)
    assert len(pd.read_csv(report / "recall.csv")) == len(runs), "no row of the paper's"
    files = {path.name for path in report.glob("*.csv")}
    assert not {name for name in files if name.startswith(("table1", "table2", "table3", "comparison-paper"))}
    assert not [name for name in files if "paper" in (report / name).read_text().splitlines()[0]]
    text = (report / "tables.md").read_text()
    assert "Table 1" not in text
    assert "69.86" not in text
    for name in names:
        assert f"| {name} |" in text


def test_the_protocol_counts_the_utterances_of_each_emotion(made):
    names, runs, report = made
    table = pd.concat(pd.read_csv(path) for path in report.glob("protocol*.csv"))
    details = json.loads((runs[0] / "seed1-fold02" / "result.json").read_text())["counts"]["test"]
    (row,) = (row for _, row in table.iterrows() if str(row["fold"]) == "2")
    assert {name: int(row[f"test: {name}"]) for name in names} == details
    assert row["test: n"] == sum(details.values())


@pytest.mark.parametrize(
    "others", [["neutral", "angry", "happy"], ["angry", "neutral", "happy", "sad"], ["neutral", "angry", "happy", "x"]]
)
def test_results_of_other_emotions_are_not_put_into_one_report(tmp_path, others):
    make_result(tmp_path / "papers", "CNNSeqCap", folds=[1])
    make_result(tmp_path / "others", "CNNGRU", folds=[1], emotions=others)
    with pytest.raises(InputError, match=r"different emotions: neutral, angry, happy, sad \(.*/papers\)") as told:
        read_entries([str(tmp_path / "papers"), str(tmp_path / "others")])
    assert f"{', '.join(others)} ({tmp_path}/others)" in str(told.value)


@pytest.mark.parametrize("number", [2, 5, 20])
def test_a_study_chooses_lambda_on_the_validation_rows_of_all_emotions(tmp_path, number):
    names = emotions_of(number)
    shared = open_made_up(write_joint(tmp_path, CONF / "gru_seqcap.yaml", trials=2), tmp_path / "study")
    settle(shared, tmp_path / "study", 0, "CNNGRUSeqCap", 1.2, emotions=names)
    row = shared.results()[0]
    folder = tmp_path / "study" / "trials" / row.user_attrs["folder"]
    table = pd.concat([pd.read_csv(path) for path in sorted(folder.glob("seed*/validation.csv"))])
    capsule, gru = (table[[f"{branch}_p_{name}" for name in names]].to_numpy() for branch in ("capsule", "gru"))
    actual = np.array([names.index(name) for name in table.emotion])
    accuracies = [((each * capsule + (1 - each) * gru).argmax(1) == actual).mean() for each in LAMBDAS]
    assert row.user_attrs["wa"] == pytest.approx(max(accuracies))
    weighed = trial_validation(shared, tmp_path / "study", row)
    assert accuracy_score(weighed.emotion, weighed.predicted) == pytest.approx(max(accuracies))
    (cell,) = routing_cells(shared, tmp_path / "study", "ser.systems.CNNGRUSeqCap")
    assert cell.scores["wa"] == pytest.approx(max(accuracies))
