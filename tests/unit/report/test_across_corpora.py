"""The matrix of corpora: its cells recomputed from the saved tables, for any order of the results."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from ser.commands.report import main
from ser.errors import InputError
from ser.report.across_corpora import read_cells
from ser.report.sections.corpora import corpora_of, matrix_tables
from ser.report.sections.corpora_figure import draw_matrices
from ser.report.sections.corpora_findings import cautions, findings
from ser.results.statistics import bootstrap_speakers
from tests.made_up.entries import drawn
from tests.made_up.html_page import Page
from tests.made_up.results import make_result
from tests.made_up.transfers import DIGESTS, make_transfer

SHARED = ["sad", "neutral", "angry"]
LEAKS = {"protocol": "split", "leaks": ["train and test share 1 speaker: 03"]}


@pytest.fixture(scope="module")
def made(made_once):
    """Two corpora with all four results of one system, and a third on which one leaking training was tested."""

    def make(place):
        for number, corpus in enumerate(("emodb", "nemo")):
            make_result(place / corpus, "CNNRecCap", corpus=corpus, corpus_digest=DIGESTS[corpus], random=number + 1)
        make_transfer(place / "emodb-on-nemo", "CNNRecCap", emotions=SHARED)
        make_transfer(place / "nemo-on-emodb", "CNNRecCap", "nemo", "emodb", emotions=SHARED)
        make_transfer(place / "one", "CNNGRU", "emodb", "ravdess", folds=(1,), source=LEAKS)

    place = made_once("corpora", make)
    return {name: place / name for name in ("nemo", "one", "emodb-on-nemo", "emodb", "nemo-on-emodb")}


@pytest.fixture(scope="module")
def written(made, made_once):
    place = made_once("across", lambda place: main([*map(str, made.values()), "--out", str(place / "report")]))
    return place / "report"


def matrix(written, name):
    return pd.read_csv(written / f"{name}.csv", index_col=0)


def saved(folder):
    return pd.read_csv(folder / "predictions.csv", dtype={"speaker": str}, keep_default_na=False)


def literal(table, emotions):
    """WA and UA over some emotions, by a loop over the rows."""
    right, total = dict.fromkeys(emotions, 0), dict.fromkeys(emotions, 0)
    for row in table.to_dict("records"):
        if row["emotion"] in emotions:
            total[row["emotion"]] += 1
            right[row["emotion"]] += max(emotions, key=lambda name: row[f"p_{name}"]) == row["emotion"]
    return sum(right.values()) / sum(total.values()), np.mean([right[name] / total[name] for name in emotions])


PLACES = {
    ("emodb", "emodb"): "emodb",
    ("nemo", "nemo"): "nemo",
    ("emodb", "nemo"): "emodb-on-nemo",
    ("nemo", "emodb"): "nemo-on-emodb",
}


@pytest.mark.parametrize("score", ["wa", "ua"])
def test_every_cell_is_what_its_table_gives(made, written, score):
    table = matrix(written, f"{score}-CNN_RecCap")
    assert list(table.index) == ["emodb", "nemo"]
    for (trained, tested), name in PLACES.items():
        predictions = saved(made[name])
        emotions = [column.removeprefix("p_") for column in predictions if column.startswith("p_")]
        wa, ua = literal(predictions, emotions)
        row = table.loc[trained]
        assert row[f"{tested}: %"] == pytest.approx(100 * (wa if score == "wa" else ua), abs=1e-4)
        assert row[f"{tested}: emotions"] == len(emotions)
        limits = [row[f"{tested}: 95 % interval {end} %"] for end in ("low", "high")]
        assert limits == pytest.approx([100 * limit for limit in bootstrap_speakers(predictions)[score]], abs=1e-4)
    assert table[[name for name in table if name.startswith("ravdess")]].isna().all(axis=None)


@pytest.mark.parametrize("score", ["wa", "ua"])
def test_the_second_matrix_is_over_the_emotions_of_all_results(made, written, score):
    """`SHARED`, since all others have the paper's four; the cross-validations lose the utterances of "happy"."""
    table = matrix(written, f"{score}-CNN_RecCap-common")
    for (trained, tested), name in PLACES.items():
        wa, ua = literal(saved(made[name]), SHARED)
        assert table.loc[trained][f"{tested}: %"] == pytest.approx(100 * (wa if score == "wa" else ua), abs=1e-4)
    assert not [name for name in table if name.endswith("emotions")]
    leaking = matrix(written, f"{score}-CNN_GRU-common")
    assert leaking.index.tolist() == ["emodb (leaks)", "nemo"]
    wa, ua = literal(saved(made["one"]), SHARED)
    assert leaking.loc["emodb (leaks)", "ravdess: %"] == pytest.approx(100 * (wa if score == "wa" else ua), abs=1e-4)


