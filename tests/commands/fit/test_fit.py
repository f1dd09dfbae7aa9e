"""`ser fit` on the built-in corpus: the files of a run and their numbers."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml
from scipy.signal import get_window
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, recall_score

from ser.audio.recording import read_recording
from ser.checkpoint import load
from ser.data import IEMOCAP
from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns
from ser.systems.system import System
from tests.conftest import CONF

BRANCHES = {
    "cnn_gru": ["gru"],
    "seqcap": ["capsule"],
    "reccap": ["capsule"],
    "gru_seqcap": ["capsule", "gru"],
    "cnn_lstm": ["lstm"],
}


@pytest.mark.parametrize("config", BRANCHES)
def test_from_configuration_to_result(config, fitted):
    folder, printed = fitted(config)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {
        ".lock",
        "config.yaml",
        "identity.json",
        "metrics.csv",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "predictions.csv",
        "validation.csv",
        "result.json",
    }
    result = json.loads((folder / "result.json").read_text())
    predictions = pd.read_csv(folder / "predictions.csv")
    validation = pd.read_csv(folder / "validation.csv")
    assert set(predictions.speaker) == {"Ses01F"}
    assert set(validation.speaker) == {"Ses01M"}
    expected = ["utterance", "speaker", "session", "fold", "emotion", "predicted", *posterior_columns(PAPER_EMOTIONS)]
    for branch in BRANCHES[config]:
        expected += posterior_columns(PAPER_EMOTIONS, branch)
    assert list(predictions.columns) == list(validation.columns) == expected
    for table, found in ((predictions, result), (validation, result["validation"])):
        assert len(table) == table.utterance.nunique() == 8
        posterior = table[posterior_columns(PAPER_EMOTIONS)].to_numpy()
        np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-5)
        assert [PAPER_EMOTIONS[i] for i in posterior.argmax(axis=1)] == table.predicted.tolist()
        answers = table.emotion, table.predicted
        assert found["wa"] == pytest.approx(accuracy_score(*answers)), "the result follows from the table"
        assert found["ua"] == pytest.approx(balanced_accuracy_score(*answers))
        recalls = recall_score(*answers, labels=PAPER_EMOTIONS, average=None)
        assert found["recall"] == pytest.approx(dict(zip(PAPER_EMOTIONS, recalls.tolist(), strict=True)))
        assert found["confusion"] == confusion_matrix(*answers, labels=PAPER_EMOTIONS).tolist()
        assert (found["utterances"], found["ua_classes"]) == (8, 4)
    assert f"WA {100 * result['wa']:.2f} %   UA {100 * result['ua']:.2f} %" in printed
    assert result["counts"]["train"] == dict.fromkeys(PAPER_EMOTIONS, 16)
    assert result["warnings"] == ["validation, which chooses the epoch, has only 8 utterances"]
    assert f"\n  warning     {result['warnings'][0]}\n" in printed
    (epoch,) = pd.read_csv(folder / "metrics.csv").to_dict("records")
    assert (epoch["epoch"], epoch["val/wa"]) == (1, pytest.approx(result["validation"]["wa"]))
    assert epoch["step"] == -(-result["train_segments"] // 16)
    assert epoch["train/loss"] > 0


def test_a_checkpoint_needs_nothing_else_to_hear_a_wav_file(fitted, tiny_corpus):
    folder, _ = fitted("reccap")
    row = pd.read_csv(folder / "predictions.csv").iloc[3]
    (path,) = tiny_corpus.rglob(f"sentences/wav/*/{row.utterance}.wav")
    waveform = torch.from_numpy(read_recording(path) / np.float32(32_768))[None]
    system = load(folder / "checkpoints" / "best.ckpt")
    with torch.no_grad():
        posterior = system.posterior(waveform, torch.tensor([waveform.shape[1]]))
    np.testing.assert_allclose(posterior[0].numpy(), row[posterior_columns(PAPER_EMOTIONS)].to_numpy(float), atol=1e-5)


def test_the_same_command_gives_the_same_numbers(ser, tiny, fitted, tmp_path):
    folder, _ = fitted("seqcap")
    assert ser("fit", "--config", CONF / "seqcap.yaml", *tiny, "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()


def measured(paths):
    """Mean and standard deviation of each bin of the log spectrogram over all frames of recordings, with NumPy."""
    waveforms = [soundfile.read(path)[0] for path in paths]
    frames = np.concatenate([np.lib.stride_tricks.sliding_window_view(each, 640)[::160] for each in waveforms])
    logarithm = np.log(np.maximum(np.abs(np.fft.rfft(frames * get_window("hann", 640), 1600))[:, :512], 1e-5))
    return np.stack([logarithm.mean(axis=0), logarithm.std(axis=0)])


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        ("train", "train"),
        ("corpus", "test audio takes part"),
        ("speaker", "transductive: each speaker by its own audio"),
    ],
)
def test_whose_audio_standardises_is_heard_and_named_in_the_result(
    ser, tiny, tiny_corpus, fitted, tmp_path, statistics, words
):
    common = ["--config", CONF / "cnn_gru.yaml", *tiny]
    if statistics == "train":  # the default
        run, printed = fitted("cnn_gru")
    else:
        run = tmp_path / "r"
        finished = ser("fit", *common, "--data.statistics", statistics, "--out", run)
        assert finished.code == 0, finished.err
        printed = finished.out
    assert words in printed
    assert words in json.loads((run / "result.json").read_text())["statistics"]

    corpus, best = IEMOCAP(str(tiny_corpus)).utterances(), run / "checkpoints" / "best.ckpt"
    heard = corpus if statistics == "corpus" else corpus[corpus.session != 1]
    system = load(best)
    np.testing.assert_allclose(system.standardisation.statistics, measured(heard.path), rtol=1e-4, atol=1e-4)
    own = measured(corpus.path[corpus.speaker == "Ses01F"]) if statistics == "speaker" else measured(heard.path)
    given = torch.tensor(own[None], dtype=torch.float32)
    predictions = pd.read_csv(run / "predictions.csv").set_index("utterance")
    for row in corpus[corpus.speaker == "Ses01F"].itertuples():
        waveform = torch.from_numpy(soundfile.read(row.path, dtype="float32")[0])[None]
        posterior = system.posterior(waveform, torch.tensor([waveform.shape[1]]), given)[0]
        expected = predictions.loc[row.utterance, posterior_columns(PAPER_EMOTIONS)].to_numpy(float)
        np.testing.assert_allclose(posterior, expected, atol=1e-4)

    again = ["test", *common, "--ckpt_path", best]
    assert ser(*again, "--out", tmp_path / "t").code == 0
    assert words in json.loads((tmp_path / "t" / "result.json").read_text())["statistics"], "from the checkpoint"
    assert (tmp_path / "t" / "predictions.csv").read_text() == (run / "predictions.csv").read_text()
    other = "corpus" if statistics == "train" else "train"
    contradiction = ser(*again, "--data.statistics", other, "--out", tmp_path / "c")
    assert contradiction.code == 2
    assert f"was trained with --data.statistics {statistics}" in contradiction.err


def test_config_yaml_is_complete(fitted):
    folder, _ = fitted("reccap")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["class_path"] == "ser.systems.CNNRecCap"
    assert config["model"]["init_args"]["window_shift"] == 20
    assert config["trainer"]["max_epochs"] == 1
    assert "out" not in config
    assert "seed" not in config["data"], "linked to seed_everything"


def test_a_loss_that_is_no_number_ends_the_training(ser, tiny, tmp_path, monkeypatch):
    summed = System._summed_loss
    monkeypatch.setattr(System, "_summed_loss", lambda self, *given: summed(self, *given) * float("nan"))
    words = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "run"]
    every_step = ["--checkpoints.steps", 1]
    for options, part in (([], "loss of epoch 1 is nan"), (every_step, "weights are NaN or infinite after step 1")):
        finished = ser(*words, *options)
        assert finished.code == 2, finished
        assert part in finished.err
        assert "--model.learning_rate" in finished.err
        assert "Traceback" not in finished.err
    assert not list(tmp_path.rglob("*.ckpt"))
