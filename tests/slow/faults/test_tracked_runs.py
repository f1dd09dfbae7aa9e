"""Runs at a W&B server: one run with one curve after a kill, online and offline; an agent's; alerts; artifacts."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

import pandas as pd
import pytest
import torch
import yaml

from ser.checkpoint import load
from ser.training.tracking.wandb_run import EMPTY_BYTES, RUN_ID
from tests.conftest import CONF
from tests.slow.faults.runs import Moment, Run, fit_options, write_corpus
from tests.slow.faults.wandb_server import WandbServer

KEY = "0123456789abcdef0123456789abcdef01234567"
GUIDE = CONF.parent / "docs" / "guide" / "tracking.md"
EPOCHS = 4
DATA = {"data.batch_size": 1, "trainer.max_epochs": EPOCHS}  # about 20 steps per epoch


@pytest.fixture
def store(tmp_path, monkeypatch):
    """What a server has of the commands of this test."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    with WandbServer("takes") as server, tempfile.TemporaryDirectory() as short:  # for W&B's sockets
        more = {
            "HOME": str(tmp_path),
            "TMPDIR": short,
            "WANDB_DATA_DIR": short,
            "WANDB_API_KEY": KEY,
            "WANDB_BASE_URL": server.address,
        }
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        yield server.store


@pytest.fixture
def table(tmp_path, built_in):
    return write_corpus(tmp_path / "corpus", built_in)


def run(arguments, log, **more):
    """Run a command to its end."""
    process = Run([str(word) for word in arguments], log, **more)
    return process.code(), log.read_text()


def slowly():
    """Begin every epoch only when an offline run has been written so far."""
    from ser.training.callbacks.history import History

    History.on_train_epoch_start = lambda *given: time.sleep(1.5)


def curves(run) -> dict[str, dict]:
    """The values of each metric by epoch; an epoch that occurs twice must have the same value."""
    found = defaultdict(dict)
    for row in run.history:
        for name, value in row.items():
            if name[:1] != "_" and isinstance(value, (int, float)):
                assert found[name].setdefault(row["epoch"], value) == value, (name, row["epoch"])
    return found


