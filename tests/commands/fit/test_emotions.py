"""Trainings with other emotions than the paper's four, and the tests of their checkpoints."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import confusion_matrix

from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from ser.results.predictions import posterior_columns
from tests.conftest import CONF
from tests.made_up.manifests import SHORT, write_manifest

LABELS = ["happy", "excited", "calm", "sad", "bored", "angry"]
TWO = ["sad", "calm"]
FIVE = ["bored", "positive", "calm", "sad", "angry"]
MERGE = {"happy": "positive", "excited": "positive"}
NATIVE = {"positive": ["happy", "excited"]}
SMALL = ["--model.gru_units", 4, "--model.dense_units", 4]


def chosen(emotions: list[str]) -> list[str]:
    merge = ["--data.merge", json.dumps(MERGE)] if "positive" in emotions else []
    return ["--data.emotions", f"[{', '.join(emotions)}]", *merge]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Options of a corpus of six labels, one recording of each speaker and label."""
    table = write_manifest(tmp_path_factory.mktemp("corpus"), "mine", "abcd", seed=7, emotions=LABELS)
    options = ["--data", "manifest", "--data.corpus.csv", table, "--trainer.max_epochs", 1, "--wandb.mode", "disabled"]
    return options + [each for name, value in SHORT.items() for each in (f"--data.{name}", value)]


@pytest.fixture
def trained(made_once, corpus, ser):
    """The folder of a training on these emotions, and what it printed: trained(emotions)."""

    def train(emotions):
        def make(place):
            words = [
                "fit",
                "--config",
                CONF / "cnn_gru.yaml",
                *corpus,
                *SMALL,
                *chosen(emotions),
                "--out",
                place / "run",
            ]
            finished = ser(*words)
            assert finished.code == 0, finished.err
            (place / "printed").write_text(finished.out)

        place = made_once(f"emotions-{len(emotions)}", make)
        return place / "run", (place / "printed").read_text()

    return train


@pytest.mark.parametrize(("emotions", "left_out"), [(TWO, ["angry", "bored", "excited", "happy"]), (FIVE, [])])
def test_the_emotions_and_their_order_are_those_of_the_table_the_result_and_the_checkpoint(trained, emotions, left_out):
    folder, printed = trained(emotions)
    result = json.loads((folder / "result.json").read_text())
    table = pd.read_csv(folder / "predictions.csv")
    assert [name for name in table if name.startswith("p_")] == [f"p_{emotion}" for emotion in emotions]
    assert [name for name in table if name.startswith("gru_p_")] == [f"gru_p_{emotion}" for emotion in emotions]
    posterior = table[posterior_columns(emotions)].to_numpy()
    np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-5)
    assert [emotions[place] for place in posterior.argmax(axis=1)] == table.predicted.tolist()

    number = {emotion: len(NATIVE.get(emotion, [emotion])) for emotion in emotions}
    assert table.emotion.value_counts().to_dict() == number, "one speaker, one recording of each label"
    assert (result["emotions"], result["left_out"]) == (emotions, dict.fromkeys(left_out, 4))
    assert list(result["recall"]) == emotions
    assert result["confusion"] == confusion_matrix(table.emotion, table.predicted, labels=emotions).tolist()
    assert result["counts"]["train"] == {emotion: 2 * each for emotion, each in number.items()}
    line = f"  left out    utterances of other labels: {', '.join(f'4 {label}' for label in left_out)}\n"
    assert (line in printed) == bool(left_out)

    best = folder / "checkpoints" / "best.ckpt"
    checkpoint = read_checkpoint(best)
    assert checkpoint["hyper_parameters"]["emotions"] == emotions
    assert list(checkpoint["trained_on"]["counts"]["train"]) == emotions
    assert checkpoint["state_dict"]["branches.gru.head.3.weight"].shape == (len(emotions), 4)
    assert load(best).emotions == tuple(emotions)


