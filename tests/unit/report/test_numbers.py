"""Every number of a report, recomputed from the predictions in another way."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from ser.commands.report import main
from ser.emotions import PAPER_EMOTIONS
from ser.results.pooled_result import read_pooled
from ser.results.predictions import posterior_columns
from ser.results.statistics import bootstrap_speakers, compare, compare_unpaired
from tests.made_up.html_page import Page
from tests.made_up.results import make_result, speakers_corpus
from tests.unit.results.paper_print import TABLE_2, TABLE_3


@pytest.fixture(scope="module")
def page(report):
    return Page((report / "index.html").read_text(encoding="utf-8"))


def read_csv(folder, name):
    return pd.read_csv(folder / f"{name}.csv", index_col=0, dtype={0: str})


def test_table_1_is_what_the_predictions_give(results, report, page):
    table = read_csv(report, "table1")
    shown = {row[0]: row for row in page.tables["table1"]}
    for folder, name in zip(results, ["CNN_SeqCap", "CNN_RecCap", "CNN_GRU-SeqCap"], strict=True):
        predictions = read_pooled(folder).predictions
        right = (predictions.emotion == predictions.predicted).mean()
        intervals = bootstrap_speakers(predictions)
        ua = recall_score(predictions.emotion, predictions.predicted, average="macro")
        row = table.loc[name]
        assert row["WA %: ours %"] == pytest.approx(100 * right, abs=1e-4)
        assert row["UA %: ours %"] == pytest.approx(100 * ua, abs=1e-4)
        for measure in ("wa", "ua"):
            limits = row[[f"{measure.upper()} %: our 95 % interval {end} %" for end in ("low", "high")]]
            assert limits.tolist() == pytest.approx([100 * limit for limit in intervals[measure]], abs=1e-4)
        assert row["n: ours"] == predictions.utterance.nunique() == 195
        assert row["same test set"] == "no"
        assert f"{100 * right:.2f}\N{NO-BREAK SPACE}%" in shown[name]
        assert f"{100 * ua:.2f}\N{NO-BREAK SPACE}%" in shown[name]


def test_table_1_has_the_papers_rows_and_their_intervals(report, page):
    table = read_csv(report, "table1")
    assert list(table.index) == ["CNN_LSTM", "CNN_GRU", "CNN_SeqCap", "CNN_RecCap", "CNN_GRU-SeqCap"]
    assert table["WA %: paper %"].tolist() == [68.80, 67.02, 69.86, 70.62, 72.73]
    assert table["UA %: paper %"].tolist() == [59.40, 51.84, 56.71, 58.17, 59.71]
    low, high = proportion_ci(788, 1128)
    row = table.loc["CNN_SeqCap"]
    assert float(row["WA %: paper's 95 % interval low %"]) == pytest.approx(100 * low, abs=1e-3)
    assert float(row["WA %: paper's 95 % interval high %"]) == pytest.approx(100 * high, abs=1e-3)
    for name in ("CNN_LSTM", "CNN_GRU", "CNN_GRU-SeqCap"):
        assert np.isnan(table.loc[name]["UA %: paper's 95 % interval low %"])
    lines = (report / "tables.md").read_text(encoding="utf-8")
    assert "(our corpus is emodb, the paper's is IEMOCAP). Unless the answer is yes, the paper's numbers and" in lines


def proportion_ci(correct, total, z=1.959963984540054):
    """Wilson's interval in closed form."""
    share = correct / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return middle - half, middle + half


@pytest.mark.parametrize(("number", "stem", "place"), [(2, "CNNSeqCap", 0), (3, "CNNRecCap", 1)])
def test_tables_2_and_3_are_counts_and_row_percentages(results, report, number, stem, place):
    table = read_csv(report, f"table{number}")
    printed = {2: TABLE_2, 3: TABLE_3}[number]
    predictions = read_pooled(results[place]).predictions
    counts = confusion_matrix(predictions.emotion, predictions.predicted, labels=list(PAPER_EMOTIONS))
    for row, actual in enumerate(PAPER_EMOTIONS):
        for column, predicted in enumerate(PAPER_EMOTIONS):
            cell = table.loc[actual]
            assert cell[f"ours: {predicted} count"] == counts[row, column]
            assert cell[f"ours: {predicted} %"] == pytest.approx(
                100 * counts[row, column] / counts[row].sum(), abs=1e-4
            )
            assert cell[f"paper: {predicted} %"] == pytest.approx(printed[row][column], abs=0.0251)
    assert table["paper: n"].sum() == {2: 1128, 3: 1089}[number]
    assert table["ours: n"].sum() == len(predictions), "summed over seeds"


