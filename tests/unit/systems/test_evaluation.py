"""Evaluation of a system: each set is scored separately, and statistics are only measured if needed."""

from types import SimpleNamespace

import pytest
import torch

from ser.data.datamodule import EmotionData
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.systems import CNNGRU
from ser.systems.metrics import EmotionScores
from ser.systems.system import System


def test_two_sets_that_are_validated_at_once_are_counted_apart(monkeypatch):
    """All utterances of the first set are recognised, and one of three in the second."""
    system, neutral = CNNGRU(gru_units=2), torch.tensor([9.0, 0, 0, 0])
    data = EmotionData(None)
    data.others = [SimpleNamespace(fold=6)]
    system._trainer = SimpleNamespace(datamodule=data)
    system.setup("validate")
    monkeypatch.setattr(System, "logits", lambda self, waveform, *given: {"gru": neutral.expand(len(waveform), -1)})
    for place, emotion in ((0, [0, 0]), (1, [0, 1]), (1, [2])):
        batch = SimpleNamespace(
            waveform=torch.zeros(len(emotion), 640), lengths=None, statistics=None, emotion=torch.tensor(emotion)
        )
        system.validation_step(batch, 0, place)
    assert [each.compute()["wa"].item() for each in system.scores] == pytest.approx([1, 1 / 3])
    assert all(isinstance(each, EmotionScores) for each in system.scores)


@pytest.mark.parametrize(
    ("stage", "statistics", "measured"),
    [("fit", "train", 1), ("fit", "speaker", 1), ("test", "speaker", 1), ("test", "train", 0), ("test", "corpus", 0)],
)
def test_when_the_audio_of_a_fold_is_measured(stage, statistics, measured, monkeypatch):
    """In a training; in a test only with statistics per speaker, which no checkpoint contains."""
    data, calls = EmotionData.__new__(EmotionData), []
    data.statistics, data.others, data.emotions = statistics, [], tuple(PAPER_EMOTIONS)
    monkeypatch.setattr("ser.systems.system.measure", lambda *given: calls.append(given) or torch.full((2, 512), 7.0))
    monkeypatch.setattr("ser.systems.system.entries_of_fold", lambda data, before: {})
    system = CNNGRU(gru_units=2)
    system._trainer = SimpleNamespace(datamodule=data)
    system.setup(stage)
    assert calls == measured * [(data, system.spectrogram)]
    assert bool((system.standardisation.statistics == 7).all()) == (stage == "fit"), "a test keeps the checkpoint's"


@pytest.mark.parametrize("emotions", [["neutral", "angry", "happy"], ["angry", "neutral", "happy", "sad"]])
def test_data_with_other_emotions_or_in_another_order_are_refused(emotions):
    data = EmotionData.__new__(EmotionData)
    data.statistics, data.emotions = "train", tuple(emotions)
    system = CNNGRU(gru_units=2)
    system._trainer = SimpleNamespace(datamodule=data)
    with pytest.raises(InputError, match=f"neutral, angry, happy, sad, but the data have {', '.join(emotions)}, in"):
        system.setup("test")
