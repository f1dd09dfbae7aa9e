"""Evaluation and record of a run: its checkpoint, the average of its last epochs, and all its steps."""

from types import SimpleNamespace

import pandas as pd
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.predictions import posterior_columns
from ser.training import evaluation, run
from ser.training.callbacks.predictions import Predictions
from ser.training.run import Run, validated
from tests.made_up.hits import predictions


def table(posterior: list[float]) -> pd.DataFrame:
    row = predictions([True]).assign(predicted=PAPER_EMOTIONS[max(range(4), key=posterior.__getitem__)])
    return row.assign(**dict(zip(posterior_columns(PAPER_EMOTIONS), posterior, strict=True)))


class FakeTrainer:
    """A trainer whose evaluation returns the system's weights as the posterior."""

    def __init__(self):
        self.callbacks, self.loggers, self.max_epochs, self.is_global_zero = [Predictions()], [], 5, True

    def test(self, system, **options):
        self.callbacks[0].tables["test"] = table(system.weights)
        return [{}]


@pytest.fixture
def files(monkeypatch):
    """Checkpoints whose weights are posteriors; the system has those of the last epoch of a training."""
    weights = {"best": [0.1, 0, 0.9, 0], "epoch=3": [0.8, 0.2, 0, 0], "epoch=4": [0.3, 0.7, 0, 0]}
    weights |= {"epoch=5": [0.1, 0.9, 0, 0]}

    def put_weights(system, checkpoint, path):
        system.weights = checkpoint

    monkeypatch.setattr(evaluation, "load_weights", lambda system, path: put_weights(system, weights[path.stem], path))
    monkeypatch.setattr(run, "read_checkpoint", lambda path: weights[path.stem])
    monkeypatch.setattr(run, "put_weights", put_weights)
    return SimpleNamespace(weights=[0, 0, 0, 1.0])


def evaluated(system, path, number):
    """The recorded tables of a checkpoint and of the average."""
    recorded = []
    made = SimpleNamespace(trainer=FakeTrainer(), system=system, data=None, epochs_averaged=number)
    made.experiment = SimpleNamespace(checkpoint=None)
    made.record = lambda path, checkpoint, tables, averaged: recorded.extend([tables, averaged])
    Run.evaluate(made, path, "test")
    return recorded


def test_what_is_evaluated_is_the_checkpoint_and_not_the_last_epoch(files, tmp_path):
    best, averaged = evaluated(files, tmp_path / "best.ckpt", 0)
    assert best["test"][posterior_columns(PAPER_EMOTIONS)].to_numpy().tolist() == [[0.1, 0, 0.9, 0]]
    assert averaged == {}


@pytest.mark.parametrize(("number", "mean"), [(1, [0.1, 0.9, 0, 0]), (3, [0.4, 0.6, 0, 0])])
def test_so_many_last_epochs_are_averaged_beside_the_best(files, tmp_path, number, mean):
    best, averaged = (tables["test"] for tables in evaluated(files, tmp_path / "best.ckpt", number))
    assert best[posterior_columns(PAPER_EMOTIONS)].to_numpy().tolist() == [[0.1, 0, 0.9, 0]]
    assert averaged[posterior_columns(PAPER_EMOTIONS)].to_numpy()[0] == pytest.approx(mean)
    assert averaged.predicted.tolist() == ["angry"]


@pytest.mark.parametrize(("fitting", "epochs", "averaged"), [(True, 20, 3), (False, None, 0)])
def test_a_result_counts_the_epoch_of_its_checkpoint_from_1(monkeypatch, fitting, epochs, averaged):
    """Lightning counts from 0: the checkpoint of the seventh epoch contains 6."""
    for name in ("entries", "training_record", "device_name"):
        monkeypatch.setattr(run, name, lambda given: given)
    options = SimpleNamespace(config={"seed_everything": 5})
    made = SimpleNamespace(system=SimpleNamespace(hparams={}), fitting=fitting, epochs_averaged=3)
    made.experiment = SimpleNamespace(init_weights=None, options=options, doubts=lambda data, sets: [*sets])
    made.trainer = SimpleNamespace(max_epochs=20, strategy=SimpleNamespace(root_device="cpu"))
    made.data = SimpleNamespace(warnings=["small"], leaks=["shared"])
    about = Run._about(made, {"epoch": 6}, ("test",), bool(averaged))
    assert (about["epoch"], about["epochs"], about["epochs_averaged"]) == (7, epochs, averaged)
    assert (about["seed"], about["leaks"]) == (5, ["shared"])
    assert about["warnings"] == (["val", "test", "small"] if fitting else ["test"])


@pytest.mark.parametrize("steps", [0, 9, 11])
def test_a_training_that_did_not_make_all_its_steps_is_no_result(steps):
    trainer = SimpleNamespace(max_epochs=5, fit=lambda *_, **options: None, global_step=steps, is_global_zero=True)
    run = SimpleNamespace(trainer=trainer, data=SimpleNamespace(steps_per_epoch=2), system=None, newest_checkpoint=list)
    with pytest.raises(InputError, match=f"the training made {steps} steps instead of 10"):
        Run.train(run)


def test_a_trial_of_a_study_looks_at_its_validation_set_alone(tmp_path):
    done = []
    run = SimpleNamespace(best=tmp_path / "best.ckpt", record_config=lambda: done.append("record"))
    run.train, run.evaluate = lambda: done.append("train"), lambda *given: done.append(given)
    validated(run)
    assert done == ["record", "train", (tmp_path / "best.ckpt", "val")]