def test_comparisons_are_those_of_the_statistics(results, report, page):
    table = read_csv(report, "comparisons")
    tables = [read_pooled(folder).predictions for folder in results]
    expected = {
        "CNN_RecCap - CNN_SeqCap": compare(tables[0], tables[1]),
        "CNN_GRU-SeqCap - CNN_SeqCap": compare(tables[0], tables[2]),
        "CNN_GRU-SeqCap - CNN_RecCap": compare(tables[1], tables[2]),
    }
    assert set(table.index) == set(expected)
    tests = {
        measure: [each.p_values[f"sign-flip over speakers ({measure})"] for each in expected.values()]
        for measure in ("WA", "UA")
    }
    for place, (name, found) in enumerate(expected.items()):
        row = table.loc[name]
        assert row["test"] == "paired"
        assert row["WA: difference points"] == pytest.approx(100 * found.wa_difference, abs=1e-4)
        assert row["UA: 95 % interval high points"] == pytest.approx(100 * found.ua_interval[1], abs=1e-4)
        for number, (measure, values) in enumerate(tests.items()):
            assert row[f"{measure}: p"] == pytest.approx(values[place], rel=1e-4)
            over_sessions = found.p_values[f"sign-flip over sessions ({measure})"]
            assert row[f"{measure}: p, sessions"] == pytest.approx(over_sessions, rel=1e-4)
            corrected = holm_by_definition(tests["WA"] + tests["UA"], 3 * number + place)  # one family of tests
            assert row[f"{measure}: p (Holm)"] == pytest.approx(corrected, rel=1e-4)
    assert list(table.filter(like="McNemar")) == ["McNemar: p"], "it does not decide, and is not corrected"


