"""`ser crossval` on the built-in corpus, with real processes: its files and its output."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.random import default_rng as seeded
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, recall_score

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.pooled_result import read_pooled
from ser.training.cross_validation import CrossValidation
from tests.conftest import CONF


def test_the_pooled_result_is_that_of_its_table(undisturbed):
    folder, printed = undisturbed
    result = read_pooled(folder)
    table = result.predictions
    for rows, about in ((table, result.about), (result.validation, result.about["validation"])):
        answers = rows.emotion, rows.predicted
        assert about["wa"] == pytest.approx(accuracy_score(*answers))
        assert about["ua"] == pytest.approx(balanced_accuracy_score(*answers))
        recalls = recall_score(*answers, labels=PAPER_EMOTIONS, average=None)
        assert about["recall"] == pytest.approx(dict(zip(PAPER_EMOTIONS, recalls.tolist(), strict=True)))
        assert about["confusion"] == confusion_matrix(*answers, labels=PAPER_EMOTIONS).tolist()
        assert about["utterances"] == len(rows)
    assert f"WA {100 * result.about['wa']:.2f} %" in printed
    assert not table.utterance.duplicated().any()
    assert sorted(table.fold.unique()) == result.about["folds"] == [1, 2, 3, 4, 5]
    folds = [accuracy_score(each.emotion, each.predicted) for _, each in table.groupby("fold")]
    expected = {"mean": np.mean(folds), "sd": np.std(folds, ddof=1), "runs": 5}
    assert result.about["over_folds"]["wa"] == pytest.approx(expected)
    assert [run["wa"] for run in result.about["runs"]] == pytest.approx(folds)
    assert result.about["over_seeds"]["wa"]["values"] == pytest.approx([result.about["wa"]])
    # The interval, computed differently: speakers weighted by their number of draws.
    hits = table.assign(hit=table.emotion == table.predicted).groupby("speaker").hit.agg(["sum", "size"])
    drawn = seeded(1).multinomial(10, [0.1] * 10, size=10_000)
    limits = np.quantile(drawn @ hits["sum"] / (drawn @ hits["size"]), [0.025, 0.975])
    assert result.about["intervals"]["wa"] == pytest.approx(limits.tolist())
    counts = table.emotion.value_counts().to_dict()
    assert result.about["test_set"]["counts"] == {name: counts.get(name, 0) for name in PAPER_EMOTIONS}


def test_the_number_of_emotions_and_of_redrawn_draws_is_kept(undisturbed):
    folder, printed = undisturbed
    result = read_pooled(folder)
    for run in result.about["runs"]:
        table = result.predictions[result.predictions.fold == run["fold"]]
        assert run["ua_classes"] == table.emotion.nunique()
        wa = accuracy_score(table.emotion, table.predicted)
        ua = recall_score(table.emotion, table.predicted, labels=sorted(set(table.emotion)), average="macro")
        shares = f"WA {100 * wa:.1f} %  UA {100 * ua:.1f} %"
        assert f"fold {run['fold']:2d}  test {', '.join(run['speakers']['test'])}: {shares}" in printed
    spoken, redrawn, generator = pd.crosstab(result.predictions.speaker, result.predictions.emotion), 0, seeded(1)
    drawn = generator.multinomial(10, [0.1] * 10, size=10_000)
    while (lacking := (drawn @ spoken.to_numpy() == 0).any(axis=1)).any():
        redrawn += int(lacking.sum())
        drawn[lacking] = generator.multinomial(10, [0.1] * 10, size=lacking.sum())
    assert result.about["bootstrap"] == {"draws": 10_000, "redrawn": redrawn}


def test_the_result_keeps_the_options_it_was_made_with(undisturbed, tiny_corpus):
    about = read_pooled(undisturbed[0]).about
    written = yaml.safe_load((undisturbed[0] / "config.yaml").read_text())
    assert about["options"].items() >= {f"model.{k}": v for k, v in written["model"]["init_args"].items()}.items()
    kept = ("statistics", "segment_seconds", "min_tail_seconds", "batch_size", "protocol")
    assert about["options"].items() >= {f"data.{name}": written["data"][name] for name in kept}.items()
    assert {"init_weights", "trainer.precision", "trainer.callbacks", "trainer.gradient_clip_val"} <= {
        *about["options"]
    }
    assert about["defaults"].items() >= {"data.segment_seconds": 2.0, "model.window_steps": 40}.items()
    recorded = json.dumps([about["options"], about["defaults"]])
    assert str(tiny_corpus) not in recorded
    assert "wandb" not in recorded


def test_without_a_terminal_every_epoch_of_every_training_has_a_line(undisturbed):
    folder, printed = undisturbed
    expected = []
    for fold in range(1, 6):
        for row in pd.read_csv(folder / f"seed1-fold0{fold}" / "metrics.csv").to_dict("records"):
            scores = "".join(f"  val/{name} {100 * row[f'val/{name}']:.1f} %" for name in ("wa", "ua"))
            losses = "".join(f"  {name} {row[name]:.3f}" for name in ("train/loss", "val/loss"))
            expected.append(f"fold {fold}: epoch  {row['epoch']}/2  rate {row['rate']:g}{losses}{scores}")
    assert sorted(line for line in printed.splitlines() if ": epoch" in line) == expected
    logs = [folder / f"seed1-fold0{fold}.log" for fold in range(1, 6)]
    kept = [line for log in logs for line in log.read_text().splitlines() if line.lower().startswith("epoch")]
    assert kept == [line.split(": ", 1)[1] for line in expected], "no progress bar, whose epochs count from 0"


def test_runs_of_a_training_that_has_not_ended_are_not_counted(undisturbed, two_epochs, ser, tmp_path, monkeypatch):
    """Results are written before the training's process exits, for example while W&B is still uploading."""
    folder = tmp_path / "again"
    shutil.copytree(undisturbed[0], folder, ignore=shutil.ignore_patterns("seed1-fold0[2-5]", "result.json"))
    shutil.copy(undisturbed[0] / "seed1-fold01" / "result.json", folder / "seed1-fold01")

    def run_jobs(starter, jobs, slots, lock, ended):
        for job in jobs:
            shutil.copytree(undisturbed[0] / job.runs[0], folder / job.runs[0])
        for job in jobs:
            ended(job, 0, 1.0)

    monkeypatch.setattr("ser.processes.jobs.run_jobs", run_jobs)
    finished = ser("crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--out", folder)
    assert finished.code == 0, finished.err
    assert re.findall(r"so far .*\(.*, (.*) of 5 runs\)", finished.out) == ["1", "2", "3", "4", "5"]


