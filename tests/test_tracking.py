"""W&B offline: everything of the run is in the file, and neither account nor network is needed."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from ser.tracking import has_key
from tests.conftest import CONF


@pytest.mark.parametrize("fault", ["no text", "no address", "no home"])
def test_a_key_that_cannot_be_looked_for_is_none(fault, tmp_path, monkeypatch):
    def no_home() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_bytes(b"machine \xff\xfe\n")
    if fault == "no address":
        monkeypatch.setenv("WANDB_BASE_URL", "http://[bad")
    if fault == "no home":
        monkeypatch.delenv("NETRC")
        monkeypatch.setattr("ser.tracking.Path.home", no_home)
    assert not has_key()


def test_an_offline_run_holds_config_curves_matrix_and_predictions(tiny, tmp_path):
    out = tmp_path / "run"
    options = [str(option) for option in tiny if option not in ("--wandb.mode", "disabled")]
    options += ["--wandb.group", "trial", "--wandb.tags", "[mine]", "--out", str(out)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    # No key anywhere, a home without netrc, and a server address that answers nothing: offline must not care.
    environment |= {"HOME": str(tmp_path), "WANDB_BASE_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "ser", "fit", "--config", str(CONF / "gru_seqcap.yaml"), *options]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (folder,) = out.glob("wandb/offline-run-*")
    assert f"wandb sync {folder}" in done.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shown.returncode == 0, shown.stderr
    for word in (
        "val/wa",
        "val/ua",
        "train/loss",
        "test/recall/happy",
        "result/wa",
        "test/confusion",
        "test/predictions",
    ):
        assert word in shown.stdout, shown.stdout
    (record,) = folder.glob("run-*.wandb")
    content = record.read_bytes()
    for word in (b"CNNGRUSeqCap", b"synthetic", b"speaker", b"fold1", b"mine", b"trial", b"routing_iterations"):
        assert word in content
    (table,) = (folder / "files" / "media" / "table" / "test").glob("predictions_*.table.json")
    assert "capsule_p_neutral" in table.read_text()

    # The curves are those of metrics.csv: the chosen epoch, evaluated again, is no epoch more.
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120).stdout
    records = [json.loads(line) for line in printed.splitlines()]
    rows = [row["history"]["item"] for row in records if row["type"] == "history"]
    metrics = pd.read_csv(out / "metrics.csv")
    for name in ("val/wa", "val/ua", "train/loss"):
        curve = [(row["epoch"], row[name]) for row in rows if name in row]
        assert curve == list(zip(metrics.epoch, metrics[name].astype("float32"), strict=True)), name
    assert not [row for row in rows if "test/wa" in row]
