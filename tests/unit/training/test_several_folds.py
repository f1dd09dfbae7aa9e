"""Checks of all folds of a cross-validation, without training."""

from types import SimpleNamespace

import pytest

from ser.data.protocols import make_protocol
from ser.errors import InputError
from ser.training.experiment import Experiment
from ser.training.several_folds import check_beginning, check_tested_once, find_leaks
from tests.unit.training.test_cross_validation import SPEAKERS


@pytest.fixture
def data():
    """Ten speakers in five sessions."""
    return SimpleNamespace(utterances=SPEAKERS, rules=make_protocol("speaker"), allow_leaks=False)


def sets_of(data, *folds):
    return {fold: data.rules.sets(data.utterances, fold) for fold in folds}


def test_an_utterance_that_two_folds_test_is_refused_before_the_first_training(data):
    sets = sets_of(data, 1, 2)
    check_tested_once(data, sets)
    sets[2] = sets[2].mask(SPEAKERS.speaker == "a", "test")
    with pytest.raises(InputError, match="folds 1 and 2 both test utterance u0, but a pooled result counts"):
        check_tested_once(data, sets)


def test_initial_weights_may_have_heard_neither_who_validates_nor_who_is_tested(data, monkeypatch):
    asked, made, sets = [], Experiment.__new__(Experiment), sets_of(data, 2, 5)
    made.beginning, made.init_weights, made.checkpoint, made.data = object(), "w.ckpt", None, data
    monkeypatch.setattr("ser.training.experiment.doubts", lambda *_: [])
    monkeypatch.setattr(
        "ser.training.experiment.check_unheard",
        lambda weights, name, data, tested: asked.append((data.fold, data.utterances.set.tolist(), tested)),
    )
    check_beginning(made, sets)
    assert asked == [(fold, sets[fold].tolist(), tested) for fold in (2, 5) for tested in ("val", "test")]


@pytest.mark.parametrize("copied", [False, True])
def test_a_recording_in_two_sets_of_any_fold_is_refused(data, copied):
    data.recordings = [*"0123456789"]
    data.recordings[3] = "0" if copied else "3"  # recording 0 is in session 1, this one in session 2
    if copied:
        with pytest.raises(InputError, match="train and test share 1 recording: u3 = u0"):
            find_leaks(data, sets_of(data, 1, 2))
    else:
        between, leaks = find_leaks(data, sets_of(data, 1, 2))
        assert not any(between.values())
        assert leaks == {}
