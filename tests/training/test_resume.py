"""A training that is killed goes on with the same command, and ends as if it had not been."""

import json
import random
import signal
import time

import numpy as np
import pytest
import torch

from ser.data.segments import TrainingBatches
from tests.conftest import CONF, SMALL_CAPSULES
from tests.forked import Command

KILLS = 2


def test_a_pass_that_begins_within_an_epoch_gives_the_rest_of_its_order():
    whole = TrainingBatches(100, 16, seed=3)
    whole.set_epoch(5)
    rest = TrainingBatches(100, 16, seed=3, epoch=5, position=4)
    assert len(rest) == len(whole) == 7
    assert [batch.pieces for batch in rest] == [batch.pieces for batch in whole][4:]
    rest.set_epoch(6)
    whole.set_epoch(6)
    assert [batch.pieces for batch in rest] == [batch.pieces for batch in whole], "later passes are whole"


def command(config, tiny, out, *more):
    options = ["--config", CONF / f"{config}.yaml", *tiny, "--trainer.max_epochs", 3, "--checkpoints.steps", 2, *more]
    return ["fit", *options, "--out", out]


def checkpoints_of(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / "checkpoints").glob("*.ckpt")}


def kill_and_continue(arguments, folder, log, kills, generator) -> str:
    """Kill the command at random moments after a new checkpoint; what the last process printed."""
    for _ in range(kills):
        before = checkpoints_of(folder)
        process = Command(arguments, log)
        process.until(lambda before=before: checkpoints_of(folder) != before)
        time.sleep(generator.random() / 5)
        process.kill()
        assert process.wait().code == -signal.SIGKILL
    finished = Command(arguments, log).wait()
    assert finished.code == 0, finished.out
    return finished.out


@pytest.mark.parametrize(("config", "workers"), [("cnn_gru", 0), ("reccap", 2)])
def test_kill_9_changes_nothing(config, workers, tiny, tmp_path):
    options = ["--data.num_workers", workers, *(SMALL_CAPSULES if config == "reccap" else [])]
    whole = Command(command(config, tiny, tmp_path / "whole", *options), tmp_path / "whole.log").wait()
    assert whole.code == 0, whole.out
    broken = command(config, tiny, tmp_path / "broken", *options)
    printed = kill_and_continue(broken, tmp_path / "broken", tmp_path / "broken.log", KILLS, random.Random(1))
    assert "goes on     from" in printed
    for name in ("metrics.csv", "predictions.csv", "validation.csv"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    for name in ("best", "last"):
        whole, found = (
            torch.load(tmp_path / folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
            for folder in ("whole", "broken")
        )
        assert whole["global_step"] == found["global_step"]
        for key, weight in whole["state_dict"].items():
            np.testing.assert_array_equal(found["state_dict"][key].numpy(), weight.numpy(), err_msg=key)


def test_another_configuration_is_not_continued(ser, tiny, tmp_path, monkeypatch):
    """An interrupted run is continued by the same command only; the difference is printed."""
    folder = tmp_path / "run"
    process = Command(command("cnn_gru", tiny, folder), tmp_path / "log")
    process.until(lambda: checkpoints_of(folder))
    process.kill()
    options = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--trainer.max_epochs", 3, "--out", folder]
    for change, message in (
        (["--data.fold", 2], "data.fold: 1 there, 2 here"),
        (["--model.dropout", 0.1], "model.dropout: 0.5 there, 0.1 here"),
        (["--seed_everything", 2], "seed_everything: 1 there, 2 here"),
    ):
        refused = ser(*options, *change)
        assert refused.code == 2, refused.out
        assert message in refused.err
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert ser(*options, "--checkpoints.steps", 5, "--wandb.mode", "disabled").code == 0
    assert json.loads((folder / "result.json").read_text())["epochs"] == 3
    again = ser(*options)
    assert again.code == 2
    assert "holds a finished run already" in again.err
