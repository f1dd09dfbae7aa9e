"""One training for both directions, each with its own best epoch, evaluation and record."""

from types import SimpleNamespace

import pytest
from lightning import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from ser.training import session
from ser.training.callbacks.history import History
from ser.training.run import Run


class Steps:
    """A run that only records its steps, with the fold and the validation sets of each."""

    def __init__(self, folder):
        here, there = (SimpleNamespace(validated=("val",), fold=fold, corpus_digest="0") for fold in (2, 7))
        here.other_direction = lambda: there
        self.data, self.folder, self.config, self.seen = here, folder / "here", {"data": {"fold": 2}}, []
        self.trainer = SimpleNamespace(loggers=["first"])

    best = Run.best

    def record_config(self):
        self.folder.mkdir()
        (self.folder / "metrics.csv").write_text("epoch,step,val/wa\n1,4,0.5\n")

    def train(self):
        self.seen.append(("train", self.data.fold, self.data.validated))

    def evaluate(self, path, *sets):
        place = path.relative_to(self.folder.parent).as_posix()
        self.seen.append((place, self.data.fold, self.data.validated, *sets))

    def newest_checkpoint(self):
        return None

    def loggers(self):
        logger = SimpleNamespace(log_hyperparams=lambda config: self.seen.append(("config", config["data"]["fold"])))
        logger.log_metrics = lambda row, step: self.seen.append((self.folder.name, row["val/wa"], step))
        return [logger]


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """The recorded steps of a session, without training."""
    run = Steps(tmp_path)
    monkeypatch.setattr(session, "identity", lambda config, digest: {"fold": config["data"]["fold"]})
    monkeypatch.setattr(session, "claim_folder", lambda folder, config, known: run.seen.append((folder.name, known)))
    monkeypatch.setattr(session, "watch", lambda trainer, folder: run.seen.append(("watch", folder.name)))
    monkeypatch.setattr(session, "_share_epochs", lambda here, there, known: run.seen.append(("share", known)))
    monkeypatch.setattr(session, "finish", lambda: run.seen.append(("finish",)))
    session.session(run, tmp_path / "there")
    return run.seen


def test_both_are_validated_in_the_training_and_each_on_its_own_speaker_afterwards(steps):
    assert steps == [
        ("there", {"fold": 7}),
        ("watch", "there"),
        ("train", 2, ("val", "test")),
        ("share", {"fold": 7}),
        ("here/checkpoints/best.ckpt", 2, ("val",), "val", "test"),
        ("finish",),
        ("config", 7),
        ("there", 0.5, 4),
        ("there/checkpoints/best.ckpt", 7, ("val",), "val", "test"),
    ]


def test_each_direction_has_checkpoints_and_a_record_of_its_own(tmp_path):
    """The other direction's callbacks come before this one's last checkpoint, which contains the state of all."""
    history, best, last = History(tmp_path), ModelCheckpoint(), ModelCheckpoint()
    trainer = SimpleNamespace(callbacks=[history, Callback(), best, last], checkpoint_callback=best)
    session.watch(trainer, tmp_path / "there")
    (_, curve, _, swapped, *own) = trainer.callbacks
    assert own == [best, last]
    assert (swapped.monitor, swapped.mode, swapped.save_top_k) == ("val_swapped/wa", "max", 1)
    assert swapped.dirpath == str(tmp_path / "there" / "checkpoints")
    assert (curve.path, curve.prefix, curve.history) == (tmp_path / "there" / "metrics.csv", "val_swapped", history)