def holm_by_definition(values, place):
    """The largest value, over all p-values not above this one, of p times the number of p-values not below it."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    steps = [min(1, (len(values) - rank) * p) for rank, p in zip(ranks, values, strict=True)]
    return max(step for step, rank in zip(steps, ranks, strict=True) if rank <= ranks[place])


def test_the_papers_two_tables_are_within_noise(report):
    row = read_csv(report, "comparison-paper").iloc[0]
    assert row["test"] == "unpaired"
    assert row["WA: difference points"] == pytest.approx(100 * (769 / 1089 - 788 / 1128), abs=1e-4)
    assert row["WA: 95 % interval low points"] < 0 < row["WA: 95 % interval high points"]
    assert row["WA: p"] > 0.5
    findings = (report / "tables.md").read_text(encoding="utf-8").replace("\\", "")
    line = next(line for line in findings.splitlines() if line.startswith("- The paper's CNN_RecCap"))
    assert line.count("not distinguishable") == 2


def test_folds_seeds_speakers(results, report):
    pooled = [read_pooled(folder) for folder in results]
    folds = read_csv(report, "folds")
    right = pooled[1].predictions.eval("emotion == predicted")
    runs = right.groupby([pooled[1].predictions.seed, pooled[1].predictions.fold]).mean()
    assert len(runs) == 20, "ten folds of two seeds"
    found = folds["CNN_RecCap: WA %"]
    assert found["mean over folds"] == pytest.approx(100 * runs.mean(), abs=1e-4)
    assert found["standard deviation over folds"] == pytest.approx(100 * runs.std(ddof=1), abs=1e-4)
    assert found["pooled: the result"] == pytest.approx(100 * right.mean(), abs=1e-4)
    assert found["mean over folds"] != pytest.approx(found["pooled: the result"], abs=1e-3), "folds differ in size"
    seeds = read_csv(report, "seeds").query("seed == '2'").loc["CNN_RecCap"]
    part = pooled[1].predictions.query("seed == 2")
    assert seeds["WA %"] == pytest.approx(100 * (part.emotion == part.predicted).mean(), abs=1e-4)
    speakers = read_csv(report, "speakers")
    assert len(speakers) == 10
    part = pooled[0].predictions.query("speaker == '08'")
    assert speakers.loc["08"]["WA %: CNN_SeqCap %"] == pytest.approx(
        100 * (part.emotion == part.predicted).mean(), abs=1e-4
    )
    recall = read_csv(report, "recall").loc["CNN_SeqCap"]
    part = pooled[0].predictions.query("emotion == 'sad'")
    assert (recall["sad correct"], recall["sad of"]) == ((part.predicted == "sad").sum(), len(part))


def test_averaged_epochs_stand_beside_the_best_one(results, report):
    table = read_csv(report, "epochs")
    averaged = read_pooled(results[2]).averaged["test"]
    row = table[table["chosen by"] == "no score"].iloc[0]
    assert row["WA: %"] == pytest.approx(100 * (averaged.emotion == averaged.predicted).mean(), abs=1e-4)
    assert list(table.index) == ["CNN_GRU-SeqCap"] * 2


def test_lambda_curve(results, report):
    table = read_csv(report, "lambda-curve-gru_seqcap")
    predictions = read_pooled(results[2]).predictions
    assert len(table) == 101
    for value in ("0.00", "0.60", "1.00"):
        weight = float(value)
        posterior = (
            weight * predictions[posterior_columns(PAPER_EMOTIONS, "capsule")].to_numpy()
            + (1 - weight) * predictions[posterior_columns(PAPER_EMOTIONS, "gru")].to_numpy()
        )
        right = np.array(PAPER_EMOTIONS)[posterior.argmax(axis=1)] == predictions.emotion
        assert table.loc[value]["test: WA %"] == pytest.approx(100 * right.mean(), abs=1e-4)
    assert not (report / "lambda-curve-seqcap.csv").exists()


def test_the_validation_curve_is_said_to_be_favoured_where_it_chose_the_epochs(report):
    text = (report / "tables.md").read_text(encoding="utf-8")
    assert text.count("The epochs were chosen by validation WA with lambda 0.6") == 1, "averaged epochs were not chosen"
    assert "test rows of another fold" not in text, "the simulated directions are independent"


def test_protocol_has_the_counts_of_every_fold(report):
    table = read_csv(report, "protocol")
    corpus = speakers_corpus()
    assert len(table) == 10
    assert table["test: n"].sum() == len(corpus)
    assert (table[["training: n", "validation: n", "test: n"]].sum(axis=1) == len(corpus)).all()
    assert int(table.loc["1"]["tested"]) == 3
    text = (report / "tables.md").read_text(encoding="utf-8")
    assert "in no fold do validation and test share a speaker" in text
    assert "ser crossval --config conf/CNNSeqCap.yaml --out seqcap" in text


def test_on_the_papers_test_sets_the_columns_may_be_compared(paper_report):
    _, out = paper_report
    table = read_csv(out, "table1")
    assert table["same test set"].dropna().tolist() == ["yes", "yes", "yes"]
    assert table.loc["CNN_SeqCap"]["n: ours"] == 1128
    text = (out / "tables.md").read_text(encoding="utf-8").replace("\\", "")
    assert "Our results were measured on the paper's test utterances" in text
    assert "CNN_RecCap and CNN_SeqCap are not compared: they were tested on different utterances" in text
    assert "validation and test share 10 speakers" in text
    recipe = read_csv(out, "recipe")
    assert recipe.drop(columns="source").to_numpy().tolist() == [["corpus", "train", "train", "train"]]
    assert recipe.index.tolist() == ["data.statistics"]
    assert read_csv(out, "comparisons").loc["CNN_GRU - CNN_SeqCap"]["test"] == "paired"


def test_unpaired_is_forced_and_labelled(paper_report, tmp_path):
    runs, _ = paper_report
    assert main([*map(str, runs[:2]), "--unpaired", "--out", str(tmp_path / "report")]) == 0
    row = read_csv(tmp_path / "report", "comparisons").loc["CNN_RecCap - CNN_SeqCap"]
    expected = compare_unpaired(*(read_pooled(run).predictions for run in runs[:2]))
    assert row["test"] == "unpaired"
    assert row["WA: difference points"] == pytest.approx(100 * expected.wa_difference, abs=1e-4)
    assert "minus CNN_SeqCap (unpaired)" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_of_a_single_speaker_no_interval_is_claimed(tmp_path):
    runs = [make_result(tmp_path / system, system, folds=[3]) for system in ("CNNSeqCap", "CNNGRUSeqCap")]
    assert main([*map(str, runs), "--out", str(tmp_path / "report")]) == 0
    assert "not available" in Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8")).tables["table1"][4]
    text = (tmp_path / "report" / "tables.md").read_text(encoding="utf-8")
    assert "too few speakers to tell" in text
    assert "nan" not in text