def test_below_a_matrix_are_the_utterances_and_the_constant_answer(made, written):
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    rows = {row[0]: row for row in page.tables["wa-CNN_RecCap"]}
    predictions = saved(made["nemo-on-emodb"]), saved(made["emodb"])
    sizes = [str(len(table)) for table in predictions]
    constants = [
        f"{100 * table.emotion.value_counts(normalize=True).max():.2f}\N{NO-BREAK SPACE}%" for table in predictions
    ]
    assert rows["utterances"][1] == " or ".join(sizes[::-1])
    assert rows["constant answer"][1] == " or ".join(constants[::-1])
    assert rows["speakers"][1] == "10"
    assert rows["nemo"][-3:] == ["-", "-", "-"]
    (ua,) = (row for row in page.tables["ua-CNN_RecCap"] if row[0] == "constant answer")
    assert ua[1] == "25.00\N{NO-BREAK SPACE}% or 33.33\N{NO-BREAK SPACE}%"


def test_confusion_recall_and_the_systems_alone(made, written):
    predictions = saved(made["emodb-on-nemo"])
    found = pd.read_csv(written / "confusion-CNN_RecCap-emodb-on-nemo.csv", index_col=0)
    expected = confusion_matrix(predictions.emotion, predictions.predicted, labels=SHARED)
    assert found[[f"{name} count" for name in SHARED]].to_numpy().tolist() == expected.tolist()
    recalls = recall_score(predictions.emotion, predictions.predicted, labels=SHARED, average=None)
    row = pd.read_csv(written / "recall.csv", index_col=0).loc["CNN_RecCap, emodb on nemo"]
    for name, recall in zip(SHARED, recalls, strict=True):
        assert row[f"{name} correct"] / row[f"{name} of"] == pytest.approx(recall)
    assert np.isnan(row["happy of"])
    each = pd.read_csv(made["emodb-on-nemo"] / "predictions_each.csv")
    shares = 100 * (each.emotion == each.predicted).groupby(each.fold).mean()
    alone = pd.read_csv(written / "alone.csv", index_col=0).loc["CNN_RecCap, emodb on nemo"]
    assert alone["systems"] == 3
    columns = [f"WA %: {name} %" for name in ("mean", "lowest", "highest")]
    assert alone[columns].tolist() == pytest.approx([shares.mean(), shares.min(), shares.max()], abs=1e-3)
    left = pd.read_csv(written / "left-out.csv", index_col=0).loc["CNN_RecCap, emodb on nemo"]
    assert left["their probability, %"] == pytest.approx(100 * predictions.left_out.mean(), abs=1e-3)
    assert left["labels left out"] == "81 bored"


def test_the_page_has_no_paper_and_says_what_leaks(written):
    text = (written / "tables.md").read_text(encoding="utf-8")
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert "paper" not in text
    assert {link for link in page.links if link.startswith("#")} == {f"#{name}" for name in page.ids} & set(page.links)
    assert "CNN\\_GRU trained on emodb (leaks) and tested on ravdess" in text
    assert "CNN\\_GRU, emodb (leaks) on ravdess: leak in training, allowed with --allow\\_leaks: train and test" in text
    assert "mean posterior of 3 systems (speaker)" in text
    assert "one system (split (leaks))" in text


def test_no_order_of_the_results_changes_the_report(made):
    names = ["emodb", "nemo", "emodb-on-nemo", "one"]
    found = []
    for order in list(permutations(names))[::5]:
        cells = read_cells([str(made[name]) for name in order])
        found.append(([cell.stem for cell in cells], corpora_of(cells)))
    assert found == [found[0]] * len(found)
    assert found[0][1] == (["emodb", "nemo"], ["emodb", "nemo", "ravdess"])


def test_the_figure_has_every_number(made):
    cells = read_cells([str(folder) for folder in made.values()])
    figure = drawn(draw_matrices, cells)
    assert [axes.get_title() for axes in figure.axes] == [
        f"{m} of {s} (%)" for s in ("CNN_GRU", "CNN_RecCap") for m in ("WA", "UA")
    ]
    panel = figure.axes[2]
    texts = [text.get_text() for text in panel.texts]
    assert texts == [
        *(f"{100 * cell.scores['wa']:.1f}" for cell in cells[1:3]),
        "-",
        *(f"{100 * cell.scores['wa']:.1f}" for cell in cells[3:]),
        "-",
    ]
    assert len(panel.patches) == 2, "the cross-validations have a box"


