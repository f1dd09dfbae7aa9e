"""Options in a comparison: how two results differ from each other, and how one differs from the paper's recipe."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from ser.commands.crossval import cross_validation
from ser.report.reported_results import read_entries
from ser.report.sections.comparisons import compare_pairs
from ser.report.sections.findings import cautions, headline
from ser.report.sections.settings import departures, recipe_table, settings_table
from ser.results.paper import RECIPE
from ser.training.cross_validation import CrossValidation
from tests.conftest import CONF
from tests.made_up.results import OPTIONS

SYSTEMS = [CONF / f"{name}.yaml" for name in ("cnn_lstm", "cnn_gru", "seqcap", "reccap", "gru_seqcap")]


@pytest.fixture(scope="module")
def entry(results):
    """A result of CNN_SeqCap."""
    return read_entries([str(results[0])])[0]


def changed(entry, title, **about):
    """The same predictions with another title and other entries in `result.json`."""
    return replace(entry, title=title, pooled=replace(entry.pooled, about={**entry.about, **about}))


def told(first, second):
    """Values of both results by setting; the findings; the cautions."""
    pairs, entries = list(compare_pairs([first, second])), [first, second]
    settings = {name: values for name, *values in settings_table(entries).rows}
    return settings, "\n".join(headline(entries, pairs)), "\n".join(cautions(entries))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("init_weights", "SHA-256 c0ffee", ["not set", "SHA-256 c0ffee"]),
        ("trainer.gradient_clip_val", 0.5, ["not set", "0.5"]),
        ("data.batch_size", 8, ["16", "8"]),
        ("data.segment_seconds", 1.0, ["2.0", "1.0"]),
        ("learning_rate_rule.hold_epochs", 5, ["3", "5"]),
        ("trainer.precision", "bf16-mixed", ["not set", "bf16-mixed"]),
        ("trainer.callbacks", [{"class_path": "EMA"}], ["not set", '[{"class_path": "EMA"}]']),
        ("seeds", [2], ["1", "2"]),
    ],
)
def test_every_option_in_which_two_results_differ_is_named(entry, name, value, shown):
    about = {"seeds": value} if name == "seeds" else {"options": {**entry.about["options"], name: value}}
    settings, findings, _ = told(entry, changed(entry, "other", **about))
    assert settings[name] == shown
    assert f"Compared results differ in these options, see the settings: {name}." in findings.splitlines()


def test_options_of_one_system_alone_are_named_and_are_no_finding(entry):
    own = {"model.class_path": "ser.systems.CNNGRU", "model.gru_units": 64}
    other = changed(entry, "CNN_GRU", options={**OPTIONS, "data.protocol": "speaker", **own})
    mine = changed(entry, entry.title, options={**entry.about["options"], "model.routing_iterations": 3})
    settings, findings, _ = told(mine, other)
    assert settings["model.class_path"] == ["ser.systems.CNNSeqCap", "ser.systems.CNNGRU"]
    assert (settings["model.routing_iterations"], settings["model.gru_units"]) == (["3", "-"], ["-", "64"])
    assert "differ in these options" not in findings


@pytest.mark.parametrize("both", [True, False])
def test_what_an_older_result_did_not_record_is_not_called_equal(entry, both):
    old = dict.fromkeys(("options", "defaults"))
    older = changed(entry, "older", **old, model={"dropout": 0.1, "learning_rate": 0.001})
    first = changed(entry, "first", **old) if both else changed(entry, "first")
    settings, _, warnings = told(first, older)
    titles = "first, older" if both else "older"
    assert f"{titles}: options not recorded (older version); other differences" in warnings
    assert settings["model.dropout"] == ["0.5", "0.1"], "the system's options were always recorded"
    recipe = recipe_table([older])
    assert [[name, value, ours] for name, value, _, ours in recipe.rows] == [
        ["data.statistics", "corpus", "train"],
        ["model.dropout", "0.5", "0.1"],
    ]
    assert any("older: options not recorded" in note for note in recipe.notes)
    rows = {row[0]: row[1:] for row in pd.read_csv(pd.io.common.StringIO(settings_table([entry, older]).csv())).values}
    assert list(rows["data.batch_size"]) == ["16", "not recorded"]
    assert list(rows["trainer.precision"]) == ["not set", "not recorded"]


def test_the_settings_are_all_options_and_the_page_shows_those_that_are_set(entry):
    table = settings_table([entry])
    assert {*OPTIONS} <= {row[0] for row in table.csv_rows}
    assert {name for name, value in OPTIONS.items() if value is not None} <= {row[0] for row in table.rows}
    assert not {name for name, value in OPTIONS.items() if value is None} & {row[0] for row in table.rows}
    assert "only in the CSV file" in table.notes[0]


@pytest.fixture
def recorded(tiny_release, entry):
    """A result as `ser crossval OPTIONS` would record it, without training."""

    def record(*options):
        words = [*options, "--data.corpus.root", tiny_release]
        about = cross_validation([*map(str, words)], "ser crossval")._options()
        assert str(tiny_release) not in json.dumps(about)
        return changed(entry, "ours", **about)

    return record


def test_each_systems_own_configuration_is_the_papers_recipe_but_for_the_statistics(recorded):
    options = set()
    for path in SYSTEMS:
        found = recorded("--config", path)
        assert departures(found) == {"data.statistics": RECIPE["data.statistics"]}, path
        written = yaml.safe_load(path.read_text())["model"]["init_args"]
        assert found.about["options"].items() >= {f"model.{name}": value for name, value in written.items()}.items()
        options |= set(found.about["options"])
    assert options >= RECIPE.keys(), "the recipe names existing options"


def test_a_result_by_the_recipe_is_called_so(entry):
    by_recipe = changed(entry, "ours", options={"data.statistics": "corpus"})
    assert recipe_table([by_recipe]) == "No recorded option differs from the paper's recipe."
    older = changed(by_recipe, "older", options=None, model={}, statistics="corpus")
    said = recipe_table([by_recipe, older])
    assert said.startswith("No recorded option differs from the paper's recipe. older: options not recorded")


def test_the_demo_differs_from_the_recipe_in_all_that_its_file_sets(recorded):
    demo = yaml.safe_load((CONF / "demo.yaml").read_text())
    changes = {f"trainer.{name}": value for name, value in demo["trainer"].items()}
    changes |= {f"model.{name}": value for name, value in demo["model"]["init_args"].items()}
    changes["data.segment_seconds"] = demo["data"]["segment_seconds"]
    words = [word for name, value in changes.items() for word in (f"--{name}", value)]
    merged = ["--data.corpus.merge_excited", "true", "--model.capsule_tap", "conv3"]
    found = recorded("--config", CONF / "reccap.yaml", *words, *merged)
    changes |= {"data.corpus.merge_excited": True, "model.capsule_tap": "conv3", "data.statistics": "train"}
    table = recipe_table([found])
    assert {row[0]: yaml.safe_load(row[-1]) for row in table.rows} == changes
    sources = {row[0]: row[2] for row in table.rows}
    assert sources["model.learning_rate"] == "section 4.1"
    assert sources["model.capsule_tap"] == "not stated: the default here"


def test_no_place_of_this_machine_and_no_infinity_are_recorded(tmp_path):
    callback = {"class_path": "Monitor", "init_args": {"dirpath": str(tmp_path / "logs"), "every": float("inf")}}
    config = {"trainer.callbacks": [callback], "trainer.profiler": "~/profile", "data.batch_size": 8}
    found = CrossValidation._options(SimpleNamespace(identity={"config": config}, defaults={"data.batch_size": 16}))
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["options"]["data.batch_size"] == 8
    assert found["defaults"] == {"data.batch_size": 16}
    assert "logs" in text
    assert str(tmp_path) not in text
    assert "~" not in text
