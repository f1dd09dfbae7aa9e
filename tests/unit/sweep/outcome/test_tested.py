"""The test of the best trial: run once, with validation and test in separate rows."""

import json
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from ser.errors import InputError
from ser.results.statistics import bootstrap_speakers
from ser.sweep.outcome.best_trial import claim, run_best
from ser.sweep.outcome.writing import write_report
from ser.sweep.study.space import Space
from tests.made_up.hits import predictions
from tests.made_up.html_page import Page

VALIDATION = predictions([1, 1, 1, 0, 1, 1], [0, 0, 1, 1, 0, 1], list("aabbcc")).assign(fold=1)
TEST = predictions([1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 1], list("ddeeff")).assign(fold=1)


def findings(tmp_path=None, **attributes):
    """Findings of a study whose best trial has these validation scores."""
    attributes = {"wa": 5 / 6, "ua": 5 / 6, "threads": [1, 1], **attributes}
    plan = SimpleNamespace(folds=(1, 2), seeds=(7,), space=Space({}), choose_lambda=False, study="s", sampler="tpe")
    row = SimpleNamespace(user_attrs=attributes, params={})
    shared = SimpleNamespace(plan=plan, results=lambda: {3: row})
    config = {"data": {}, "model": {"dropout": 0.5}, "folds": [1, 2], "out": "one"}
    return SimpleNamespace(shared=shared, best=3, saved=None, counts="9 trials", config=config, folder=tmp_path)


@pytest.fixture
def pooled(monkeypatch):
    found = SimpleNamespace(validation=VALIDATION, predictions=TEST)
    monkeypatch.setattr("ser.sweep.outcome.best_trial.read_pooled", lambda folder: found)


def test_validation_and_test_have_their_own_scores_and_limits(pooled):
    limits = [bootstrap_speakers(table) for table in (VALIDATION, TEST)]
    assert limits[1]["wa"] != limits[1]["ua"]
    assert claim(findings(), None).rows == [
        ["validation", 5 / 6, limits[0]["wa"], pytest.approx((1 + 2 / 3) / 2), limits[0]["ua"]],
        ["test", 2 / 6, limits[1]["wa"], (1 / 4 + 1 / 2) / 2, limits[1]["ua"]],
    ]


@pytest.mark.parametrize(("name", "told"), [("wa", 0.8), ("ua", 0.8), (None, None)])
def test_a_validation_that_came_out_otherwise_is_told(pooled, name, told):
    table = claim(findings(**({name: told} if name else {})), None)
    assert [row[0] for row in table.rows] == [*(["validation, in the study"] if name else []), "validation", "test"]
    assert ("After retraining, validation differs." in table.notes) is bool(name)
    if name:
        assert table.rows[0][{"wa": 1, "ua": 3}[name]] == told


@pytest.fixture
def started(monkeypatch):
    """The commands that would be started, with their number of threads."""
    commands = []

    def run(command, env):
        commands.append((command, env.get("OMP_NUM_THREADS")))
        return SimpleNamespace(returncode=len(commands) - 1)

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("ser.sweep.outcome.best_trial.subprocess.run", run)
    return commands


def write_best(folder, **changes):
    (folder / "best").mkdir()
    (folder / "best" / "config.yaml").write_text(yaml.safe_dump({**findings().config, **changes}))


def test_the_best_is_tested_with_as_many_threads_as_its_trial(started, tmp_path, capsys):
    assert run_best(findings(tmp_path), ["--jobs=2"]) == tmp_path / "best"
    assert run_best(findings(tmp_path, threads=[1, 2]), []) is None, "the cross-validation failed"
    words = ["crossval", "--config", str(tmp_path / "best.yaml"), "--out", str(tmp_path / "best")]
    assert started == [
        ([sys.executable, "-m", "ser", *words, "--jobs=2"], "1"),
        ([sys.executable, "-m", "ser", *words], None),
    ]


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, ""),
        ({"folds": [1], "seeds": [1, 2]}, ""),  # more folds or seeds with the same configuration
        ({"model": {"dropout": 0.4}}, "model.dropout: 0.4 there, 0.5 now best"),
        ({"model": {}}, "model.dropout: None there, 0.5 now best"),
        ({"init_weights": "a.ckpt"}, "init_weights: a.ckpt there, None now best"),
    ],
)
def test_no_second_configuration_is_tested(started, tmp_path, capsys, changes, refused):
    write_best(tmp_path, **changes)
    if refused:
        with pytest.raises(InputError, match=refused):
            run_best(findings(tmp_path), [])
    else:
        run_best(findings(tmp_path), [])
    assert len(started) == (not refused)


def test_a_finished_test_is_not_repeated(started, tmp_path, monkeypatch):
    write_best(tmp_path)
    (tmp_path / "best" / "result.json").touch()
    monkeypatch.setattr("ser.sweep.outcome.best_trial.read_about", lambda folder: {"kind": "crossval"})
    assert run_best(findings(tmp_path), []) == tmp_path / "best"
    assert started == []


def test_the_report_names_folds_and_seeds_and_what_is_claimed(pooled, tmp_path):
    found = findings(tmp_path)
    found.choice, found.trials, found.shared.plan.objective = "trial 3 of 9", pd.DataFrame(index=range(9)), "val/wa"
    found.trials = found.trials.assign(trial=range(9), state="complete", wa=0.5, ua=0.5)
    found.shared.plan.metric, found.pictures, found.importances, found.routing = "wa", [], {}, None
    found.write = lambda folder: ["trials.csv"]
    files = ["index.html", "report.md", "claim.csv", "trials.csv"]
    assert write_report(tmp_path, found, claim(found, None), ["ser sweep report s.yaml"]) == files
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert {"report.md", "claim.csv", "trials.csv", "report.json"} <= set(page.links)
    assert json.loads(page.scripts["about"])["commands"] == ["ser sweep report s.yaml"]
    assert [row[:2] for row in page.tables["claim"][1:]] == [
        ["validation", "83.33\N{NO-BREAK SPACE}%"],
        ["test", "33.33\N{NO-BREAK SPACE}%"],
    ]
    text = (tmp_path / "report.md").read_text()
    assert "- folds 1, 2, seeds 7\n" in text
    assert "9 planned trials by tpe, val/wa on validation utterances." in text
    assert "| test | 33.33 |" in text
    (tmp_path / "claim.csv").unlink()
    assert write_report(tmp_path, found, None, []) == ["index.html", "report.md", "trials.csv"]
    assert "The test set was not used (--no-test)." in (tmp_path / "report.md").read_text()
