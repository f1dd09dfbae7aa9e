"""The trainings, results and messages of a cross-validation, without training."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import ser.training.cross_validation
from ser.data.protocols import make_protocol
from ser.errors import InputError
from ser.processes.jobs import Job
from ser.training.cross_validation import CrossValidation
from ser.training.experiment import Experiment
from tests.made_up.hits import predictions

SPEAKERS = pd.DataFrame({"session": list("1122334455"), "speaker": list("abcdefghij")}).assign(
    emotion="sad", utterance=[f"u{row}" for row in range(10)], dialog_half=""
)


def planned(tmp_path, finished=(), *, protocol="speaker", folds=range(1, 11), seeds=(1,)):
    """A cross-validation of ten speakers in five sessions, with some finished runs."""
    made = CrossValidation.__new__(CrossValidation)
    rules = make_protocol(protocol)
    made.data = SimpleNamespace(utterances=SPEAKERS, protocol=protocol, rules=rules, allow_leaks=False, corpus=None)
    made.folder, made.group, made.tracking = tmp_path, "group", SimpleNamespace(name=None)
    made.folds, made.seeds = list(folds), list(seeds)
    made.failures, made.unfinished, made.command, made.leaks = {}, set(), "ser crossval", {}
    made._is_finished = lambda seed, fold: (seed, fold) in finished
    return made


def value_of(job, option):
    return job.arguments[job.arguments.index(option) + 1]


@pytest.mark.parametrize(
    ("protocol", "finished", "started"),
    [
        ("speaker", [], [[1, 6], [2, 7], [3, 8], [4, 9], [5, 10]]),
        ("speaker", [2, 8], [[1, 6], [7], [3], [4, 9], [5, 10]]),
        ("speaker", [1, 2, 3, 4, 5], [[6], [7], [8], [9], [10]]),
        ("one_speaker", [2], [[1], [3], [4], [5], [6], [7], [8], [9], [10]]),
    ],
)
def test_every_fold_that_is_not_finished_is_trained_once(tmp_path, protocol, finished, started):
    jobs = planned(tmp_path, {(1, fold) for fold in finished}, protocol=protocol)._jobs()
    left = [job for job in jobs if job.runs]
    assert [job.runs for job in left] == [[f"seed1-fold{fold:02d}" for fold in folds] for folds in started]
    for job in jobs:  # the words of a job are those of all its folds, finished or not
        folder, fold = Path(value_of(job, "--out")), int(value_of(job, "--data.fold"))
        assert folder == tmp_path / f"seed1-fold{fold:02d}"
        others = {str(fold + 5): str(tmp_path / f"seed1-fold{fold + 5:02d}")} if protocol == "speaker" else None
        assert ("--outs" in job.arguments) == bool(others)
        assert not others or json.loads(value_of(job, "--outs")) == others
    assert len(jobs) == (5 if protocol == "speaker" else 10)


def test_all_folds_with_one_training_set_are_one_training(tmp_path):
    tested = {1: "a", 2: "b", 3: "c", 4: "d"}
    rows = [
        (f"u{row}", fold, "test" if speaker == who else "dev" if speaker in "abc" else "train")
        for fold, who in tested.items()
        for row, speaker in enumerate(SPEAKERS.speaker)
    ]
    pd.DataFrame(rows, columns=["utterance", "fold", "set"]).to_csv(tmp_path / "own.csv", index=False)
    made = planned(tmp_path, folds=range(1, 5))
    made.data.rules = make_protocol("split", splits=str(tmp_path / "own.csv"))
    jobs = made._jobs()
    assert [job.title for job in jobs] == ["folds 1, 2 and 3", "fold 4"]
    assert jobs[0].runs == ["seed1-fold01", "seed1-fold02", "seed1-fold03"]


def test_an_utterance_that_two_folds_test_is_refused_before_the_first_training(tmp_path):
    made = planned(tmp_path, folds=[1, 2])
    made._check_tested_once()
    made._sets[2] = made._sets[2].mask(SPEAKERS.speaker == "a", "test")
    with pytest.raises(InputError, match="folds 1 and 2 both test utterance u0, but a pooled result counts"):
        made._check_tested_once()


def test_every_run_has_the_seed_of_its_name(tmp_path):
    jobs = [job for job in planned(tmp_path, {(3, 1)}, folds=[1, 2], seeds=[3, 7])._jobs() if job.runs]
    assert [(value_of(job, "--seed_everything"), job.runs) for job in jobs] == [
        *(("3", ["seed3-fold02"]), ("7", ["seed7-fold01"]), ("7", ["seed7-fold02"]))
    ]
    assert [job.title for job in jobs] == ["seed 3, fold 2", "seed 7, fold 1", "seed 7, fold 2"]


@pytest.mark.parametrize(
    ("folds", "seeds", "lost"),
    [
        ([1, 2], [1, 2], None),
        ([1, 2, 3], [1, 2, 3], None),
        ([1], [1, 2], "folds 1, 2; a run without 2"),
        ([2, 3], [1, 2], "folds 1, 2; a run without 1"),
        ([1, 2], [2], "seeds 1, 2; a run without 1"),
    ],
)
def test_no_result_is_replaced_by_one_that_lacks_some_of_its_runs(tmp_path, folds, seeds, lost):
    about = {"folds": [1, 2], "seeds": [1, 2], "validation": None, "digests": {}}
    (tmp_path / "result.json").write_text(json.dumps(about))
    asked = planned(tmp_path, folds=folds, seeds=seeds)
    if not lost:
        asked._keep_larger_result()
        return
    with pytest.raises(InputError, match=f"holds a result of {lost} would replace it"):
        asked._keep_larger_result()


def test_initial_weights_may_have_heard_neither_who_validates_nor_who_is_tested(tmp_path, monkeypatch):
    asked, made = [], planned(tmp_path, folds=[2, 5])
    made.experiment = Experiment.__new__(Experiment)
    made.experiment.beginning, made.experiment.init_weights, made.experiment.checkpoint = object(), "w.ckpt", None
    made._divided = lambda: ((fold, f"utterances {fold}") for fold in made.folds)
    monkeypatch.setattr("ser.training.experiment.doubts", lambda *_: [])
    monkeypatch.setattr(
        "ser.training.experiment.check_unheard",
        lambda weights, name, data, tested: asked.append((data.fold, data.utterances, tested)),
    )
    made._check_beginning()
    assert asked == [(fold, f"utterances {fold}", tested) for fold in (2, 5) for tested in ("val", "test")]


@pytest.mark.parametrize("copied", [False, True])
def test_a_recording_in_two_sets_of_any_fold_is_refused(tmp_path, copied):
    made = planned(tmp_path, folds=[1, 2])
    recordings = [*"0123456789"]
    recordings[3] = "0" if copied else "3"  # recording 0 is in session 1, this one in session 2
    made.data.recordings = recordings
    if copied:
        with pytest.raises(InputError, match="train and test share 1 recording: u3 = u0"):
            made._check_leaks()
    else:
        assert not any(made._check_leaks().values())


def test_a_result_of_some_folds_knows_how_many_there_are_and_its_lambda(tmp_path, monkeypatch):
    given, made = [], planned(tmp_path, folds=[2, 3])
    made.system, made.config = SimpleNamespace(hparams={"lambda_": 0.3, "dropout": 0.5}), {"epochs_averaged": 4}
    made._options, made._finished_runs = dict, dict
    monkeypatch.setattr(ser.training.cross_validation, "write_pooled", lambda *words: given.extend(words))
    monkeypatch.setattr(ser.training.cross_validation, "read_pooled", lambda folder: SimpleNamespace(about={}))
    monkeypatch.setattr(ser.training.cross_validation, "describe_pooled", str)
    made._write_result({}, tracked_anew=False)
    folder, _, grid, averaged, about = given
    assert (folder, grid, averaged) == (tmp_path, ([1], [2, 3]), 4)
    assert (about["num_folds"], about["lambda"]) == (10, 0.3)


def test_what_is_reported_so_far_is_of_the_runs_that_have_ended(tmp_path, monkeypatch, capsys):
    """Both runs have written their results, but the second training has not ended."""
    made = planned(tmp_path, folds=[1, 2])
    hits, names = {1: [1, 1, 1, 0], 2: [0, 0, 0, 0]}, ["seed1-fold01", "seed1-fold02"]
    made.unfinished = set(names)
    recall = dict.fromkeys(("neutral", "angry", "happy", "sad"), 0.5)
    made._finished_runs = lambda: {
        name: {
            **{"seed": 1, "fold": fold, "speakers": {"test": ["a"]}, "utterances": 4, "epoch": 9},
            **{"wa": sum(hits[fold]) / 4, "ua": 0.5, "recall": recall},
        }
        for fold, name in enumerate(names, start=1)
    }
    tables = {f: predictions(hits[f], range(4), names=[f"{f}-{n}" for n in range(4)]) for f in hits}
    monkeypatch.setattr(
        "ser.training.cross_validation.pool_runs",
        lambda _, runs, __: pd.concat(tables[about["fold"]] for about in runs.values()),
    )
    for fold, (name, share, runs) in enumerate(zip(names, ("75.0", "37.5"), ("1 of 2", "2 of 2"), strict=True), 1):
        made._ended(Job(f"fold {fold}", [name], [], tmp_path), 0, 61.0)
        printed = capsys.readouterr().out
        assert (
            f"fold {fold}: finished after 1 min 01 s\n  fold  {fold}  test a: WA {25 * sum(hits[fold])}.0 %" in printed
        )
        assert re.search(rf"so far   WA {share} % .* \({4 * fold} utterances, {runs} runs\)", printed)
