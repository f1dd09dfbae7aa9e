"""The corpus digest of a fold, and the position at which a resumed training continues."""

from __future__ import annotations

from math import nan
from types import SimpleNamespace

import pandas as pd
import pytest

from ser.data.datamodule import EmotionData
from ser.errors import InputError

TABLE = pd.DataFrame(
    {
        **{"utterance": ["a", "b"], "path": ["1", "2"], "session": "", "speaker": ["x", "y"], "dialog_half": ""},
        **{"emotion": ["sad", "happy"], "start": nan, "end": nan, "seconds": 1.0, "set": "train"},
    }
)


def digest(recordings=("0a", "0b"), **changed):
    data = EmotionData(None)
    data.utterances, data.recordings = TABLE.assign(**changed), list(recordings)
    return data.corpus_digest


def test_the_digest_of_a_corpus_knows_names_labels_and_audio():
    others = [
        digest(emotion=["happy", "sad"]),
        digest(emotion=["sad", "sad"]),
        digest(speaker=["y", "x"]),
        digest(utterance=["a", "c"]),
        digest(session=[1, 2]),
        digest(seconds=[1.0, 2.0]),
        digest(end=[nan, 0.5]),
        digest(("0a", "0c")),
        digest(("0b", "0a")),
    ]
    assert len({digest(), *others}) == 10


def test_the_digest_of_a_corpus_knows_neither_its_place_nor_the_fold():
    assert digest(path=["elsewhere/1", "elsewhere/2"]) == digest(set=["val", "test"]) == digest()
    assert digest(gender=["F", "M"]) == digest(), "which older versions did not know"


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({}, 0),
        ({"trim_threshold_db": 40.0, "trim_margin_seconds": 0.1}, 0),
        ({"trim_threshold_db": 30.0}, 1),
        ({"trim_margin_seconds": 0.2}, 1),
        ({"trim_margin_seconds": 0.2, "trim_silence": True}, 0),
    ],
)
def test_a_threshold_without_trimming_is_warned_of(options, number):
    data = EmotionData(None, **options)
    data.utterances = TABLE
    assert sum("data.trim_silence is false" in line for line in data.warnings) == number


def trainer(world_size=1, sampler=False, epochs=0, batches=0):
    """The parts of a trainer that a fold uses, after some epochs and some batches of the next one."""
    done = [SimpleNamespace(current=SimpleNamespace(processed=number)) for number in (epochs, batches)]
    loop = SimpleNamespace(epoch_progress=done[0], epoch_loop=SimpleNamespace(batch_progress=done[1]))
    connector = SimpleNamespace(use_distributed_sampler=sampler)
    return SimpleNamespace(world_size=world_size, global_rank=0, fit_loop=loop, _accelerator_connector=connector)


@pytest.mark.parametrize(
    ("epochs", "batches", "expected"), [(0, 0, (0, 0)), (0, 2, (0, 2)), (2, 1, (2, 1)), (2, 3, (2, 0)), (7, 0, (7, 0))]
)
def test_a_restored_training_goes_on_behind_the_batches_of_its_epoch(epochs, batches, expected):
    """Three batches per epoch; if all three were trained, the next epoch is complete."""
    data = EmotionData(None, batch_size=16)
    data.pieces, data.trainer = {"train": range(40)}, trainer(epochs=epochs, batches=batches)
    assert data.steps_per_epoch == 3
    sampler = data.train_dataloader().sampler
    assert (sampler.epoch, sampler.position) == expected
    assert [len(list(sampler)) for _ in range(2)] == [3 - expected[1], 3], "the epoch after it is complete"


@pytest.mark.parametrize(("batch_size", "devices"), [(16, 3), (16, 32), (2, 4), (15, 2)])
def test_devices_that_cannot_share_a_batch_are_refused(batch_size, devices):
    with pytest.raises(InputError, match=rf"data\.batch_size is {batch_size}, but must be divisible by {devices}, the"):
        EmotionData(None, batch_size=batch_size).check_devices(trainer(devices))


def test_devices_share_batches_once():
    EmotionData(None, batch_size=16).check_devices(trainer(4))
    EmotionData(None, batch_size=16).check_devices(trainer(1, sampler=True))
    with pytest.raises(InputError, match="use_distributed_sampler must be false"):
        EmotionData(None, batch_size=16).check_devices(trainer(2, sampler=True))
