"""Checks before the first trial, without a corpus: every fold, every corpus, all initial weights."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from ser.data.protocols import make_protocol
from ser.errors import InputError
from ser.sweep.study.check import check_runs
from ser.sweep.study.plan import LAMBDA
from ser.sweep.study.space import Space
from tests.unit.sweep.workers.test_trial import make_plan

CONFIG = {
    "model": {"class_path": "x.A", "init_args": {"dropout": 0.5, "lambda_": 0.6}},
    "data": {"batch_size": 16, "fold": 1, "seed": 1},
    **{"seed_everything": 1, "out": "somewhere", "config": None},
}


class Corner:
    """An experiment of `corners_of`, on a corpus of five sessions of two speakers."""

    def __init__(self, protocol="speaker", weights=None, read=None):
        speakers = [f"{session}{letter}" for session in range(1, 6) for letter in "FM"]
        table = pd.DataFrame({"session": list("1122334455") * 2, "speaker": speakers * 2, "emotion": "sad"})
        table = table.assign(utterance=[f"u{row}" for row in range(20)], dialog_half=["F"] * 10 + ["M"] * 10)
        self.data = SimpleNamespace(utterances=table, protocol=protocol, corpus_digest="c0ffee", allow_leaks=False)
        self.data.rules, self.data.recordings = make_protocol(protocol), [*range(20)]
        self.options = SimpleNamespace(plain=lambda: CONFIG, words=["--init_weights", weights])
        self.init_weights, self.read = weights, [] if read is None else read

    def read_corpus(self):
        self.read.append(self)


@pytest.mark.parametrize(
    ("protocol", "folds", "refused"),
    [
        ("speaker", (1, 2, 3, 4, 5), None),
        ("speaker", (6, 10), None),
        ("speaker", (5, 6), None),
        ("speaker", (1, 5, 6), "fold 1 validates utterances that fold 6 tests.* Leave out one"),
        ("speaker", (5, 10), "fold 5 validates utterances that fold 10 tests"),
        ("one_speaker", (1, 3, 5), None),
        ("one_speaker", (1, 2), "fold 1 validates utterances that fold 2 tests"),
        ("speaker", (0, 1), "there is no fold 0; protocol speaker has 1 to 10"),
        ("speaker", (10, 11), "there is no fold 11"),
        ("wu2019", (1, 5), None),
        ("wu2019", (5, 6), "there is no fold 6; protocol wu2019 has 1 to 5"),
    ],
)
def test_no_fold_tests_who_validates_in_another(protocol, folds, refused):
    plan = make_plan(folds=folds)
    if refused:
        with pytest.raises(InputError, match=refused):
            check_runs(plan, [Corner(protocol)])
    else:
        assert check_runs(plan, [Corner(protocol)])["corpus"] == "c0ffee"


@pytest.mark.parametrize(
    ("varied", "number"), [("data.corpus.csv", 2), ("data.corpus", 2), ("data", 2), ("data.batch_size", 1)]
)
def test_every_corpus_that_a_trial_may_read_is_read(varied, number):
    space, read = Space({varied: CategoricalDistribution(("a", "b"))}), []
    corners = [Corner(read=read), Corner(read=read)]
    check_runs(make_plan(space=space), corners)
    assert read == corners[:number]


@pytest.mark.parametrize(
    ("varied", "choose_lambda", "known"),
    [
        (("model.dropout",), False, {"model", LAMBDA, "data.batch_size"}),
        (("model.dropout", "data.batch_size"), True, {"model"}),
        (("model",), False, {"data.batch_size"}),
    ],
)
def test_the_identity_is_all_that_the_trials_have_in_common(varied, choose_lambda, known):
    space = Space({name: FloatDistribution(0, 1) for name in varied})
    found = check_runs(make_plan(space=space, choose_lambda=choose_lambda), [Corner()])["config"]
    assert {"model" if name == "model.class_path" else name for name in found} == known


class Trained(Corner):
    """An experiment whose initial weights were trained on the test speaker of fold 3."""

    beginning = "initial weights"

    def __init__(self, weights, checked):
        super().__init__(weights=weights)
        self.checked = checked

    def check_beginning(self, data):
        tested = data.utterances.speaker[data.utterances.set == "test"].unique().tolist()
        self.checked.append((self.init_weights, data.fold, tested))
        if "3F" in tested:
            raise InputError("it was trained on speaker 3F")

    def doubts(self, data):
        return ["trained by another version"]


def test_first_weights_are_checked_for_every_fold_and_every_file(capsys):
    checked, plan = [], make_plan(folds=(1, 2))
    files = [Trained(weights, checked) for weights in ("b.ckpt", "a.ckpt", "b.ckpt")]
    check_runs(plan, [files[0], Corner(), *files[1:]])
    folds = [(1, ["1F"]), (2, ["2F"])]
    assert checked == [(path, *fold) for path in ("a.ckpt", "b.ckpt") for fold in folds]
    assert capsys.readouterr().err == 2 * "ser: warning: trained by another version\n"
    with pytest.raises(InputError, match="study s, fold 3: it was trained on speaker 3F"):
        check_runs(replace(plan, folds=(2, 3)), [Trained("a.ckpt", [])])


def test_folds_that_leak_are_refused_before_the_first_trial():
    corner = Corner()
    corner.data.recordings[2] = 0
    with pytest.raises(InputError, match=r"study s, fold 1: training, validation and test share .*speaker.* does not"):
        check_runs(make_plan(folds=(1,)), [corner])
