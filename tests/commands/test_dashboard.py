"""`ser dashboard`: every name in a panel is one that a run of that type has recorded, for any emotions."""

import json
import shutil
import subprocess
import sys

import pytest
import wandb
import yaml

from tests.conftest import CONF, SMALL_CAPSULES
from tests.shared_runs import run_once

EMOTIONS = ["sad", "joyful", "neutral", "angry"]
TYPES = {"Cross-validations": {"fold", "pooled"}, "Studies": {"trial", "study"}}


def recorded(folder) -> tuple[str, set[str]]:
    """The type of an offline run, and the names that W&B knows of it: run:, config:, summary: and history:."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    records = [json.loads(line) for line in printed.splitlines()]
    names, kind = set(), ""
    for record in records:
        if record["type"] == "run":
            kind = record["run"].get("job_type", "")
        elif record["type"] == "config":
            names |= {f"config:{name}" for name in flat(record["config"]["update"])}
        elif record["type"] == "history":
            names |= {f"history:{name}" for name in record["history"]["item"]}
            names |= {f"summary:{name}" for name in record["history"]["item"]}
        elif record["type"] == "summary":
            names |= {f"summary:{name}" for name in record["summary"].get("update", {})}
    # A table or a picture is recorded as several values, one of which is its type.
    return kind, names | {name.removesuffix("._type") for name in names}


def flat(values, prefix=""):
    for name, value in values.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")


@pytest.fixture(scope="module")
def offline(made_once, tiny):
    """A cross-validation of two folds and a study of two trials, tracked offline: their folders."""

    def make(place):
        options = [option for option in tiny if option not in ("--wandb.mode", "disabled")]
        options += [*SMALL_CAPSULES, "--data.protocol", "wu2019", "--wandb.mode", "offline"]
        options += ["--data.emotions", f"[{', '.join(EMOTIONS)}]", "--data.merge", "{excited: joyful, happy: joyful}"]
        run_once(place, "crossval", "--config", CONF / "gru_seqcap.yaml", *options, "--folds", "1,2")
        given = [str(option) for option in options]
        pairs = dict(zip(given[::2], given[1::2], strict=True))
        del pairs["--data.protocol"]  # a study does not choose it
        study = {
            **{"study": "two", "config": str(CONF / "gru_seqcap.yaml"), "sampler": "exhaustive", "folds": [1]},
            "options": {name.removeprefix("--"): yaml.safe_load(value) for name, value in pairs.items()},
            "space": {"model.routing_iterations": {"int": [1, 2]}},
        }
        (place / "study.yaml").write_text(yaml.safe_dump(study))
        (place / "sweep").mkdir()
        run_once(place / "sweep", "sweep", "--config", place / "study.yaml")

    return made_once("dashboards", make)


@pytest.fixture(scope="module")
def known(offline):
    """The names that runs of each type have recorded."""
    found = {}
    for folder in sorted(offline.rglob("offline-run-*")):
        if folder.is_dir() and not folder.is_symlink():
            kind, names = recorded(folder)
            found.setdefault(kind, set()).update(names)
    return found


def used(view) -> set[str]:
    """The names in the panels and the columns of a view."""
    found = set()

    def look(value):
        if isinstance(value, list):
            for each in value:
                look(each)
        elif isinstance(value, dict):
            if "viewType" in value:
                found.update(names_of(value["viewType"], value["config"]))
            for name, each in value.items():
                if name == "columnPinned":
                    found.update(column.removesuffix(".value") for column in each if not column.startswith("run:"))
                look(each)

    look(view)
    return found


def names_of(kind, config) -> set[str]:
    if kind == "Run History Line Plot":
        return {f"history:{name}" for name in [config["xAxis"], *config["metrics"]]}
    if kind == "Bar Chart":
        return {f"summary:{name}" for name in config["metrics"]}
    if kind == "Scatter Plot":
        return {name.replace("model.value.", "model.") for name in (config["xAxis"], config["yAxis"])}
    if kind == "Parallel Coordinates Plot":
        return {column["accessor"].replace("model.value.", "model.") for column in config["columns"]}
    if kind == "Media Browser":
        return {f"summary:{name}" for name in config["mediaKeys"]}
    if kind == "Parameter Importance":
        return {f"summary:{config['targetKey']}"}
    if kind == "Vega2":
        (table,) = [
            each["value"]
            for query in config["userQuery"]["queryFields"]
            for field in query["fields"]
            for each in field.get("args", [])
            if each["name"] == "tableKey"
        ]
        return {f"summary:{table}"}
    raise AssertionError(f"a panel of a kind that this test does not know: {kind}")


@pytest.fixture(scope="module")
def views(offline):
    """What would be sent for the cross-validation, by title."""
    from ser.commands import main

    assert main(["dashboard", str(offline / "run"), "--entity", "me", "--json", str(offline / "views.json")]) == 0
    return {view["displayName"]: view for view in json.loads((offline / "views.json").read_text())}


def test_the_runs_have_the_types_that_the_views_are_filtered_to(known):
    assert set(known) == {"fold", "pooled", "trial", "study"}


def test_every_name_in_a_panel_is_recorded_in_a_run_of_that_type(known, views):
    assert len(views) == 3
    for title, view in views.items():
        there = set().union(*(known[kind] for kind in TYPES.get(title, TYPES["Cross-validations"])))
        wanted = used(view)
        assert len(wanted) > 10
        assert sorted(wanted - there) == [], title


def test_panels_follow_the_emotions(views):
    for title, view in views.items():
        recalls = {name.rpartition("/")[2] for name in used(view) if "/recall/" in name}
        assert recalls == set(EMOTIONS), title


def test_a_view_is_filtered_to_its_runs(views, offline):
    for title, kinds in TYPES.items():
        (runs,) = views[title]["spec"]["section"]["runSets"]
        (only,) = runs["filters"]["filters"]
        assert (only["key"]["name"], only["op"], set(only["value"])) == ("jobType", "IN", kinds)
        assert [key["name"] for key in runs["grouping"]] == ["group", "jobType"]
    report = json.dumps(views["CNNGRUSeqCap on synthetic, protocol wu2019"])
    ids = [path.read_text().strip() for path in (offline / "run").rglob("wandb_id.txt")]
    assert len(ids) == 3
    assert all(one in report for one in ids)


def test_a_report_is_in_the_project_of_its_runs(offline, ser, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "another")
    monkeypatch.setenv("WANDB_ENTITY", "other")
    shutil.copytree(offline / "run", tmp_path / "run", symlinks=True)
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    config["wandb"] |= {"project": "speech", "entity": "team"}
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump(config))
    for words, names in (([], ("speech", "team")), (["--project", "mine", "--entity", "me"], ("mine", "me"))):
        file = tmp_path / f"{names[0]}.json"
        assert ser("dashboard", tmp_path / "run", "--json", file, *words).code == 0
        *workspaces, report = json.loads(file.read_text())
        assert (report["project"]["name"], report["project"]["entityName"]) == names
        assert [(each["project"], each["entity"]) for each in workspaces] == [names] * 2


def test_without_an_account_nothing_is_sent(ser, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    wandb.teardown()  # an earlier run in this process may have read settings from another home
    refused = ser("dashboard")
    assert refused.code == 2
    assert "ser dashboard needs a key for http://127.0.0.1:9: run `wandb login`" in refused.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], "none: not a result"),
        (["--json", "views.txt"], "--json is views.txt, but must end in .json"),
        (["--json", "none/views.json"], "there is no folder none"),
        (["--json", ""], "--json is , but must end in .json"),
        (["--emotions", "sad"], "must be 2 to 100 names"),
        (["--emotions", ""], "--emotions is"),
    ],
)
def test_refusals(ser, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    refused = ser("dashboard", *words)
    assert refused.code == 2
    assert message in refused.err
    assert not list(tmp_path.iterdir())
