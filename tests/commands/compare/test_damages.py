"""`ser compare` of damaged runs, and what it refuses."""

import json

import pytest

from tests.made_up.runs import make_run

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
