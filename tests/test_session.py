"""One training for both directions: each chooses, is evaluated and is recorded for itself."""

from types import SimpleNamespace

import pytest
from lightning import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from ser.training import session
from ser.training.callbacks.history import History
from ser.training.run import RunCLI
from ser.training.session import SessionCLI


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """The steps of a session's `fit`, with what each of them sees; nothing is trained."""
    seen = []
    cli = SessionCLI.__new__(SessionCLI)
    here, there = (SimpleNamespace(validated=("val",), fold=fold) for fold in (2, 7))
    here.other_direction = lambda: there
    cli.datamodule, cli.folder, cli.folder_swapped = here, tmp_path / "here", tmp_path / "there"
    cli.trainer, cli.config_init = SimpleNamespace(loggers=["first"]), {}
    tracking = SimpleNamespace(loggers=lambda folder, tags: [f"W&B of {folder.name}"])
    replaced = {
        "_get": lambda self, config, name: tracking,
        "_tags": lambda self: [],
        "_record_config": lambda self: None,
        "_record_swapped_config": lambda self, other: None,
        "_train": lambda self: seen.append(("train", self.datamodule.fold, self.datamodule.validated)),
        "_complete_swapped": lambda self: seen.append(("complete",)),
        "_replay_metrics": lambda self: seen.append(("replay", self.folder.name)),
        "_evaluate": lambda self, path, sets: seen.append(
            (path.relative_to(tmp_path).as_posix(), self.datamodule.fold, self.datamodule.validated, *sets)
        ),
    }
    for name, function in replaced.items():
        monkeypatch.setattr(SessionCLI, name, function)
    monkeypatch.setattr(session, "finish", lambda: seen.append(("finish",)))
    cli.fit()
    return seen


def test_both_are_validated_in_the_training_and_each_on_its_own_speaker_afterwards(steps):
    assert steps == [
        ("train", 2, ("val", "test")),
        ("complete",),
        ("here/checkpoints/best.ckpt", 2, ("val",), "val", "test"),
        ("finish",),
        ("replay", "there"),
        ("there/checkpoints/best.ckpt", 7, ("val",), "val", "test"),
    ]


def test_each_direction_has_checkpoints_and_a_record_of_its_own(monkeypatch, tmp_path):
    """The other direction's stand before the last of this one, which holds what all have chosen."""
    history, best, last = History(tmp_path), ModelCheckpoint(), ModelCheckpoint()
    trainer = SimpleNamespace(callbacks=[history, Callback(), best, last], checkpoint_callback=best)
    monkeypatch.setattr(RunCLI, "instantiate_trainer", lambda self: trainer)
    cli = SessionCLI.__new__(SessionCLI)
    cli.config, cli.subcommand, cli.history = {"fit": {"out_swapped": str(tmp_path / "there")}}, "fit", history
    assert cli.instantiate_trainer() is trainer
    (_, curve, _, swapped, *own) = trainer.callbacks
    assert own == [best, last]
    assert (swapped.monitor, swapped.mode, swapped.save_top_k) == ("val_swapped/wa", "max", 1)
    assert swapped.dirpath == str(tmp_path / "there" / "checkpoints")
    assert (curve.path, curve.prefix, curve.history) == (tmp_path / "there" / "metrics.csv", "val_swapped", history)