def check_epochs(run, folder) -> None:
    """Every epoch of `metrics.csv` is there, with its values; the summary has the best."""
    metrics, found = pd.read_csv(folder / "metrics.csv"), curves(run)
    for name in metrics.columns.drop(["epoch", "step"]):
        sent = found["train/rate" if name == "rate" else name]
        assert {epoch: sent[epoch] for epoch in metrics.epoch} == dict(zip(metrics.epoch, metrics[name], strict=True))
    assert set(found["val/wa"]) == set(metrics.epoch)
    assert run.summary["val/wa"] == pytest.approx(metrics["val/wa"].max())


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_a_killed_and_resumed_training_is_one_run_with_one_curve(mode, store, table, tmp_path):
    """Killed in the third of four epochs. Offline, both parts of the run are sent by `wandb beta sync`."""
    out, whole = tmp_path / "run", tmp_path / "whole"
    options = fit_options("cnn_gru", table, out, **DATA, **{"wandb.mode": mode})
    code, log = run(fit_options("cnn_gru", table, whole, **DATA), tmp_path / "whole.log")
    assert code == 0, log
    per_epoch = int(pd.read_csv(whole / "metrics.csv").step[0])
    assert 10 <= per_epoch < 20
    code, log = run(
        options, tmp_path / "1.log", moment=Moment("on_train_batch_end", 2 * per_epoch + 5), hardship=slowly
    )
    assert code == -9, log
    known = (out / RUN_ID).read_text()
    code, log = run(options, tmp_path / "2.log")
    assert code == 0, log
    assert (out / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    if mode == "offline":
        assert not store.runs
        sync = [sys.executable, "-m", "wandb", "beta", "sync", "--yes", str(out / "wandb")]
        assert f"wandb beta sync {out / 'wandb'}\n" in log
        subprocess.run(sync, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    ((name, found),) = store.runs.items()
    assert f"{name}\n" == known == (out / RUN_ID).read_text()
    check_epochs(found, out)
    points, every = set(curves(found)["train/loss_step"]), [epoch + 10 / per_epoch for epoch in range(EPOCHS)]
    kept = every if mode == "offline" else every[2:]  # online, W&B sends every 15 s: a kill can lose points
    assert set(kept) <= points <= set(every)
    assert found.last("jobType") == "fold"


def test_a_part_without_records_does_not_stop_the_upload(store, table, tmp_path):
    """Killed at its first step, before W&B has written anything."""
    out = tmp_path / "run"
    options = fit_options("cnn_gru", table, out, **DATA, **{"wandb.mode": "offline"})
    code, log = run(options, tmp_path / "1.log", moment=Moment("on_train_batch_end", 1))
    assert code == -9, log
    (part,) = (out / "wandb").glob("offline-run-*/run-*.wandb")
    os.truncate(part, EMPTY_BYTES)  # on a slow machine W&B may have written
    code, log = run(options, tmp_path / "2.log")
    assert code == 0, log
    assert not part.exists()
    sync = [sys.executable, "-m", "wandb", "beta", "sync", "--yes", str(out / "wandb")]
    subprocess.run(sync, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    (found,) = store.runs.values()
    check_epochs(found, out)


def test_an_agent_of_a_sweep_trains_with_the_options_of_the_server(store, table, tmp_path):
    """Two runs of `wandb agent`, which gets even the command from the server: the guide's sweep, on a small system."""
    (written,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    sweep = yaml.safe_load(written)
    assert (sweep["command"][:2], sweep["metric"]) == (["ser", "fit"], {"name": "val/wa", "goal": "maximize"})
    swept = next(iter(sweep["parameters"]))
    options = fit_options("cnn_gru", table, tmp_path / "out", **DATA)
    places = {options.index(name) + more for name in ("--out", "--wandb.mode") for more in (0, 1)}
    words = [word for place, word in enumerate(options) if place not in places]
    store.sweep = yaml.safe_dump({**sweep, "command": [sys.executable, "-m", "ser", *words, sweep["command"][-1]]})
    rates = {"first": 0.01, "second": 0.02}
    for name, rate in rates.items():
        given = {swept: {"value": rate}, "data.fold": {"value": 2}}
        store.commands.append({"type": "run", "run_id": name, "program": None, "args": given})
    store.commands.append({"type": "exit"})
    agent = [sys.executable, "-m", "wandb", "agent", "me/trials/sweep1"]
    done = subprocess.run(agent, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "WANDB_DIR=" in done.stderr, "which ser overrides"
    assert store.runs.keys() == rates.keys()
    folders = {(folder / RUN_ID).read_text().strip(): folder for folder in (tmp_path / "runs").iterdir()}
    for name, rate in rates.items():
        found = store.runs[name]
        assert (found.last("sweep"), found.last("project")) == ("sweep1", "trials")
        assert found.config[swept] == rate
        written = yaml.safe_load((folders[name] / "config.yaml").read_text())
        assert (written["model"]["init_args"]["learning_rate"], written["data"]["fold"]) == (rate, 2)
        check_epochs(found, folders[name])
        validation = json.loads((folders[name] / "result.json").read_text())["validation"]
        assert found.summary["val/wa"] == pytest.approx(validation["wa"])


def test_failed_folds_alert_in_the_pooled_run_which_stays_one(store, table, tmp_path):
    """A cross-validation whose folds fail, twice."""
    options = fit_options("cnn_gru", table, tmp_path / "folds", **DATA, **{"wandb.mode": "online"})[1:]
    fails = "[{class_path: lightning.pytorch.callbacks.BackboneFinetuning}]"  # the system has no `backbone`
    for place in ("1", "2"):
        words = ["crossval", *options, "--folds", "1,2", "--trainer.callbacks", fails]
        code, log = run(words, tmp_path / f"{place}.log")
        assert code == 1, log
    name = (tmp_path / "folds" / RUN_ID).read_text().strip()
    pooled = store.runs[name]
    assert (pooled.last("jobType"), pooled.last("displayName")) == ("pooled", "folds-pooled")
    assert [alert["title"] for alert in pooled.alerts] == 2 * ["2 of 2 trainings failed"]
    assert "has no attribute 'backbone'" in pooled.alerts[0]["text"]
    assert str(tmp_path) not in json.dumps(pooled.alerts)
    types = {known: each.last("jobType") for known, each in store.runs.items()}
    assert sorted(types.values()) == ["fold", "fold", "pooled"]


def test_artifacts_link_checkpoint_and_tables_to_the_corpus(store, table, tmp_path):
    out = tmp_path / "run"
    more = {"wandb.mode": "online", "wandb.artifacts": "true"}
    code, log = run(fit_options("cnn_gru", table, out, **DATA, **more), tmp_path / "1.log")
    assert code == 0, log
    ((name, found),) = store.runs.items()
    (corpus,) = found.uses
    assert corpus.startswith("dataset/corpus-")
    result = json.loads((out / "result.json").read_text())
    about = json.loads(store.files["corpus.json"])
    assert about["digest"] == result["corpus_digest"] == json.loads(store.artifacts[corpus]["metadata"])["digest"]
    assert about["counts"] == pd.read_csv(table).emotion.value_counts().sort_index().to_dict()
    assert {f"model/{name}-model", f"result/{name}-tables"} <= store.artifacts.keys()
    for file in ("metrics.csv", "predictions.csv", "validation.csv"):
        assert store.files[file] == (out / file).read_bytes()
    (tmp_path / "best.ckpt").write_bytes(store.files["best.ckpt"])
    own, theirs = (load(path).state_dict() for path in (out / "checkpoints" / "best.ckpt", tmp_path / "best.ckpt"))
    assert own.keys() == theirs.keys()
    assert all(torch.equal(own[weight], theirs[weight]) for weight in own)
    everything = b"".join(store.files.values()) + json.dumps(store.artifacts).encode()
    for path in (tmp_path, CONF):
        assert str(path).encode() not in everything


def test_trials_that_are_given_up_alert_in_the_summary_run(store, write_study, tmp_path):
    fails = "[{class_path: lightning.pytorch.callbacks.BackboneFinetuning}]"
    config = write_study(space={"trainer.callbacks": {"categorical": ["null", fails]}})
    words = ["sweep", "--config", config, "--out", tmp_path / "study", "--workers", 1, "--wandb.mode", "online"]
    code, log = run(words, tmp_path / "1.log")
    assert code == 1, log
    summary = store.runs[(tmp_path / "study" / RUN_ID).read_text().strip()]
    assert (summary.last("jobType"), summary.last("displayName")) == ("study", "least-summary")
    (alert,) = summary.alerts
    assert alert["title"] == "1 of 2 trials given up"
    assert "has no attribute 'backbone'" in alert["text"]
    assert str(tmp_path) not in alert["text"]
    others = [each for each in store.runs.values() if each is not summary]
    assert {each.last("jobType") for each in others} == {"trial"}
