"""One training for several folds, each with its own best epoch, evaluation and record."""

from types import SimpleNamespace

import pytest
from lightning import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from ser.training import session
from ser.training.callbacks.history import History
from ser.training.run import Run
from ser.training.tracking.tracking import Tracking


class Steps:
    """A run that only records its steps, with the fold and the other folds that are validated in each."""

    def __init__(self, folder, others):
        self.data, *more = (SimpleNamespace(fold=fold, others=[], corpus_digest="0") for fold in (2, *others))
        self.data.others = more
        self.folder, self.config, self.seen = folder / "fold2", {"data": {"fold": 2}}, []
        self.trainer = SimpleNamespace(loggers=["first"], callbacks=[])
        self.system, tracking = None, Tracking(name="my-fold2")
        self.experiment = SimpleNamespace(settings={"wandb": tracking})

    best = Run.best

    def record_config(self):
        for place, fold in enumerate((2, *(other.fold for other in self.data.others))):
            (self.folder.parent / f"fold{fold}").mkdir()
            (self.folder.parent / f"fold{fold}" / "metrics.csv").write_text(f"epoch,step,val/wa\n1,4,0.{place}\n")

    def train(self):
        self.seen.append(("train", self.data.fold, [other.fold for other in self.data.others]))

    def evaluate(self, path, *sets):
        place = path.relative_to(self.folder.parent).as_posix()
        self.seen.append((place, self.data.fold, self.data.others, *sets))

    def newest_checkpoint(self):
        return None

    def loggers(self):
        name = self.experiment.settings["wandb"].name
        logger = SimpleNamespace(log_hyperparams=lambda config: self.seen.append((name, config["data"]["fold"])))
        return [logger]


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """The recorded steps of a session with other folds, without training: steps(7, 9)."""

    def record(*others):
        run = Steps(tmp_path, others)
        monkeypatch.setattr(session, "headline", lambda system, data, folder: f"fold {data.fold} in {folder.name}")
        monkeypatch.setattr(session, "identity", lambda config, digest: {"fold": config["data"]["fold"]})
        monkeypatch.setattr(
            session, "claim_folder", lambda folder, config, known: run.seen.append((folder.name, known["fold"]))
        )
        monkeypatch.setattr(session, "watch", lambda trainer, folder, stage: run.seen.append((stage, folder.name)))
        monkeypatch.setattr(
            session, "_share_epochs", lambda here, there, data, known: run.seen.append(("share", data.fold, known))
        )
        monkeypatch.setattr(
            session, "record_epochs", lambda loggers, rows: run.seen.extend((run.folder.name, row) for row in rows)
        )
        monkeypatch.setattr(session, "finish", lambda: run.seen.append(("finish",)))
        session.session(run, {fold: tmp_path / f"fold{fold}" for fold in others})
        return run.seen

    return record


def test_all_are_validated_in_the_training_and_each_by_itself_afterwards(steps):
    assert steps(7, 9) == [
        *(("fold7", 7), ("val_fold7", "fold7"), ("fold9", 9), ("val_fold9", "fold9")),
        ("train", 2, [7, 9]),
        *(("share", 7, {"fold": 7}), ("share", 9, {"fold": 9})),
        ("fold2/checkpoints/best.ckpt", 2, [], "val", "test"),
        *(("finish",), ("my-fold7", 7), ("fold7", {"epoch": 1, "step": 4, "val/wa": 0.1})),
        ("fold7/checkpoints/best.ckpt", 7, [], "val", "test"),
        *(("finish",), ("my-fold9", 9), ("fold9", {"epoch": 1, "step": 4, "val/wa": 0.2})),
        ("fold9/checkpoints/best.ckpt", 9, [], "val", "test"),
    ]


def test_each_fold_has_checkpoints_and_a_record_of_its_own(tmp_path):
    """The callbacks of other folds come before the run's last checkpoint, which contains the state of all."""
    history, best, last = History(tmp_path), ModelCheckpoint(), ModelCheckpoint()
    trainer = SimpleNamespace(callbacks=[history, Callback(), best, last], checkpoint_callback=best)
    for fold in (7, 9):
        session.watch(trainer, tmp_path / str(fold), f"val_fold{fold}")
    (_, second, first, _, one, other, *own) = trainer.callbacks
    assert own == [best, last]
    for fold, curve, kept in ((7, first, one), (9, second, other)):
        assert (kept.monitor, kept.mode, kept.save_top_k) == (f"val_fold{fold}/wa", "max", 1)
        assert kept.dirpath == str(tmp_path / str(fold) / "checkpoints")
        assert (curve.path, curve.prefix) == (tmp_path / str(fold) / "metrics.csv", f"val_fold{fold}")
        assert curve.history == history
    assert first.state_key != second.state_key


@pytest.mark.parametrize(("known", "kept"), [((7,), False), ((7, 9), True), ((7, 9, 10), True), ((), False)])
def test_a_training_of_fewer_folds_is_not_continued(tmp_path, known, kept):
    history = History(tmp_path)
    watching = [session.OtherHistory(tmp_path, history, f"val_fold{fold}") for fold in (7, 9)]
    states = {session.OtherHistory(tmp_path, history, f"val_fold{fold}").state_key: {} for fold in known}
    path = tmp_path / "last.ckpt"
    path.touch()
    run = SimpleNamespace(
        trainer=SimpleNamespace(callbacks=[history, *watching]),
        newest_checkpoint=lambda: (path, {"callbacks": states}) if path.exists() else None,
    )
    session._drop_incomplete(run)
    assert path.exists() == kept
