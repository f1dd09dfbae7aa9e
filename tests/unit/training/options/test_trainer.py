"""Trainer options that would cut a run short or leave a set out are refused."""

import inspect

import pytest
from lightning import Trainer

from ser.errors import InputError
from ser.training.experiment import Experiment
from ser.training.options.trainer import check_trainer


def settings(**changes) -> dict:
    """The trainer's options as parsed."""
    options = {name: each.default for name, each in inspect.signature(Trainer.__init__).parameters.items()}
    return options | {"max_epochs": 20, "precision": "32-true", "accumulate_grad_batches": 1, "max_steps": -1} | changes


def test_the_defaults_make_a_whole_run():
    check_trainer(settings(), fitting=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fast_dev_run", True),
        ("enable_checkpointing", False),
        ("limit_train_batches", 0.5),
        ("limit_val_batches", 0),
        ("limit_val_batches", 0.5),
        ("limit_test_batches", 0.5),
        ("limit_test_batches", 1),
        ("max_steps", 100),
        ("max_time", "00:01:00:00"),
        ("accumulate_grad_batches", 2),
        ("overfit_batches", 0.1),
        ("check_val_every_n_epoch", 2),
        ("val_check_interval", 1),
        ("val_check_interval", 0.5),
        ("logger", False),
        ("default_root_dir", "elsewhere"),
        ("precision", "16-true"),
        ("precision", "bf16-true"),
        ("max_epochs", 0),
        ("max_epochs", None),
        ("gradient_clip_val", 0),
    ],
)
def test_no_option_cuts_a_run_short(name, value):
    with pytest.raises(InputError, match=rf"trainer\.{name}"):
        check_trainer(settings(**{name: value}), fitting=True)


@pytest.mark.parametrize(
    ("answers", "sets"), [(["test"], ["val", "test"]), (["val"], ["val"]), (["val", "test"], ["val"])]
)
def test_initial_weights_must_have_heard_neither_set_of_any_fold(answers, sets, monkeypatch):
    """Sets among `answers` are refused; a training of both directions is refused if one is."""
    asked = []

    def check_unheard(found, path, data, tested):
        asked.append((data, tested))
        if tested in answers:
            raise InputError(tested)

    monkeypatch.setattr("ser.training.experiment.check_unheard", check_unheard)
    experiment = Experiment.__new__(Experiment)
    experiment.beginning, experiment.init_weights = {}, "x.ckpt"
    with pytest.raises(InputError):
        experiment.check_beginning("one", "other")
    assert asked == [("one", name) for name in sets]
    answers.clear()
    asked.clear()
    experiment.check_beginning("one", "other")
    assert asked == [(fold, name) for fold in ("one", "other") for name in ("val", "test")]