def test_a_checkpoint_is_tested_with_its_emotions(trained, corpus, ser, tmp_path):
    """Without any choice of emotions, and with the same choice."""
    folder, _ = trained(TWO)
    words = ["test", "--config", CONF / "cnn_gru.yaml", *corpus, "--ckpt_path", folder / "checkpoints" / "best.ckpt"]
    for place, options in enumerate(([], chosen(TWO))):
        finished = ser(*words, *options, "--out", tmp_path / f"{place}")
        assert finished.code == 0, finished.err
        assert (tmp_path / f"{place}" / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()
        result = json.loads((tmp_path / f"{place}" / "result.json").read_text())
        assert result["emotions"] == TWO
        assert "\n  left out    utterances of other labels: 4 angry, 4 bored, 4 excited, 4 happy\n" in finished.out


def test_merged_labels_are_tested_again_from_the_runs_own_configuration(trained, ser, tmp_path):
    folder, _ = trained(FIVE)
    words = ["test", "--config", folder / "config.yaml", "--ckpt_path", folder / "checkpoints" / "best.ckpt"]
    finished = ser(*words, "--out", tmp_path / "again")
    assert finished.code == 0, finished.err
    assert (tmp_path / "again" / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()


@pytest.mark.parametrize(
    "options",
    [
        ["--data.emotions", "[calm, sad]"],
        ["--data.emotions", "[sad, calm, angry]"],
        ["--data.emotions=[neutral, angry, happy, sad]"],
        ["--data.emotions+", "angry"],
    ],
)
def test_other_emotions_or_another_order_than_the_checkpoints_are_refused(trained, corpus, refused, options):
    best = trained(TWO)[0] / "checkpoints" / "best.ckpt"
    words = ["test", "--config", CONF / "cnn_gru.yaml", *corpus, *options, "--ckpt_path", best, "--out", "out"]
    refused(words, ["best.ckpt was trained with --data.emotions [sad, calm]; test it with the same"])


def test_weights_of_other_emotions_start_no_training(trained, corpus, refused):
    """Not even those of equally many emotions, which would fit."""
    best = trained(TWO)[0] / "checkpoints" / "best.ckpt"
    words = ["fit", "--config", CONF / "cnn_gru.yaml", *corpus, *SMALL, "--init_weights", best, "--out", "out"]
    for emotions in ("calm, sad", "bored, angry", "sad, calm, angry"):
        parts = [f"best.ckpt was trained with data.emotions sad, calm, not {emotions}, in this order"]
        refused([*words, "--data.emotions", f"[{emotions}]"], parts)


def test_weights_keep_their_emotions_when_exported(trained, ser, tmp_path):
    best, out = trained(FIVE)[0] / "checkpoints" / "best.ckpt", tmp_path / "weights.safetensors"
    assert ser("export-weights", best, "--out", out).code == 0
    before, after = load(best), load(out)
    assert before.emotions == after.emotions == tuple(FIVE)
    waveform, lengths = torch.rand(2, 8000) - 0.5, torch.tensor([8000, 5000])
    assert torch.equal(before.posterior(waveform, lengths), after.posterior(waveform, lengths))


def test_a_checkpoint_of_an_older_version_has_the_papers_emotions(best_of, ser, fitted, tmp_path):
    """It has no hyperparameter `emotions`."""
    checkpoint = torch.load(best_of("cnn_gru"), weights_only=True)
    assert checkpoint["hyper_parameters"].pop("emotions") == ["neutral", "angry", "happy", "sad"]
    torch.save(checkpoint, tmp_path / "older.ckpt")
    assert load(tmp_path / "older.ckpt").emotions == ("neutral", "angry", "happy", "sad")
    folder = fitted("cnn_gru")[0]
    shutil.copy(folder / "config.yaml", tmp_path / "config.yaml")
    words = ["test", "--config", tmp_path / "config.yaml", "--ckpt_path", tmp_path / "older.ckpt"]
    finished = ser(*words, "--out", tmp_path / "again")
    assert finished.code == 0, finished.err
    assert (tmp_path / "again" / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()


def test_a_cross_validation_and_its_report_have_the_same_emotions(corpus, ser, tmp_path):
    words = ["crossval", "--config", CONF / "cnn_gru.yaml", *corpus, *SMALL, *chosen(FIVE), "--out", tmp_path / "run"]
    finished = ser(*words)
    assert finished.code == 0, finished.err
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["emotions"], list(result["recall"]), result["left_out"]) == (FIVE, FIVE, {})
    assert result["test_set"]["counts"] == dict.fromkeys(FIVE, 4) | {"positive": 8}
    finished = ser("report", tmp_path / "run", "--out", tmp_path / "report")
    assert finished.code == 0, finished.err
    (shown,) = (tmp_path / "report").glob("confusion-*.csv")
    assert pd.read_csv(shown).actual.tolist() == FIVE
