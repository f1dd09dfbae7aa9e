"""The predictions table of an evaluation, gathered from batches and processes."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns
from ser.training.callbacks.predictions import Predictions

POSTERIORS = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.2, 0.2, 0.1, 0.5], [0.1, 0.1, 0.8, 0.0]])
UTTERANCES = pd.DataFrame(
    {
        "utterance": ["a", "b", "c", "d", "e"],
        "speaker": ["x", "x", "y", "y", "x"],
        "session": "1",
        "emotion": PAPER_EMOTIONS[0],
        "set": ["test", "test", "val", "test", "test"],
    }
)
ROWS = [0, 1, 3, 4]  # rows of the test set


def trainer(**changes) -> SimpleNamespace:
    data = SimpleNamespace(utterances=UTTERANCES, fold=3, emotions=PAPER_EMOTIONS)
    given = {"state": SimpleNamespace(fn="test"), "world_size": 1, "datamodule": data}
    return SimpleNamespace(**given | changes)


def collect(callback: Predictions, rows: list[int], **changes) -> None:
    """Collect one batch of test utterances and filler, in any order."""
    posterior = torch.stack([POSTERIORS[ROWS.index(row)] if row >= 0 else torch.zeros(4) for row in rows])
    batch = SimpleNamespace(utterance=torch.tensor(rows))
    outputs = {"": posterior, "gru": posterior.flip(1)}
    callback.on_test_batch_end(trainer(**changes), None, outputs, batch, 0)


def test_every_utterance_has_its_own_posterior_whatever_its_batch():
    callback = Predictions()
    collect(callback, [4, -1, 0])
    collect(callback, [3, 1, -1])
    callback.on_test_epoch_end(trainer(), None)
    found = callback.tables["test"]
    assert found.utterance.tolist() == ["a", "b", "d", "e"]
    assert found.speaker.tolist() == ["x", "x", "y", "x"]
    assert found.predicted.tolist() == ["neutral", "angry", "sad", "happy"]
    assert (found.fold == 3).all()
    torch.testing.assert_close(torch.tensor(found[posterior_columns(PAPER_EMOTIONS)].to_numpy()), POSTERIORS)
    torch.testing.assert_close(
        torch.tensor(found[posterior_columns(PAPER_EMOTIONS, "gru")].to_numpy()), POSTERIORS.flip(1)
    )


@pytest.mark.parametrize(
    ("own", "others", "whole"),
    [([0, 3], [4, 1], True), ([0, 3], [4], False), ([0, 3], [4, 1, 3], False), ([0, 1, 3, 4], [0], False)],
)
def test_each_utterance_is_predicted_by_one_process(own, others, whole, monkeypatch):
    here, there = Predictions(), Predictions()
    collect(here, own)
    collect(there, others)

    def all_gather_object(parts, rows):
        parts[:] = [rows, there._rows]

    monkeypatch.setattr(torch.distributed, "all_gather_object", all_gather_object)
    if whole:
        here.on_test_epoch_end(trainer(world_size=2), None)
        assert here.tables["test"].predicted.tolist() == ["neutral", "angry", "sad", "happy"]
    else:
        with pytest.raises(RuntimeError, match=f"test: {len(own) + len(others)} predictions for 4 utterances"):
            here.on_test_epoch_end(trainer(world_size=2), None)


def test_the_validation_during_a_training_leaves_no_table():
    callback = Predictions()
    fitting = {"state": SimpleNamespace(fn="fit")}
    collect(callback, [0, 1], **fitting)
    callback.on_test_epoch_end(trainer(**fitting), None)
    assert not callback.tables
    assert not callback._rows