def test_equal_emotions_need_one_matrix(tmp_path):
    folders = [
        make_result(tmp_path / "emodb", "CNNGRU", corpus="emodb", corpus_digest=DIGESTS["emodb"], folds=[1, 2]),
        make_transfer(tmp_path / "transfer", "CNNGRU"),
    ]
    assert main([*map(str, folders), "--out", str(tmp_path / "report")]) == 0
    assert not list((tmp_path / "report").glob("*-common.csv"))
    text = (tmp_path / "report" / "tables.md").read_text(encoding="utf-8")
    assert "The cross-validation of CNN\\_GRU on emodb is incomplete, folds 1, 2 of 10." in text
    assert "results are over different emotions" not in text


def test_emotions_without_a_common_one(tmp_path):
    folders = [
        make_transfer(tmp_path / "a", "CNNGRU", emotions=["sad", "happy"]),
        make_transfer(tmp_path / "b", "CNNGRU", "nemo", "emodb", emotions=["neutral", "happy"]),
    ]
    assert main([*map(str, folders), "--out", str(tmp_path / "report")]) == 0
    assert "There is no such matrix: only happy is in all results." in (tmp_path / "report" / "tables.md").read_text()


def test_a_difference_is_told_with_the_systems_alone(tmp_path):
    emodb, nemo = (
        make_result(tmp_path / corpus, "CNNGRU", corpus=corpus, corpus_digest=DIGESTS[corpus])
        for corpus in ("emodb", "nemo")
    )
    transfer = make_transfer(tmp_path / "transfer", "CNNGRU")
    cells = read_cells([str(emodb), str(nemo), str(transfer)])
    (line,) = [line for line in findings(cells, cells) if "On nemo the cross-validation" in line]
    was = [100 * (table.emotion == table.predicted).mean() for table in (saved(transfer), saved(nemo))]
    each = pd.read_csv(transfer / "predictions_each.csv")
    single = 100 * (each.emotion == each.predicted).mean()
    differences = f"{was[0] - was[1]:+.1f} points; its 3 systems, each alone, {single:.1f} % on average"
    assert line == (
        f"On nemo the cross-validation of CNN_GRU has a WA of {was[1]:.1f} %, the training on emodb {was[0]:.1f} % "
        f"({differences}, {single - was[1]:+.1f} points)."
    )


def test_many_tests_are_counted(tmp_path):
    names = [(trained, tested) for trained, tested in permutations(DIGESTS, 2)]
    folders = [
        make_transfer(tmp_path / f"{system}-{trained}-{tested}", system, trained, tested, folds=(1,))
        for system in ("CNNGRU", "CNNSeqCap")
        for trained, tested in names
    ]
    cells = read_cells(list(map(str, folders)))
    lines = findings(cells, cells)
    assert len(lines) == 2
    was = {(cell.trained, cell.tested): 100 * cell.scores["wa"] for cell in cells if cell.system == "CNN_GRU"}
    low, high = min(was, key=was.get), max(was, key=was.get)
    assert f"WA between {was[low]:.1f} % ({' on '.join(low)}) and {was[high]:.1f} % ({' on '.join(high)})" in lines[0]
    assert [len(table.rows) for table in matrix_tables(cells)] == [3 + 3] * 4


def test_cautions_name_warnings_codes_and_statistics(tmp_path):
    first = make_transfer(tmp_path / "a", "CNNGRU", source={"statistics": "speaker"}, warnings=["same names"])
    second = make_transfer(tmp_path / "b", "CNNSeqCap", source={"code_digest": "other"})
    lines = cautions(read_cells([str(first), str(second)]))
    assert "CNN_GRU, emodb on nemo: same names." in lines
    assert "CNN_GRU, emodb on nemo is standardised by speaker: it used test audio, but not its labels." in lines
    assert any("different versions of the code (digests: 0123456789c0ffee, other)" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trained": "nemo", "tested": "nemo"}, "trained and tested on two corpora of the name nemo"),
        ({}, "emodb-on-nemo and .*/other are both results of CNN_RecCap trained on emodb and tested on nemo"),
        (
            {"tested": "ravdess", "source": {"corpus_digest": "0"}},
            "train on two corpora of the name emodb .digests .* and 0",
        ),
        (
            {"trained": "ravdess", "emotions": SHARED, "corpus_digest": "0"},
            "test on two corpora of the name nemo .digests .* and 0",
        ),
    ],
)
def test_two_corpora_of_one_name_and_two_results_of_one_cell(made, tmp_path, change, message):
    other = make_transfer(tmp_path / "other", "CNNRecCap", **change)
    with pytest.raises(InputError, match=message):
        read_cells([str(made["emodb-on-nemo"]), str(other)])
