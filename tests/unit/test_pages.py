"""Names from users' data on every page: shown as text, never read as markup, and whole in the embedded JSON.

A page of another command joins by a function in `PAGES` that writes it with such names.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

import ser.report.page
from ser.commands.compare import main as compare
from ser.commands.report import main
from ser.report.page.blocks import Table
from ser.report.page.rendering import embedded_json
from ser.report.page.values import Column
from ser.sweep.outcome.figures import draw_history, draw_importances, draw_slices
from ser.sweep.outcome.writing import write_report
from ser.sweep.study.plan import Plan
from ser.sweep.study.space import Space
from tests.made_up.html_page import Page
from tests.made_up.results import OPTIONS, make_result
from tests.made_up.runs import make_run
from tests.made_up.transfers import make_transfer

NAME = "a\"b'c</script><script>alert(1)</script><b>&amp;`$\\frac$\n```\n{{ 7 * 7 }}"
FOLDER = NAME.replace("/", "")
ALLOWED = {
    "html",
    "head",
    "meta",
    "link",
    "title",
    "style",
    "script",
    "body",
    "header",
    "nav",
    "main",
    "section",
    "footer",
}
ALLOWED |= {"h1", "h2", "h3", "p", "ol", "ul", "li", "a", "span", "div", "pre", "code", "figure", "figcaption", "img"}
ALLOWED |= {"svg", "defs", "clippath", "g", "path", "use", "rect", "line", "text", "caption"}
ALLOWED |= {"footer", "table", "thead", "tbody", "tr", "th", "td"}
EMOTIONS = ["neutral", "<i>sad</i>"]
SPEAKERS = [("03", NAME), ("10", "09"), ("11", "13"), ("12", "14"), ("15", "16")]


def write_runs(place):
    """A report across runs: folder, corpus, speaker, emotion, options, commit and command."""
    about = {"corpus": NAME, "command": f"ser crossval --out {NAME}", "leaks": [NAME], "commit": NAME}
    about |= {"options": {**OPTIONS, f"data.{NAME}": NAME, "data.corpus.root": NAME}, "versions": {NAME: NAME}}
    runs = [
        make_result(place / FOLDER, "CNNSeqCap", emotions=EMOTIONS, folds=[1, 2], **about),
        make_result(place / "other", "CNNSeqCap", emotions=EMOTIONS, folds=[1, 2], random=2, **about),
    ]
    main([*map(str, runs), "--out", str(place / "report")])
    return place / "report", [NAME, FOLDER, *EMOTIONS, f"data.{NAME}"]


def write_across(place):
    """A report across corpora: both corpora, a label that was left out, warnings and command."""
    about = {"left_out": {NAME: 81}, "warnings": [NAME], "command": f"ser transfer --out {NAME}", "corpus": f"{NAME} 2"}
    runs = [make_transfer(place / FOLDER, "CNNRecCap", corpus_digest="0", source={"corpus": NAME}, **about)]
    main([*map(str, runs), "--out", str(place / "report")])
    return place / "report", [NAME, f"{NAME} 2", f"81 {NAME}"]


def write_study(place):
    """The report of a study: its name, an option, its values, the error of a trial and the command."""
    dimensions = {f"data.{NAME}": CategoricalDistribution((NAME, "other"))}
    plan = Plan(study=NAME, space=Space(dimensions), config=["a.yaml"], options={}, trials=2, folds=(1,), seeds=(1,))
    rows = {
        number: create_trial(value=0.5, params={f"data.{NAME}": value}, distributions=dimensions)
        for number, value in enumerate((NAME, "other"))
    }
    trials = pd.DataFrame({"trial": [0, 1], "state": NAME, f"data.{NAME}": [NAME, "other"], "wa": 0.5, "ua": 0.5})
    found = SimpleNamespace(shared=SimpleNamespace(plan=plan), trials=trials, choice=f"trial 0: {NAME}", routing=None)
    found.importances = {f"data.{NAME}": 1.0}
    found.pictures = [draw(plan, rows, 0) for draw in (draw_history, draw_slices)]
    found.pictures.append(draw_importances(plan, found.importances))
    found.write = lambda folder: [write_picture(folder, each) for each in found.pictures]
    folder = place / "report"
    folder.mkdir()
    result = Table("claim", NAME, [Column("set"), Column(NAME, "percent")], [[NAME, 0.5]], [NAME])
    write_report(folder, found, result, [f"ser sweep report {NAME}"])
    return folder, [NAME, f"data.{NAME}"]


def write_picture(folder, picture):
    (folder / f"{picture.name}.png").write_bytes(picture.png)
    return f"{picture.name}.png"


def write_compared(place):
    """Runs side by side: folders, an option and its values, tags, speakers, corpus, leaks, and what is wrong."""
    make_run(place / "runs" / FOLDER, dropout=NAME, tags=[NAME], renamed={"03": NAME}, corpus=NAME, leaks=[NAME])
    make_run(place / "runs" / "other", fold_name=NAME)
    make_run(place / "runs" / f"{FOLDER} 2", epoch=NAME)
    (place / "runs" / FOLDER / f"{FOLDER}.log").touch()
    compare([str(place / "runs"), "--out", str(place / "compare")])
    return place / "compare", [NAME, FOLDER, f"{FOLDER} 2", f"{FOLDER}.log"]


PAGES = {"report": write_runs, "report across corpora": write_across, "sweep report": write_study}
PAGES["compare"] = write_compared


@pytest.mark.parametrize("write", PAGES.values(), ids=PAGES)
def test_names_are_text_on_every_page(write, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.made_up.results.PAIRS", SPEAKERS)
    folder, names = write(tmp_path)
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert page.tags <= ALLOWED
    assert page.handlers == []
    script = Path(ser.report.page.__file__).with_name("script.js").read_text(encoding="utf-8")
    assert page.scripts.keys() == {"about", ""}
    assert page.scripts[""].strip() == script.strip()
    shown = words(page.text)
    assert [name for name in names if words(name) not in shown] == []
    assert NAME in " ".join(texts(json.loads(page.scripts["about"]))), "the embedded JSON reads back"
    for markdown in folder.glob("*.md"):
        text = re.sub(r"^(`{3,})$.*?^\1$", "", markdown.read_text(encoding="utf-8"), flags=re.M | re.S)
        assert not re.search(r"(?<!\\)<[a-z/]", text)


def words(text):
    """The text without differences of spaces."""
    return " ".join(text.split())


def texts(value):
    """All texts in a value of JSON."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_embedded_json_has_no_character_of_markup():
    for value in (NAME, "\u2028\u2029", {"<": [None, "-->", "]]>"]}):
        text = str(embedded_json(value))
        assert json.loads(text) == value
        assert not re.search(r"[<>&\u2028\u2029]", text)
