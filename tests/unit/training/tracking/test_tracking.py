"""The data sent to W&B: mode, name and tags of the run, and no local path."""

import os
from types import SimpleNamespace

import pytest

from ser.training.tracking import tracking
from ser.training.tracking.tracking import Tracking
from ser.training.tracking.wandb_run import WandbRun


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_the_option_wins_over_the_variable(mode, tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_ERROR_REPORTING", "WANDB_RELOGIN", "WANDB_SILENT"):
        monkeypatch.setenv(name, "online" if mode == "offline" else "offline")
    monkeypatch.setattr(tracking, "BEGUN", [])
    monkeypatch.setattr(tracking, "check_key", lambda: None)
    (run,) = Tracking(mode, group="folds", tags=["mine"]).loggers(tmp_path / "run", ["fold1"])
    assert os.environ["WANDB_MODE"] == run.options["mode"] == mode
    assert (run.options["name"], run.options["group"], run.options["tags"]) == ("run", "folds", ["fold1", "mine"])
    assert Tracking("disabled").loggers(tmp_path, []) == []


def test_the_configuration_that_wandb_gets_names_no_folder(tmp_path, monkeypatch):
    sent = {}
    run, record = WandbRun(tmp_path), SimpleNamespace(update=lambda config, **options: sent.update(config))
    monkeypatch.setattr(run, "record", lambda what, write: write(SimpleNamespace(config=record)))
    run.log_hyperparams({"data": {"csv": "/home/me/secret/a.csv", "files": ["~/b.wav"]}, "rate": 0.1})
    assert sent == {"data": {"csv": "a.csv", "files": ["b.wav"]}, "rate": 0.1}
