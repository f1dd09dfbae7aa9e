"""A run goes on from its own checkpoints alone, wherever its folder lies."""

import shutil
import signal

import pytest
import torch

from tests.slow.faults.kills import differences
from tests.slow.faults.runs import Moment, Run, fit_options, write_corpus

STEPS = 5  # of an epoch


@pytest.fixture(scope="module")
def table(built_in, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"), built_in)


def end(arguments: list[str], log, moment: Moment | None = None, code: int = 0) -> str:
    assert Run(arguments, log, moment).code() == code, log.read_text()
    return log.read_text()


def after(epochs: int) -> Moment:
    return Moment("on_train_epoch_start", epochs * STEPS)


def test_a_run_whose_folder_was_moved_keeps_its_best_epoch(table, tmp_path):
    def options(name: str) -> list[str]:
        return fit_options("cnn_gru", table, tmp_path / name, **{"model.learning_rate": 0.02})

    log = tmp_path / "log"
    end(options("whole"), log)
    end(options("before"), log, after(epochs=2), -signal.SIGKILL)
    (tmp_path / "before").rename(tmp_path / "moved")
    said = end(options("moved"), log)
    assert "continues   from" in said
    assert "dirpath" not in said  # Lightning's warning that it has forgotten the best epoch
    assert not list(differences(tmp_path / "whole", tmp_path / "moved"))


def test_another_runs_checkpoint_is_not_continued(table, tmp_path):
    here, there, log = tmp_path / "here", tmp_path / "there", tmp_path / "log"
    options = fit_options("cnn_gru", table, here)
    end(options, log, after(epochs=1), -signal.SIGKILL)
    other = {"data.fold": 2, "seed_everything": 9, "model.dropout": 0.1}
    end(fit_options("cnn_gru", table, there, **other), log, after(epochs=1), -signal.SIGKILL)
    (here / "checkpoints" / "within.ckpt").unlink()
    path = here / "checkpoints" / "last.ckpt"
    own = torch.load(path, weights_only=True)
    shutil.copy(there / "checkpoints" / "last.ckpt", path)
    said = end(options, log, code=2)
    assert f"ser: {path}: belongs to a run that was started with other options, data or code" in said
    for line in (
        "data.fold: 2 there, 1 here",
        "seed_everything: 9 there, 1 here",
        "model.dropout: 0.1 there, 0.5 here",
    ):
        assert line in said
    for identity in (None, {}, {"config": 1, "versions": {}}, []):
        torch.save(own | {"identity": identity}, path)
        assert f"ser: {path}: does not say which run it belongs to" in end(options, log, code=2)
    torch.save(own, path)
    assert "continues   from" in end(options, log)
