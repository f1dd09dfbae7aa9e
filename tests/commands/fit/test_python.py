"""Systems in Python, with Lightning's `Trainer` instead of the command."""

import pandas as pd
import pytest
import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import read_checkpoint
from ser.data import Synthetic
from ser.data.datamodule import EmotionData
from ser.systems import CNNGRU
from ser.systems.dropout import SeededDropout
from ser.systems.learning_rate import LearningRateRule
from ser.training.options.command import EXPECTED_WARNINGS
from ser.training.options.trainer import PRECISIONS
from tests.conftest import CONF, TINY_SEGMENTS

QUIET = {"logger": DummyLogger(), "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
pytestmark = [
    *(pytest.mark.filterwarnings(f"ignore:{message}") for message in EXPECTED_WARNINGS),
    pytest.mark.filterwarnings("ignore:.*fp16 is not supported on CPU"),
]


@pytest.fixture
def data(tiny_corpus):
    segments = {name.removeprefix("--data."): value for name, value in zip(*[iter(TINY_SEGMENTS)] * 2, strict=True)}
    return EmotionData(Synthetic(str(tiny_corpus), 8), **segments)


def test_a_trainer_of_its_own_trains_the_same_weights_as_the_command(ser, tiny, data, tmp_path, monkeypatch):
    """Bit for bit, with dropout and a learning rate that depends on every loss."""
    monkeypatch.setattr("ser.systems.learning_rate.rate_factor", lambda ratio: min(ratio, 1.0))
    monkeypatch.setattr(LearningRateRule.__init__.__wrapped__, "__defaults__", (0, 2, 1))
    rule = {"hold_epochs": 0, "window_steps": 2, "check_every": 1}
    options = [*tiny, "--trainer.max_epochs", 2, "--model.gru_units", 4, "--seed_everything", 3]
    options += [word for name, value in rule.items() for word in (f"--learning_rate_rule.{name}", value)]
    finished = ser("fit", "--config", CONF / "cnn_gru.yaml", *options, "--out", tmp_path / "run")
    assert finished.code == 0, finished.err
    assert pd.read_csv(tmp_path / "run" / "metrics.csv").rate.iloc[-1] < 0.001
    expected = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["state_dict"]

    seed_everything(3)
    system, data.seed = CNNGRU(gru_units=4), 3
    trainer = Trainer(max_epochs=2, enable_checkpointing=False, **QUIET | {"logger": CSVLogger(tmp_path, "csv")})
    trainer.fit(system, data)
    assert system.state_dict().keys() == expected.keys()
    for name, weight in system.state_dict().items():
        assert torch.equal(weight, expected[name]), name
    (logged,) = tmp_path.glob("csv/*/metrics.csv")
    assert pd.read_csv(logged).dropna(subset="val/wa").epoch.tolist() == [1, 2]

    (rule,) = [each for each in trainer.callbacks if isinstance(each, LearningRateRule)]
    trainer.validate(system, data, verbose=False, weights_only=True)
    assert [each for each in trainer.callbacks if isinstance(each, LearningRateRule)] == [rule], "with its losses"


def test_a_system_that_was_tested_trains_again(data):
    options = {"max_epochs": 1, "limit_train_batches": 1, "enable_checkpointing": False, **QUIET}
    system = CNNGRU(gru_units=4)
    Trainer(**options).test(system, data, verbose=False)
    Trainer(**options).fit(system, data)


def test_a_rule_that_the_trainer_has_is_the_one_that_acts(data):
    given = LearningRateRule(hold_epochs=7)
    trainer = Trainer(max_epochs=1, callbacks=[given], limit_train_batches=1, enable_checkpointing=False, **QUIET)
    trainer.fit(CNNGRU(gru_units=4), data)
    assert [each for each in trainer.callbacks if isinstance(each, LearningRateRule)] == [given]
    assert [each.seed for each in trainer.callbacks if isinstance(each, SeededDropout)] == [data.seed]
    assert given.step == 1


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_precision_that_is_accepted_trains(precision, data):
    trainer = Trainer(max_epochs=1, precision=precision, limit_train_batches=1, enable_checkpointing=False, **QUIET)
    system = CNNGRU(gru_units=4)
    trainer.fit(system, data)
    assert all(weight.isfinite().all() for weight in system.state_dict().values())
