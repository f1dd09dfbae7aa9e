"""The epochs whose checkpoints are kept, in trainings with given validation scores."""

import pytest
import torch
from lightning import LightningModule, Trainer
from torch.utils.data import DataLoader

from ser.errors import InputError
from ser.systems.system import validation_of
from ser.training.callbacks.checkpointing import AtomicCheckpointIO, checkpoints

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
def test_each_fold_has_the_best_epoch_of_its_own_speakers(tmp_path):
    other, *_ = checkpoints(tmp_path / "other", monitor=f"{validation_of(6)}/wa")
    kept([other, *checkpoints(tmp_path / "own")], val=RISING, val_fold6=[0.5, 0.9, 0.7, 0.6])
    assert epochs(tmp_path / "other") == {"best": 2}
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
    """A continued training needs the score of that epoch."""
    kept(checkpoints(tmp_path), val=RISING)
    states = torch.load(tmp_path / "last.ckpt", weights_only=True)["callbacks"].values()
    assert [float(each["best_model_score"]) for each in states if each["monitor"] == "val/wa"] == pytest.approx([0.8])


@pytest.mark.parametrize("wrong", [float("inf"), float("-inf"), float("nan")])
def test_a_checkpoint_with_one_weight_that_is_no_number_is_not_written(wrong, tmp_path):
    state = {"first": torch.ones(3), "second": torch.tensor([0, wrong])}
    with pytest.raises(InputError, match="the weights are NaN or infinite after step 7"):
        AtomicCheckpointIO().save_checkpoint({"state_dict": state, "global_step": 7}, tmp_path / "x.ckpt")
    assert not list(tmp_path.iterdir())
