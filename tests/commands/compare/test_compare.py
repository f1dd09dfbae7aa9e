"""`ser compare`: what is found and shown."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from ser.commands.report import main as report
from ser.emotions import PAPER_EMOTIONS
from tests.made_up.results import make_result
from tests.made_up.runs import make_run


def test_runs_of_every_command_are_found_below_a_folder(compare, every_kind):
    found = compare(every_kind)
    kinds = {row[0]: (row[found.heads.index("kind")], row[found.heads.index("state")]) for row in found.rows}
    folds = {f"runs/{cv}/seed1-fold0{fold}": ("crossval fold", "finished") for cv in ("cv", "cv2") for fold in (1, 2)}
    trials = {
        f"studies/dropout/trials/{number:012x}/seed1-fold0{fold}": ("sweep fold", "finished")
        for number in (0, 1)
        for fold in (1, 2)
    }
    assert kinds == {
        "runs/fit": ("fit", "finished"),
        "runs/more dropout": ("fit", "finished"),
        "runs/other speaker": ("fit", "finished"),
        "runs/begun": ("fit", "unfinished"),
        "runs/cv": ("crossval", "finished"),
        "runs/cv2": ("crossval", "finished"),
        "runs/cut": ("crossval", "unfinished"),
        "runs/cut/seed1-fold01": ("crossval fold", "finished"),
        "runs/cut/seed1-fold02": ("crossval fold", "unfinished"),
        "runs/emodb-on-nemo": ("transfer", "finished"),
        **folds,
        **trials,
    }
    said = "18 runs: 4 fit, 3 crossval, 6 crossval fold, 1 transfer, 4 sweep fold; 3 unfinished."
    assert sorted(re.split(r"[:,;.] ?", said)) == sorted(re.split(r"[:,;.] ?", found.printed.splitlines()[0]))


def test_scores_and_matrices_are_those_of_the_predictions(compare, every_kind):
    found = compare(every_kind / "runs" / "fit", every_kind / "runs" / "cv")
    for name in ("fit", "cv"):
        table = pd.read_csv(every_kind / "runs" / name / "predictions.csv")
        row = found.run(name)
        assert row["WA"] == f"{100 * accuracy_score(table.emotion, table.predicted):.2f}\N{NO-BREAK SPACE}%"
        assert row["UA"] == f"{100 * balanced_accuracy_score(table.emotion, table.predicted):.2f}\N{NO-BREAK SPACE}%"
        wanted = confusion_matrix(table.emotion, table.predicted, labels=PAPER_EMOTIONS, normalize="true")
        place = [row[0] for row in found.rows].index(name)
        head, *rows = found.page.tables[f"matrix-{place}"]
        assert head == ["", *PAPER_EMOTIONS]
        assert [row[0] for row in rows] == PAPER_EMOTIONS
        for row, shares in zip(rows, wanted, strict=True):
            assert [int(cell) for cell in row[1:]] == pytest.approx(100 * shares, abs=0.5)


def test_what_differs_comes_first_and_what_does_not_comes_last(compare, tmp_path):
    make_run(tmp_path / "a", dropout=0.1)
    make_run(tmp_path / "b", dropout=0.2, tags=["mine"])
    found = compare("a", "b")
    heads = found.heads
    assert heads[:4] == ["run", "model.dropout", "tags", "epochs"]
    assert heads.index("epochs") < heads.index("system") < heads.index("files") == len(heads) - 1
    assert "data.batch_size" not in heads
    assert ["data.batch_size", "16"] in found.page.tables["alike"]
    assert found.run("a")["model.dropout"] == "0.1"
    assert found.about["runs"][1]["options"] == {"model.dropout": "0.2", "tags": "mine"}


def test_an_unfinished_run_shows_its_best_epoch_so_far(compare, every_kind):
    metrics = pd.read_csv(every_kind / "runs" / "begun" / "metrics.csv")
    found = compare(every_kind / "runs" / "begun", every_kind / "runs" / "fit")
    (run,) = [run for run in found.about["runs"] if run["name"] == "begun"]
    assert (run["epochs"], run["best_epoch"]) == (3, int(metrics.epoch[metrics["val/wa"].argmax()]))
    assert run["validation"] == {"wa": pytest.approx(metrics["val/wa"].max())}
    assert (run["test"], run["test_set"]) == (None, None)
    assert (run["system"], run["corpus"], run["protocol"], run["fold"], run["seed"]) == (
        *("CNNGRU", "emodb", "speaker", "1", "1"),
    )


def test_test_sets_are_shared_exactly_or_not_at_all(compare, every_kind):
    found = compare(every_kind)
    sets = {frozenset(each["runs"]) for each in found.about["test_sets"]}
    assert sets == {
        frozenset({"runs/fit", "runs/more dropout", "runs/cut/seed1-fold01"}),
        frozenset({"runs/other speaker"}),
        frozenset({"runs/cv", "runs/cv2"}),
        frozenset({"runs/emodb-on-nemo"}),
    }
    (shared,) = [each for each in found.about["test_sets"] if "runs/fit" in each["runs"]]
    assert f"Test set {shared['label']}: the same {shared['utterances']} utterances in 3 runs." in found.text
    assert "Numbers on different test sets are not comparable" in found.text
    assert {found.run(name)["set"] for name in shared["runs"]} == {shared["label"]}
    words = re.sub(r"<(style|script).*?</\1>", "", found.text, flags=re.S)
    assert not re.search(r"significan|better|p.value|distinguishable", words)


def test_a_label_or_a_corpus_makes_another_test_set(compare, tmp_path):
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", corpus="nemo")
    make_run(tmp_path / "c", renamed={"03": "3"})
    assert len(compare("a", "b", "c").about["test_sets"]) == 3


def test_a_run_whose_sets_leak_is_named_beside_its_test_set(compare, tmp_path):
    make_run(tmp_path / "clean")
    make_run(tmp_path / "leaky", leaks=["train and test share 1 speaker: 03"])
    found = compare("clean", "leaky")
    heads, row = found.page.tables["test_sets"]
    assert dict(zip(heads, row, strict=True))["caution"] == "leaks in leaky"


def test_the_commands_that_it_gives_make_reports(compare, every_kind, tmp_path):
    found = compare(every_kind / "runs" / "cv", every_kind / "runs" / "cv2", every_kind / "runs" / "fit")
    (command,) = re.findall(r"ser report [^<\n]*--out[^<\n]*", found.text)
    words = shlex.split(command)
    assert report(words[2:]) == 0
    assert (tmp_path / words[-1] / "index.html").is_file()


def test_a_folder_whose_name_begins_like_an_option(compare, tmp_path):
    make_result(tmp_path / "-a", "CNNSeqCap", folds=[1, 2])
    make_result(tmp_path / "b", "CNNRecCap", folds=[1, 2])
    (command,) = re.findall(r"ser report [^<\n]*--out[^<\n]*", compare(".").text)
    assert shlex.split(command)[2:4] == ["./-a", "b"]


def test_no_command_is_given_where_it_would_be_refused(compare, tmp_path):
    make_result(tmp_path / "a", "CNNSeqCap", folds=[1, 2])
    make_result(tmp_path / "b", "CNNRecCap", folds=[1, 2])
    (tmp_path / "b" / "seed1-fold02" / "metrics.csv").unlink()
    assert "ser report" not in re.sub(r"<(style|script).*?</\1>", "", compare("a", "b").text, flags=re.S)


def test_links_lead_to_the_files_of_runs(compare, tmp_path):
    names = ["plain", "a b#c?d%41", "umlaut \u00e4", "x:y", "-dash"]
    for name in names:
        make_run(tmp_path / "runs" / name)
    (tmp_path / "runs" / "plain.log").write_text("printed")
    found = compare("runs", out="pages/deep/one")
    files = [link for link in found.page.links if link.startswith("..")]
    assert len(files) == 4 * len(names) + 1
    for link in files:
        assert (found.out / unquote(link)).is_file(), link
        assert "#" not in link
        assert "?" not in link


def test_a_folder_whose_name_is_not_utf_8(compare, tmp_path):
    name = os.fsdecode(b"caf\xe9")
    make_run(tmp_path / "runs" / name)
    found = compare("runs")
    assert [row[0] for row in found.rows] == ["caf\\xe9"]
    files = [link for link in found.page.links if link.startswith("..")]
    assert len(files) == 4
    for link in files:
        assert os.path.isfile(os.path.join(os.fsencode(found.out), unquote_to_bytes(link))), link


def test_names_are_whole_in_the_files_for_programs(compare, tmp_path):
    name = "a\"b'c,\n</script><script>".replace("/", "")
    make_run(tmp_path / "runs" / name, dropout="0.1, <b>", tags=["x,y", "<i>"])
    make_run(tmp_path / "runs" / "other")
    found = compare("runs")
    with (found.out / "runs.csv").open(newline="", encoding="utf-8") as file:
        table = pd.read_csv(file).set_index("run")
    assert table.loc[name, "options: model.dropout"] == "0.1, <b>"
    (run,) = [run for run in found.about["runs"] if run["name"] == name]
    assert run["options"] == {"model.dropout": "0.1, <b>", "tags": "x,y, <i>"}


def test_curves_pass_through_the_values(compare, every_kind):
    found = compare(every_kind / "runs" / "fit", every_kind / "runs" / "begun")
    for place, row in enumerate(found.rows):
        metrics = pd.read_csv(every_kind / "runs" / row[0] / "metrics.csv")
        for group, column in (("loss", "train/loss"), ("wa", "val/wa")):
            (path,) = re.findall(
                rf'<g id="{group}-{place}" data-row="{place}"><title>.*?</title>\s*<path d="([^"]*)"', found.text
            )
            points = pd.DataFrame(re.findall(r"[ML] (\S+) (\S+)", path), dtype=float)
            assert len(points) == len(metrics)
            for axis, values in ((0, metrics.epoch), (1, metrics[column])):
                assert abs(points[axis].corr(values)) == pytest.approx(1, abs=1e-6)
            assert points[1].corr(metrics[column]) < 0, "up is more"


def test_the_page_loads_nothing(compare, every_kind):
    found = compare(every_kind)
    away = [where for where in found.page.loaded if re.match(r"\w+:|//", where) and not where.startswith("data:,")]
    assert not away
    assert len(found.page.ids) == len(set(found.page.ids))
    targets = {link.removeprefix("#") for link in found.page.links if link.startswith("#")}
    assert targets <= set(found.page.ids)
    own = {link for link in found.page.links if "/" not in link and not link.startswith("#")}
    assert {unquote(link) for link in own} | {"index.html"} == {path.name for path in found.out.iterdir()}


def test_three_hundred_runs_make_a_page_of_less_than_5_mb(compare, tmp_path):
    for number in range(3):
        make_run(tmp_path / "made" / str(number), dropout=0.1 * number, epochs=100, random=number)
    for number in range(300):
        shutil.copytree(tmp_path / "made" / str(number % 3), tmp_path / "runs" / f"{number:03d}-{number % 3}")
    found = compare("runs")
    assert len(found.rows) == 300
    assert (found.out / "index.html").stat().st_size < 5_000_000


def test_it_needs_neither_torch_nor_scipy(tmp_path):
    make_run(tmp_path / "a")
    code = (
        "import sys\nfrom ser.commands import main\nassert main(['compare', 'a']) == 0\n"
        "heavy = {'torch', 'lightning', 'wandb', 'optuna', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
