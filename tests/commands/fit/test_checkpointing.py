"""The kept checkpoints and their evaluation, for trainings with given scores."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from lightning import LightningModule, Trainer
from torch.utils.data import DataLoader

from ser.checkpoint import reading as checkpoint
from ser.emotions import EMOTIONS
from ser.errors import InputError
from ser.results.predictions import posterior_columns
from ser.systems.system import SWAPPED
from ser.training import evaluation, run
from ser.training.callbacks.checkpointing import AtomicCheckpointIO, checkpoints
from ser.training.callbacks.predictions import Predictions
from ser.training.run import Run
from tests.made_up.hits import predictions

RISING = [0.5, 0.6, 0.7, 0.8]


class Given(LightningModule):
    """A training with given validation scores, one per epoch."""

    def __init__(self, **scores):
        super().__init__()
        self.scores, self.weight = scores, torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, batch_idx):
        return self.weight.sum()

    def validation_step(self, batch, batch_idx): ...

    def on_train_epoch_end(self):
        self.log("epoch", float(self.current_epoch + 1))

    def on_validation_epoch_end(self):
        for name, values in self.scores.items():
            self.log(f"{name}/wa", values[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def kept(callbacks, last=4, begun=None, **scores) -> None:
    silent = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    limits = {"max_epochs": last, "num_sanity_val_steps": 0, "accelerator": "cpu"}
    one, going_on = DataLoader([0]), {"ckpt_path": begun, "weights_only": True}
    Trainer(callbacks=callbacks, **limits, **silent).fit(Given(**scores), one, one, **going_on)


def epochs(folder) -> dict[str, int]:
    """The epoch of each checkpoint, counted from 1."""
    return {path.stem: torch.load(path, weights_only=True)["epoch"] + 1 for path in folder.glob("*.ckpt")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("scores", "best"),
    [([0.5, 0.8, 0.6, 0.4], 2), ([0.5, 0.7, 0.7, 0.6], 2), ([0.7, 0.7, 0.7, 0.7], 1), (RISING, 4), (RISING[::-1], 1)],
)
def test_the_first_of_the_best_epochs_is_kept_and_the_last(scores, best, tmp_path):
    kept(checkpoints(tmp_path), val=scores)
    assert epochs(tmp_path) == {"best": best, "last": 4}


@pytest.mark.filterwarnings("ignore")
def test_each_direction_has_the_best_epoch_of_its_own_speaker(tmp_path):
    swapped, *_ = checkpoints(tmp_path / "swapped", monitor=f"{SWAPPED}/wa")
    kept([swapped, *checkpoints(tmp_path / "own")], val=RISING, val_swapped=[0.5, 0.9, 0.7, 0.6])
    assert epochs(tmp_path / "swapped") == {"best": 2}
    assert epochs(tmp_path / "own") == {"best": 4, "last": 4}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", [1, 3])
def test_as_many_last_epochs_are_kept_as_are_averaged(number, tmp_path):
    kept(checkpoints(tmp_path, number), val=RISING[::-1])
    assert epochs(tmp_path) == {"best": 1, "last": 4} | {f"epoch={each}": each for each in range(5 - number, 5)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("scores", "best"), [([0.5, 0.8, 0.6, 0.4], 2), ([0.5, 0.8, 0.6, 0.9], 4)])
@pytest.mark.parametrize("moved", [False, True])
def test_going_on_after_an_interruption_keeps_the_best_epoch_of_all(moved, scores, best, tmp_path):
    folder = tmp_path / "first"
    kept(checkpoints(folder), last=2, val=scores)
    if moved:
        folder = folder.rename(tmp_path / "second")
    kept(checkpoints(folder), begun=folder / "last.ckpt", val=scores)
    assert epochs(folder) == {"best": best, "last": 4}


@pytest.mark.filterwarnings("ignore")
def test_the_last_checkpoint_knows_the_best_epoch_of_all(tmp_path):
    """A continued training must not forget the score of this epoch."""
    kept(checkpoints(tmp_path), val=RISING)
    states = torch.load(tmp_path / "last.ckpt", weights_only=True)["callbacks"].values()
    assert [float(each["best_model_score"]) for each in states if each["monitor"] == "val/wa"] == pytest.approx([0.8])


@pytest.mark.parametrize("wrong", [float("inf"), float("-inf"), float("nan")])
def test_a_checkpoint_with_one_weight_that_is_no_number_is_not_written(wrong, tmp_path):
    state = {"first": torch.ones(3), "second": torch.tensor([0, wrong])}
    with pytest.raises(InputError, match="the weights are NaN or infinite after step 7"):
        AtomicCheckpointIO().save_checkpoint({"state_dict": state, "global_step": 7}, tmp_path / "x.ckpt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("last", "within", "newest"), [(10, 7, "last"), (10, 13, "within"), (None, 3, "within")])
def test_a_training_goes_on_from_the_checkpoint_with_most_steps(last, within, newest, tmp_path, monkeypatch):
    steps = {name: value for name, value in (("last", last), ("within", within)) if value}
    for name in steps:
        (tmp_path / f"{name}.ckpt").touch()
    monkeypatch.setattr(checkpoint, "read_checkpoint", lambda path: {"global_step": steps[path.stem]})
    assert checkpoint.newest(tmp_path) == (tmp_path / f"{newest}.ckpt", {"global_step": steps[newest]})


def table(posterior: list[float]) -> pd.DataFrame:
    row = predictions([True]).assign(predicted=EMOTIONS[max(range(4), key=posterior.__getitem__)])
    return row.assign(**dict(zip(posterior_columns(), posterior, strict=True)))


class FakeTrainer:
    """Its evaluation returns the system's weights as the posterior."""

    def __init__(self):
        self.callbacks, self.loggers, self.max_epochs, self.is_global_zero = [Predictions()], [], 5, True

    def test(self, system, **options):
        self.callbacks[0].tables["test"] = table(system.weights)
        return [{}]