def test_what_validation_and_test_share_is_said(undisturbed):
    folder, printed = undisturbed
    shared = read_pooled(folder).about["shared"]["speakers"]
    assert len(shared) == 10  # wu2019: both actors speak in both halves
    head = printed.partition("  folder ")[0].splitlines()
    assert head[-2:] == [
        "  leaks       none under protocol wu2019",
        "  shared      by validation and test: 10 speakers (allowed)",
    ]
    assert f"Validation and test share their speakers in this protocol: {', '.join(shared)}" in printed


def test_a_validation_that_is_small_is_warned_of(undisturbed):
    folder, printed = undisturbed
    warning = "validation, which chooses the epoch, has only 8 utterances"
    assert f"\n  warning     folds 1, 2, 3, 4, 5: {warning}\n" in printed
    assert read_pooled(folder).about["warnings"] == [f"folds 1, 2, 3, 4, 5: {warning}"]
    assert json.loads((folder / "seed1-fold02" / "result.json").read_text())["warnings"] == [warning]


def test_the_halves_that_were_asked_for_are_tested(undisturbed):
    """wu2019 with test halves MMFFM, not the default: both actors in one half of each session's dialogs."""
    for fold, half in enumerate("MMFFM", start=1):
        predictions = pd.read_csv(undisturbed[0] / f"seed1-fold0{fold}" / "predictions.csv")
        assert {name[:6] for name in predictions.utterance} == {f"Ses0{fold}{half}"}
        assert set(predictions.speaker) == {f"Ses0{fold}F", f"Ses0{fold}M"}


def test_a_finished_cross_validation_is_not_run_again(undisturbed, two_epochs, ser, tmp_path):
    folder = copy_of(undisturbed[0], tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("seed1-fold*/**/*")}
    finished = ser("crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--out", folder)
    assert finished.code == 0, finished.err
    assert "0 (5 finished before)" in finished.out
    assert {path: path.stat().st_mtime_ns for path in folder.glob("seed1-fold*/**/*")} == before


def test_a_fold_that_fails_does_not_take_the_others_with_it(ser, least, tmp_path, monkeypatch):
    plan = CrossValidation._job

    def with_a_broken_second_fold(self, seed, folds):
        job = plan(self, seed, folds)
        job.arguments.extend(["--data.batch_size", "0"] if folds == [2] else [])
        return job

    monkeypatch.setattr(CrossValidation, "_job", with_a_broken_second_fold)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = ["crossval", "--config", CONF / "cnn_gru.yaml", *least, "--folds", "1-2", "--out", tmp_path / "partly"]
    partly = ser(*options)
    assert partly.code == 1
    assert "data.batch_size is 0" in partly.err
    assert "failed: fold 2" in partly.err
    assert (tmp_path / "partly" / "seed1-fold01" / "result.json").exists()
    assert not (tmp_path / "partly" / "result.json").exists()
    with pytest.raises(InputError, match="unfinished"):
        read_pooled(tmp_path / "partly")
    monkeypatch.setattr(CrossValidation, "_job", plan)
    mended = ser(*options)
    assert mended.code == 0
    assert "1 (1 finished before)" in mended.out


def test_what_is_no_complete_result_is_not_read(undisturbed, tmp_path):
    folder = copy_of(undisturbed[0], tmp_path)
    whole = json.loads((folder / "result.json").read_text())
    for change, message in (
        ({"folds": [*whole["folds"], 6]}, r"no predictions of fold 6 \(seed 1\)"),
        ({"folds": [1, 2, 3, 4]}, "unexpected predictions of fold 5"),
        ({"digests": {}}, "no digest of"),
        ({"runs": None}, "runs is missing"),
    ):
        changed = {name: value for name, value in (whole | change).items() if value is not None or name not in change}
        (folder / "result.json").write_text(json.dumps(changed))
        with pytest.raises(InputError, match=message):
            read_pooled(folder)
    (folder / "result.json").write_text(json.dumps(whole))
    edited = folder / "predictions.csv"
    edited.write_text(edited.read_text().replace("angry", "happy", 1))
    with pytest.raises(InputError, match=r"predictions.csv: changed since"):
        read_pooled(folder)
    with pytest.raises(InputError, match="one run, fold 1 only"):
        read_pooled(folder / "seed1-fold01")


def copy_of(folder, target):
    """A cross-validation's folder without its checkpoints."""
    return Path(shutil.copytree(folder, target / "copy", ignore=shutil.ignore_patterns("checkpoints")))
