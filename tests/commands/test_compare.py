"""`ser compare`: what is found, shown, and refused."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from ser.commands.compare import main
from ser.commands.report import main as report
from ser.emotions import PAPER_EMOTIONS
from tests.made_up.html_page import Page
from tests.made_up.results import make_result
from tests.made_up.runs import make_run, make_trials
from tests.made_up.transfers import make_transfer


class Compared:
    """A page of `ser compare`, read back."""

    def __init__(self, out):
        self.out = out
        self.text = (out / "index.html").read_text(encoding="utf-8")
        self.page = Page(self.text)
        self.about = json.loads((out / "compare.json").read_text(encoding="utf-8"))
        groups = 1 if "" in self.page.tables["runs"][0] else 0
        self.heads, *self.rows = self.page.tables["runs"][groups:]

    def run(self, name):
        """The cells of a run's row by heading; of two equal headings (WA), the last."""
        (row,) = [row for row in self.rows if row[0] == name]
        return dict(zip(self.heads, row, strict=True))


@pytest.fixture
def compare(tmp_path, monkeypatch, capsys):
    """Compare folders of `tmp_path` from there, with what was printed as `.printed`."""
    monkeypatch.chdir(tmp_path)

    def run(*folders, out="compare"):
        assert main([*map(str, folders), *(["--out", out] if out != "compare" else [])]) == 0
        found = Compared(tmp_path / out)
        found.printed = capsys.readouterr().out
        return found

    return run


@pytest.fixture(scope="session")
def every_kind(made_once):
    """A folder with runs of every command, finished or not."""

    def make(place):
        runs = place / "runs"
        make_run(runs / "fit")
        make_run(runs / "more dropout", dropout=0.7, random=2)
        make_run(runs / "other speaker", speaker="08")
        make_run(runs / "begun", state="unfinished", epochs=3)
        make_result(runs / "cv", "CNNSeqCap", folds=[1, 2])
        make_result(runs / "cv2", "CNNRecCap", folds=[1, 2])
        make_run(runs / "cut" / "seed1-fold01")
        make_run(runs / "cut" / "seed1-fold02", state="unfinished", epochs=1)
        for name in ("config.yaml", "identity.json"):
            shutil.copy(runs / "fit" / name, runs / "cut" / name)
        make_transfer(runs / "emodb-on-nemo", "CNNSeqCap")
        make_trials(place / "studies" / "dropout")

    return made_once("every-kind", make)


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


def test_the_commands_that_it_gives_make_reports(compare, every_kind, tmp_path):
    found = compare(every_kind / "runs" / "cv", every_kind / "runs" / "cv2", every_kind / "runs" / "fit")
    (command,) = re.findall(r"ser report [^<\n]*--out[^<\n]*", found.text)
    words = shlex.split(command)
    assert report(words[2:]) == 0
    assert (tmp_path / words[-1] / "index.html").is_file()


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


DAMAGES = {
    "result.json": (b"[]", "result.json: not written by this program"),
    "predictions.csv": (b"utterance\n", "predictions.csv: changed since result.json was computed from it"),
    "metrics.csv": (b"epoch,train/loss\nfirst,1\n", "metrics.csv: not the scores of epochs"),
    "config.yaml": (b"a: [", "config.yaml: not a configuration"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_run_is_shown_with_what_is_wrong(compare, tmp_path, name):
    content, words = DAMAGES[name]
    make_run(tmp_path / "good")
    (make_run(tmp_path / "bad") / name).write_bytes(content)
    found = compare("good", "bad")
    assert [row[0] for row in found.rows] == ["good", "bad"]
    assert found.run("bad")["state"] == "damaged"
    ((folder, problem),) = found.page.tables["problems"][1:]
    assert (folder, problem.startswith(words)) == ("bad", True), problem
    assert f"  bad: {words}" in found.printed
    assert str(tmp_path) not in problem


def test_what_a_terminal_must_not_get_is_escaped(compare, tmp_path):
    make_run(tmp_path / "bad\x1b[2J\n", fold=[1])
    found = compare("bad\x1b[2J\n")
    assert "  'bad\\x1b[2J': result.json: fold is [1], but must be a whole number" in found.printed
    assert "\x1b" not in found.printed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"wa": 0.123}, "result.json: wa is 0.123, but predictions.csv gives "),
        ({"wa": "high"}, "result.json: wa is 'high'"),
        ({"fold": [1]}, "result.json: fold is [1]"),
        ({"validation": {"wa": 1}}, "result.json: validation.ua is missing"),
        ({"options": 3}, "result.json: options is 3"),
    ],
)
def test_a_result_that_cannot_be_right(compare, tmp_path, change, words):
    make_run(tmp_path / "bad", **change)
    found = compare("bad")
    assert words in dict(found.page.tables["problems"])["bad"]


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


def test_a_later_page_replaces_its_own_files_only(compare, tmp_path, refused):
    make_run(tmp_path / "a")
    make_run(tmp_path / "b")
    assert len(compare("a").rows) == 1
    assert len(compare("a", "b").rows) == 2
    (tmp_path / "compare" / "notes.txt").write_text("mine")
    refused(["compare", "a"], ["--out compare holds notes.txt", "choose a new folder"])


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["nowhere"], ["nowhere: there is no such folder"]),
        (["empty"], ["empty: no run found"]),
        (["a", "--ot", "x"], ["--ot: no such option; did you mean --out?"]),
        (["a", "--out", "a"], ["--out a holds config.yaml, identity.json, metrics.csv and more"]),
        (["a", "--out", "report"], ["--out report holds report.json, which no earlier compare wrote"]),
    ],
)
def test_what_it_refuses(refused, tmp_path, words, parts):
    make_run(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text(json.dumps({"kind": "report", "files": []}))
    refused(["compare", *words], parts)


def test_it_needs_neither_torch_nor_scipy(tmp_path):
    make_run(tmp_path / "a")
    code = (
        "import sys\nfrom ser.commands import main\nassert main(['compare', 'a']) == 0\n"
        "heavy = {'torch', 'lightning', 'wandb', 'optuna', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
