"""Paths on the command line: `~` in every option, and records that are valid in any working directory."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from ser.data import IEMOCAP
from ser.sweep.study.options import with_options, write_definition
from ser.sweep.study.plan import read_plan
from tests.conftest import CONF, TINY_SEGMENTS

FIT = ["--config", CONF / "cnn_gru.yaml"]
SWEEPS = CONF.parent / "sweeps"
OPTIONS = {  # option: the path in the home folder that the message must name, and a command that refuses it
    "fit --out": ("taken", ["fit", *FIT, "TINY", "--out=~/taken"]),
    "fit --init_weights": ("none", ["fit", *FIT, "TINY", "--init_weights=~/none"]),
    "fit, in YAML": ("none", ["fit", *FIT, "--config=~/init.yaml", "TINY"]),
    "fit --data.corpus.csv": ("none", ["fit", *FIT, "--data", CONF / "manifest.yaml", "--data.corpus.csv=~/none"]),
    "fit --data": ("none", ["fit", *FIT, "--data=~/manifest.yaml"]),
    "validate --ckpt_path": ("none", ["validate", *FIT, "TINY", "--ckpt_path=~/none"]),
    "crossval --out": ("taken", ["crossval", *FIT, "TINY", "--out=~/taken"]),
    "sweep --config": ("none", ["sweep", "--config=~/none"]),
    "sweep --runs": ("none", ["sweep", "--config", SWEEPS / "lambda.yaml", "--runs=~/none"]),
    "sweep status": ("none", ["sweep", "status", "~/none"]),
    "sweep --study": ("none", ["sweep", "status", SWEEPS / "demo.yaml", "--study=~/none"]),
    "sweep --storage": ("none", ["sweep", "status", SWEEPS / "demo.yaml", "--storage=sqlite:///~/none"]),
    "sweep, its config": ("none", ["sweep", "--config=~/study.yaml"]),
    "export-weights": ("none", ["export-weights", "~/none", "--out", "x.safetensors"]),
    "export-weights --out": ("taken.safetensors", ["export-weights", "x", "--out=~/taken.safetensors"]),
    "report": ("none", ["report", "~/none", "--out", "report"]),
    "report --out": ("taken", ["report", "x", "--out=~/taken"]),
    "transfer": ("none", ["transfer", "~/none", "--data.corpus.csv", "x.csv"]),
    "lambda": ("none", ["lambda", "~/none"]),
    "protocol --splits": ("none", ["protocol", "--splits=~/none"]),
    "protocol --out": ("none/x.csv", ["protocol", "speaker", "--out=~/none/x.csv"]),
    "corpus check": ("none", ["corpus", "check", "~/none"]),
    "corpus synth": ("taken", ["corpus", "synth", "~/taken"]),
}


@pytest.fixture
def home(refused, tmp_path, monkeypatch):
    """A home folder other than the working directory; its folder `taken` is not empty."""
    home, here = tmp_path / "home", tmp_path / "here"
    (home / "taken").mkdir(parents=True)
    (home / "taken" / "thesis.txt").touch()
    (home / "taken.safetensors").touch()
    (home / "init.yaml").write_text("init_weights: ~/none\n")
    (home / "manifest.yaml").write_text("corpus:\n  class_path: ser.data.Manifest\n  init_args: {csv: ~/none}\n")
    study = {"study": "mine", "config": "~/none", "space": {"model.dropout": {"float": [0, 0.5]}}, "trials": 1}
    (home / "study.yaml").write_text(yaml.safe_dump(study))
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return home


@pytest.mark.parametrize("case", OPTIONS)
def test_the_home_folder_in_every_option_that_names_a_file(refused, home, case):
    place, words = OPTIONS[case]
    assert "~" not in refused(words, [f"{home}/{place}"])


def test_a_run_in_the_home_folder_lies_in_one_place_and_means_the_same_everywhere(ser, tiny_corpus, home):
    """Two manifests have the same relative path; the record of a run identifies its own."""
    Path("a").mkdir()
    Path("b").mkdir()
    table = IEMOCAP(str(tiny_corpus)).utterances()
    table.to_csv("a/m.csv", index=False)
    table.assign(speaker="other" + table.speaker).to_csv("b/m.csv", index=False)
    options = [*FIT, "--data", CONF / "manifest.yaml", *TINY_SEGMENTS, "--trainer.max_epochs", 1]
    options += ["--wandb.mode", "disabled", "--model.gru_units", 4]
    os.chdir("a")
    assert ser("fit", *options, "--data.corpus.csv", "m.csv", "--out=~/run").code == 0
    run, best = home / "run", home / "run" / "checkpoints" / "best.ckpt"
    assert best.is_file()
    assert (run / "result.json").is_file()
    assert sorted(os.listdir("..")) == ["a", "b"]
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["corpus"]["init_args"]["csv"] == os.path.abspath(
        "m.csv"
    )
    os.chdir("../b")
    again = ["--config=~/run/config.yaml", "--ckpt_path=~/run/checkpoints/best.ckpt"]
    assert ser("validate", *again, "--out=~/again").code == 0
    assert (home / "again" / "validation.csv").read_bytes() == (run / "validation.csv").read_bytes()
    assert json.loads((home / "again" / "result.json").read_text())["checkpoint"] == str(best)

    shutil.copy("m.csv", "../a/m.csv")  # the run's manifest now has other content
    known, now = (json.loads((run / name).read_text()) for name in ("identity.json", "result.json"))
    for words in (["validate", *again], ["fit", again[0]], ["crossval", again[0], "--folds", 1]):
        finished = ser(*words)
        assert finished.code == 2
        assert f"belongs to a run on another corpus: its digest is {known['corpus']}, that of" in finished.err
        assert known["corpus"] == now["corpus_digest"]
    assert "there is no fold 99" in ser("crossval", again[0], "--data.corpus.csv", "m.csv", "--folds", 99).err
    assert os.listdir() == ["m.csv"]


def test_a_studys_definition_means_the_same_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.yaml").touch()
    study = {"study": "mine", "config": "c.yaml", "space": {"model.dropout": {"float": [0, 0.5]}}, "trials": 1}
    nested = {"corpus": {"class_path": "ser.data.Manifest", "init_args": {"csv": "m.csv", "name": "m"}}}
    Path("study.yaml").write_text(yaml.safe_dump({**study, "options": {"data": nested, "trainer": "data.yaml"}}))
    plan = with_options(read_plan("study.yaml"), {"data.corpus.root": "../x", "trainer.max_epochs": "3"})
    write_definition(tmp_path, "study.yaml", plan)
    options = yaml.safe_load((tmp_path / "study.yaml").read_text())["options"]
    assert options["data"]["corpus"]["init_args"] == {"csv": str(tmp_path / "m.csv"), "name": "m"}
    assert options["trainer"] == str(tmp_path / "data.yaml")
    assert options["data.corpus.root"] == str(tmp_path.parent / "x")
    assert options["trainer.max_epochs"] == "3"
