"""What W&B is given: settings by option, variable and default, the id of the run, and no local path."""

import os
from types import SimpleNamespace

import pytest

from ser.errors import InputError
from ser.training.tracking import tracking, variables
from ser.training.tracking.tracking import Tracking
from ser.training.tracking.variables import NAMES, choose_mode, forget_run, tell_overridden
from ser.training.tracking.wandb_run import RUN_ID, WandbRun


@pytest.fixture(autouse=True)
def world(monkeypatch):
    """An environment without W&B's variables, in which every line is printed again."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("WANDB_ERROR_REPORTING", "WANDB_RELOGIN", "WANDB_SILENT"):
        monkeypatch.setenv(name, "false")  # removed at the end, since `loggers` sets them
    monkeypatch.setattr(tracking, "BEGUN", [])
    monkeypatch.setattr(tracking, "check_key", lambda: None)
    variables.tell.cache_clear()


def settings(folder, given=None, tags=(), **variables):
    os.environ.update(variables)
    (run,) = (given or Tracking()).loggers(folder, list(tags), "fold")
    return run.settings


VARIABLES = {
    "WANDB_PROJECT": "theirs",
    "WANDB_NAME": "called",
    "WANDB_RUN_GROUP": "together",
    "WANDB_TAGS": "a,b",
    "WANDB_JOB_TYPE": "mine",
    "WANDB_MODE": "run",
}


def test_defaults_are_used_without_option_or_variable(tmp_path):
    found = settings(tmp_path / "folder", tags=["fold1"])
    job = {"run_job_type": "fold", "run_tags": ["fold1"]}
    assert found == {"mode": "offline", "project": "ser", "run_name": "folder", **job}


def test_a_variable_is_left_to_wandb_and_an_option_overrides_it(tmp_path, monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert settings(tmp_path, tags=["fold1"]) == {"mode": "online", "run_tags": ["fold1", "a", "b"]}
    given = Tracking("offline", "ours", "team", "folds", "called so", ["mine"])
    names = {"project": "ours", "entity": "team", "run_group": "folds", "run_name": "called so"}
    assert settings(tmp_path, given) == {"mode": "offline", "run_tags": ["mine"], **names}


@pytest.mark.parametrize(
    ("option", "given", "mode", "told"),
    [
        (None, {}, "offline", ""),
        (None, {"WANDB_SWEEP_ID": "s"}, "online", ""),
        (None, {"WANDB_SWEEP_ID": "s", "WANDB_MODE": "dryrun"}, "offline", ""),
        (None, {"WANDB_MODE": "disabled"}, "disabled", ""),
        (
            None,
            {"WANDB_DISABLED": "true", "WANDB_MODE": "online"},
            "disabled",
            "WANDB_MODE=online ignored: WANDB_DISABLED is true",
        ),
        (None, {"WANDB_DISABLED": "false", "WANDB_MODE": "online"}, "online", ""),
        ("online", {"WANDB_DISABLED": "true"}, "online", "WANDB_DISABLED=true ignored: --wandb.mode is online"),
        ("disabled", {"WANDB_DISABLED": "true"}, "disabled", ""),
    ],
)
def test_the_mode(option, given, mode, told, monkeypatch, capsys):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert choose_mode(option) == mode
    assert capsys.readouterr().err == (f"W&B: {told}\n" if told else "")


def test_a_mode_that_is_overridden_is_printed_once_and_an_unknown_one_refused(monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "shared")
    assert [choose_mode("offline"), choose_mode("offline")] == ["offline", "offline"]
    assert capsys.readouterr().err == "W&B: WANDB_MODE=shared ignored: --wandb.mode is offline\n"
    with pytest.raises(InputError, match="'shared', but must be offline, online or disabled"):
        choose_mode(None)


def test_variables_that_have_no_effect_are_printed(tmp_path, monkeypatch, capsys):
    import wandb

    ignored = {
        "WANDB_CONSOLE": ("wrap", "ser sets off"),
        "WANDB_DIR": ("elsewhere", f"ser sets {tmp_path}"),
        "WANDB_PROJECT": ("theirs", "--wandb.project is ours"),
        "WANDB_RUN_ID": ("new", "this folder's run has the id old"),
        "WANDB_TAGS": ("x,y", "the tags are x z"),
    }
    for name, (value, _) in ignored.items():
        monkeypatch.setenv(name, value)
    for name, value in {"WANDB_API_KEY": "k", "WANDB_NAME": "n", "WANDB_RUN_GROUP": "g", "WANDB_MODE": "run"}.items():
        monkeypatch.setenv(name, value)
    ours = {"root_dir": str(tmp_path), "run_id": "old", "console": "off", "mode": "online"}
    tell_overridden(wandb.Settings(**ours, project="ours", run_tags=["x", "z"], run_group="g"))
    lines = [f"W&B: {name}={value} ignored: {why}\n" for name, (value, why) in ignored.items()]
    assert capsys.readouterr().err == "".join(lines)


def test_variables_that_could_delay_a_training_are_overridden(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_RELOGIN", "true")
    settings(tmp_path)
    assert os.environ["WANDB_RELOGIN"] == "false"
    assert capsys.readouterr().err == "W&B: WANDB_RELOGIN=true ignored: ser needs false\n"


def test_names_of_several_runs_are_taken_from_variables_or_ignored(monkeypatch, capsys):
    given = Tracking(group="folds")
    monkeypatch.setenv("WANDB_NAME", "called")
    monkeypatch.setenv("WANDB_RUN_GROUP", "together")
    given.take_names()
    assert (given.name, given.group) == ("called", "folds")
    assert not {"WANDB_NAME", "WANDB_RUN_GROUP"} & set(os.environ)
    assert capsys.readouterr().err == "W&B: WANDB_RUN_GROUP=together ignored: --wandb.group is folds\n"
    monkeypatch.setenv("WANDB_TAGS", "x")
    forget_run(NAMES)
    assert "WANDB_TAGS ignored" in capsys.readouterr().err
    assert "WANDB_TAGS" not in os.environ


@pytest.mark.parametrize(("kept", "asked", "expected"), [(None, "mine", "mine"), ("old", "mine", "old")])
def test_the_id_of_a_run_is_that_of_its_folder(kept, asked, expected, tmp_path, monkeypatch):
    if kept:
        (tmp_path / RUN_ID).write_text(kept)
    monkeypatch.setenv("WANDB_RUN_ID", asked)
    assert WandbRun(tmp_path)._id() == expected
    monkeypatch.delenv("WANDB_RUN_ID")
    assert WandbRun(tmp_path)._id() == expected
    assert len({WandbRun(tmp_path / str(place))._id() for place in range(100)}) == 100


def test_an_id_that_wandb_refuses_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "a/b")
    with pytest.raises(Exception, match="cannot contain"):
        WandbRun(tmp_path)._id()
    assert not (tmp_path / RUN_ID).exists()


def test_the_configuration_that_wandb_gets_names_no_folder(tmp_path, monkeypatch):
    sent = {}
    run, record = WandbRun(tmp_path), SimpleNamespace(update=lambda config, **options: sent.update(config))
    monkeypatch.setattr(run, "record", lambda what, write: write(SimpleNamespace(config=record)))
    run.log_hyperparams({"data": {"csv": "/home/me/secret/a.csv", "files": ["~/b.wav"]}, "rate": 0.1})
    assert sent == {"data": {"csv": "a.csv", "files": ["b.wav"]}, "rate": 0.1}


def test_values_of_other_callbacks_follow_the_curves(tmp_path, monkeypatch):
    sent, run = [], WandbRun(tmp_path)
    wandb = SimpleNamespace(step=97, log=lambda values, step: sent.append((values, step)))
    monkeypatch.setattr(run, "record", lambda what, write: write(wandb))
    run.log_metrics({"epoch": 1, "val/wa": 0.5, "train/loss": 1.0}, 95)
    run.log_metrics({"epoch": 1, "lr-Adam": 0.1}, 95)
    run.log_metrics({"epoch": 2, "lr-Adam": 0.2}, 100)
    assert sent == [({"lr-Adam": 0.1}, 97), ({"lr-Adam": 0.2}, 100)]
