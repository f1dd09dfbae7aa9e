"""W&B offline: its file contains the whole run, without account or network; and keys for W&B online."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import product

import pandas as pd
import pytest
import wandb
from sklearn.metrics import confusion_matrix

from ser.errors import InputError
from ser.training.tracking import service
from ser.training.tracking.key import check_key
from tests.conftest import CONF

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder without a key."""
    for name in list(os.environ):
        if name.startswith("WANDB_") or name == "NETRC":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    wandb.teardown()  # an earlier run in this process may have read settings from another home
    return tmp_path


def settings_of(home, **settings):
    (home / ".config" / "wandb").mkdir(parents=True)
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (home / ".config" / "wandb" / "settings").write_text(f"[default]\n{lines}")


def netrc_of(home, host):
    (home / ".netrc").write_text(f"machine {host}\n  login user\n  password {KEY}\n")


def test_a_real_login_is_recognised_for_its_server_alone(home, monkeypatch):
    with pytest.raises(InputError, match="run `wandb login` or set WANDB_API_KEY"):
        check_key()
    login = [sys.executable, "-m", "wandb", "login", "--no-verify", KEY]
    subprocess.run(login, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    check_key()
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"needs a key for http://127\.0\.0\.1:9"):
        check_key()


@pytest.mark.parametrize("place", ["environment", "settings", "server in settings", "identity token", "server of old"])
def test_a_key_is_found_where_wandb_looks(place, home, monkeypatch):
    if place == "environment":
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    elif place == "settings":
        settings_of(home, api_key=KEY)
    elif place == "server in settings":
        settings_of(home, base_url="http://127.0.0.1:9")
        netrc_of(home, "127.0.0.1:9")
    elif place == "identity token":
        monkeypatch.setenv("WANDB_IDENTITY_TOKEN_FILE", str(home / "token"))
    else:
        netrc_of(home, "api.wandb.ai")
    check_key()
    assert not [path for path in home.rglob("*") if path.is_file() and path.name not in ("settings", ".netrc")]


@pytest.mark.parametrize(
    ("variables", "netrc", "words"),
    [
        ({"WANDB_API_KEY": "short"}, b"", "40"),
        ({"WANDB_API_KEY": KEY, "WANDB_IDENTITY_TOKEN_FILE": "token"}, b"", "Both"),
        ({}, b"machine \xff\xfe\n", "utf-8"),
        ({"WANDB_BASE_URL": "http://[bad"}, b"", "base_url"),
    ],
)
def test_a_key_that_is_none_is_refused_with_its_cause(variables, netrc, words, home, monkeypatch):
    (home / ".netrc").write_bytes(netrc)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=words):
        check_key()


@pytest.mark.parametrize(
    ("command", "several"), [("crossval", True), ("session", True), ("sweep", True), ("fit", False)]
)
def test_what_names_one_wandb_run_is_dropped_where_there_are_several(command, several, ser, monkeypatch):
    given = {"WANDB_RUN_ID": "mine", "WANDB_SWEEP_ID": "theirs", "WANDB_PROJECT": "kept"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    finished = ser(command, "--config", "none.yaml")
    assert finished.code == 2
    assert {name for name in given if name in os.environ} == ({"WANDB_PROJECT"} if several else set(given))
    assert finished.err.count("WANDB_RUN_ID, WANDB_SWEEP_ID ignored") == several


def inspect(folder, form) -> str:
    """The content of an offline run, as wandb itself reads it."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", form, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_an_offline_run_holds_config_curves_matrix_and_predictions(ser, tiny, home, tmp_path, monkeypatch):
    """Without a key, without netrc, with an unreachable server address: none of them matters offline."""
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    out = tmp_path / "run"
    options = [option for option in tiny if option not in ("--wandb.mode", "disabled")]
    options += ["--wandb.group", "trial", "--wandb.tags", "[mine]", "--out", out]
    emotions = ["sad", "happy", "joyful", "neutral", "angry"]
    options += ["--data.emotions", f"[{', '.join(emotions)}]", "--data.merge", "{excited: joyful}"]
    done = ser("fit", "--config", CONF / "gru_seqcap.yaml", *options)
    assert done.code == 0, done.err
    (folder,) = out.glob("wandb/offline-run-*")
    assert f"wandb sync {folder}" in done.out
    shown = inspect(folder, "--summary")
    for word in (
        "val/wa",
        "val/ua",
        "train/loss",
        "test/recall/happy",
        "result/wa",
        "test/confusion",
        "test/predictions",
    ):
        assert word in shown, shown
    (record,) = folder.glob("run-*.wandb")
    content = record.read_bytes()
    for word in (b"CNNGRUSeqCap", b"synthetic", b"speaker", b"fold1", b"mine", b"trial", b"routing_iterations"):
        assert word in content
    (table,) = (folder / "files" / "media" / "table" / "test").glob("predictions_*.table.json")
    assert "capsule_p_neutral" in table.read_text()
    (matrix,) = (folder / "files" / "media" / "table" / "test").glob("confusion_table_*.table.json")
    rows = json.loads(matrix.read_text())["data"]
    assert [(actual, predicted) for actual, predicted, _ in rows] == list(product(emotions, emotions))
    predictions = pd.read_csv(out / "predictions.csv")
    counts = confusion_matrix(predictions.emotion, predictions.predicted, labels=emotions)
    assert [number for *_, number in rows] == counts.flatten().tolist()

    # The curves equal metrics.csv: the evaluation of the best epoch adds no point.
    records = [json.loads(line) for line in inspect(folder, "--json").splitlines()]
    config = next(row["config"]["update"] for row in records if row["type"] == "config")
    assert (config["data"]["emotions"], config["data"]["merge"]) == (emotions, {"excited": "joyful"})
    rows = [row["history"]["item"] for row in records if row["type"] == "history"]
    metrics = pd.read_csv(out / "metrics.csv").rename(columns={"rate": "train/rate"})
    curves = [row for row in rows if "train/loss" in row]
    for name in (*metrics.columns.drop("step"), "epoch"):
        assert [row[name] for row in curves] == metrics[name].tolist(), name
    assert [row["_step"] for row in curves] == metrics.step.tolist()
    assert not [row for row in rows if "test/wa" in row]


def test_a_service_that_begins_after_its_time_is_ended_too(monkeypatch):
    begun = []
    monkeypatch.setattr(service, "service", lambda: begun[0] if begun else None)

    def answer_late():
        time.sleep(0.3)
        begun.append(subprocess.Popen(["sleep", "20"]))
        begun[0].wait()  # every call waits for the service
        raise ConnectionError("the service has gone")

    with pytest.raises(TimeoutError, match="no answer within"), service.at_most(0.1):
        answer_late()
    assert begun[0].returncode == -signal.SIGKILL
