"""A checkpoint contains the state of all callbacks at its moment, however the training then ends."""

import json
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightning import Callback
from lightning.pytorch.callbacks import Checkpoint

from ser.errors import InputError
from ser.training import run as training
from ser.training.callbacks.checkpointing import EndInOrder
from tests.conftest import CONF
from tests.made_up.release import noise, write_wav
from tests.slow.faults.kills import differences
from tests.slow.faults.runs import Moment, Run, fit_options, write_corpus

TONE_SECONDS, SEGMENT_SECONDS = 1.35, 0.45  # long enough for a loss that falls
HZ = {"neutral": 300, "angry": 700, "happy": 1500, "sad": 3000}


@pytest.fixture(scope="module")
def table(built_in, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"), built_in)


@pytest.fixture(scope="module")
def tones(built_in, tmp_path_factory):
    """The same corpus with a tone for each emotion: the loss falls quickly to a tenth."""
    file = write_corpus(tmp_path_factory.mktemp("tones"), built_in, TONE_SECONDS)
    time = np.arange(round(TONE_SECONDS * 16_000)) / 16_000
    for seed, row in enumerate(pd.read_csv(file).itertuples()):
        tone = 8000 * np.sin(2 * np.pi * HZ[row.emotion] * time)
        write_wav(Path(row.path), tone.astype(np.int16) + noise(TONE_SECONDS, seed))
    return file


def end(arguments: list[str], log, moment: Moment | None = None, code: int = 0) -> None:
    assert Run(arguments, log, moment).code() == code, log.read_text()


def test_a_signal_within_an_epoch_changes_no_rate(tones, tmp_path):
    """The learning-rate rule acts here on the mean of two losses, so that a lost one changes the result."""
    rule = {"window_steps": 2, "hold_epochs": 0, "check_every": 1}
    options = {f"learning_rate_rule.{name}": value for name, value in rule.items()}
    options |= {"model.learning_rate": 0.002, "model.dropout": 0, "trainer.max_epochs": 9}
    options |= {"data.segment_seconds": SEGMENT_SECONDS, "model.gru_units": 64}  # enough to learn quickly

    def lowering(name: str) -> list[str]:
        return fit_options("cnn_gru", tones, tmp_path / name, **options)

    end(lowering("whole"), tmp_path / "log")
    assert pd.read_csv(tmp_path / "whole" / "metrics.csv").rate.nunique() > 1
    for step, number in ((7, signal.SIGINT), (23, signal.SIGTERM), (37, signal.SIGUSR1)):
        end(lowering("ended"), tmp_path / "log", Moment("on_train_batch_end", step, number), 128 + number)
        assert "weights_only" not in (tmp_path / "log").read_text(), "Lightning prints nothing about weights_only"
    end(lowering("ended"), tmp_path / "log")
    assert not list(differences(tmp_path / "whole", tmp_path / "ended"))


@pytest.mark.parametrize("command", ["fit", "session"])
def test_checkpoints_are_written_behind_everything_whose_state_they_hold(ser, tiny, tmp_path, monkeypatch, command):
    trainers = []

    def look(run) -> None:
        trainers.append(run.trainer)
        raise InputError("looked at")

    monkeypatch.setattr(training.Run, "train", look)
    others = ["--outs", json.dumps({6: str(tmp_path / "other")})] if command == "session" else []
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--epochs_averaged", 1, "--out", tmp_path / "run", *others]
    assert ser(command, *options).err.endswith("looked at\n")
    callbacks = trainers[0].callbacks
    writers = [each for each in callbacks if isinstance(each, Checkpoint)]
    assert callbacks[-len(writers) :] == writers
    with_state = {type(each).__name__ for each in callbacks if type(each).state_dict is not Callback.state_dict}
    assert with_state >= {"History", "LearningRateRule", "Kept"} | ({"OtherHistory"} if others else set())
    *kept, ending = writers
    names = ["best", "{epoch}", "last", "within"]
    assert [each.filename for each in kept] == (["best", *names] if others else names)
    assert isinstance(ending, EndInOrder)