@pytest.fixture
def files(monkeypatch):
    """Checkpoints whose weights are posteriors; the system has those of the last epoch."""
    weights = {"best": [0.1, 0, 0.9, 0], "epoch=3": [0.8, 0.2, 0, 0], "epoch=4": [0.3, 0.7, 0, 0]}
    weights |= {"epoch=5": [0.1, 0.9, 0, 0]}

    def put_weights(system, checkpoint, path):
        system.weights = checkpoint

    monkeypatch.setattr(evaluation, "load_weights", lambda system, path: put_weights(system, weights[path.stem], path))
    monkeypatch.setattr(run, "read_checkpoint", lambda path: weights[path.stem])
    monkeypatch.setattr(run, "put_weights", put_weights)
    return SimpleNamespace(weights=[0, 0, 0, 1.0])


def evaluated(system, path, number):
    """The recorded tables: of a checkpoint and of the average."""
    recorded = []
    made = SimpleNamespace(trainer=FakeTrainer(), system=system, data=None, epochs_averaged=number)
    made.experiment = SimpleNamespace(checkpoint=None)
    made.record = lambda path, checkpoint, tables, averaged: recorded.extend([tables, averaged])
    Run.evaluate(made, path, "test")
    return recorded


def test_what_is_evaluated_is_the_checkpoint_and_not_the_last_epoch(files, tmp_path):
    best, averaged = evaluated(files, tmp_path / "best.ckpt", 0)
    assert best["test"][posterior_columns()].to_numpy().tolist() == [[0.1, 0, 0.9, 0]]
    assert averaged == {}


@pytest.mark.parametrize(("number", "mean"), [(1, [0.1, 0.9, 0, 0]), (3, [0.4, 0.6, 0, 0])])
def test_so_many_last_epochs_are_averaged_beside_the_best(files, tmp_path, number, mean):
    best, averaged = (tables["test"] for tables in evaluated(files, tmp_path / "best.ckpt", number))
    assert best[posterior_columns()].to_numpy().tolist() == [[0.1, 0, 0.9, 0]]
    assert averaged[posterior_columns()].to_numpy()[0] == pytest.approx(mean)
    assert averaged.predicted.tolist() == ["angry"]


@pytest.mark.parametrize(("fitting", "epochs", "averaged"), [(True, 20, 3), (False, None, 0)])
def test_a_result_counts_the_epoch_of_its_checkpoint_from_1(monkeypatch, fitting, epochs, averaged):
    """Lightning counts from 0: the checkpoint of the seventh epoch contains a 6."""
    for name in ("entries", "training_record", "device_name"):
        monkeypatch.setattr(run, name, lambda given: given)
    options = SimpleNamespace(config={"seed_everything": 5})
    made = SimpleNamespace(system=SimpleNamespace(hparams={}), fitting=fitting, epochs_averaged=3)
    made.experiment = SimpleNamespace(init_weights=None, options=options, doubts=lambda data, sets: [*sets])
    made.trainer = SimpleNamespace(max_epochs=20, strategy=SimpleNamespace(root_device="cpu"))
    made.data = SimpleNamespace(utterances=pd.DataFrame({"set": [], "emotion": []}))
    about = Run._about(made, {"epoch": 6}, ("test",), bool(averaged))
    assert (about["epoch"], about["epochs"], about["epochs_averaged"]) == (7, epochs, averaged)
    assert (about["seed"], about["warnings"]) == (5, ["val", "test"] if fitting else ["test"])


@pytest.mark.parametrize("steps", [0, 9, 11])
def test_a_training_that_did_not_make_all_its_steps_is_no_result(steps):
    trainer = SimpleNamespace(max_epochs=5, fit=lambda *_, **options: None, global_step=steps, is_global_zero=True)
    run = SimpleNamespace(trainer=trainer, data=SimpleNamespace(steps_per_epoch=2), system=None, newest_checkpoint=list)
    with pytest.raises(InputError, match=f"the training made {steps} steps instead of 10"):
        Run.train(run)
