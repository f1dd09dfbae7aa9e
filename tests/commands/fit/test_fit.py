"""The commands as a person runs them, on the built-in corpus."""

import json
import subprocess
import sys

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
from ser.checkpoint.reading import read_checkpoint
from ser.data import IEMOCAP
from ser.emotions import EMOTIONS
from ser.results.predictions import posterior_columns
from tests.conftest import CONF, SMALL_CAPSULES

CONFIGS = ("cnn_gru", "seqcap", "reccap", "gru_seqcap", "cnn_lstm")
BRANCHES = {
    "cnn_gru": ["gru"],
    "seqcap": ["capsule"],
    "reccap": ["capsule"],
    "gru_seqcap": ["capsule", "gru"],
    "cnn_lstm": ["lstm"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of finished fits by configuration, filled by the first test that needs one."""
    return {}, tmp_path_factory.mktemp("runs")


@pytest.fixture
def fitted(trained, ser, tiny):
    folders, parent = trained

    def fit(config):
        if config not in folders:
            folder = parent / config
            finished = ser("fit", "--config", CONF / f"{config}.yaml", *tiny, "--out", folder)
            assert finished.code == 0, finished.err
            folders[config] = folder, finished
        return folders[config]

    return fit


@pytest.mark.parametrize("config", CONFIGS)
def test_from_configuration_to_result(config, fitted):
    folder, finished = fitted(config)
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
    expected = ["utterance", "speaker", "session", "fold", "emotion", "predicted", *posterior_columns()]
    for branch in BRANCHES[config]:
        expected += posterior_columns(branch)
    assert list(predictions.columns) == list(validation.columns) == expected
    for table, found in ((predictions, result), (validation, result["validation"])):
        assert len(table) == table.utterance.nunique() == 8
        posterior = table[posterior_columns()].to_numpy()
        np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-5)
        assert [EMOTIONS[i] for i in posterior.argmax(axis=1)] == table.predicted.tolist()
        answers = table.emotion, table.predicted
        assert found["wa"] == pytest.approx(accuracy_score(*answers)), "the table is the result"
        assert found["ua"] == pytest.approx(balanced_accuracy_score(*answers))
        recalls = recall_score(*answers, labels=EMOTIONS, average=None)
        assert found["recall"] == pytest.approx(dict(zip(EMOTIONS, recalls.tolist(), strict=True)))
        assert found["confusion"] == confusion_matrix(*answers, labels=EMOTIONS).tolist()
        assert (found["utterances"], found["ua_classes"]) == (8, 4)
    assert f"WA {100 * result['wa']:.2f} %   UA {100 * result['ua']:.2f} %" in finished.out
    assert result["counts"]["train"] == dict.fromkeys(EMOTIONS, 16)
    assert result["warnings"] == ["validation, which chooses the epoch, has only 8 utterances"]
    assert f"\n  warning     {result['warnings'][0]}\n" in finished.out
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
    np.testing.assert_allclose(posterior[0].numpy(), row[posterior_columns()].to_numpy(float), atol=1e-5)


def test_the_same_command_gives_the_same_numbers(ser, tiny, fitted, tmp_path):
    folder, _ = fitted("seqcap")
    assert ser("fit", "--config", CONF / "seqcap.yaml", *tiny, "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()


def test_a_run_can_be_tested_again_from_its_own_folder(ser, fitted, tmp_path, monkeypatch):
    folder, _ = fitted("gru_seqcap")
    monkeypatch.chdir(tmp_path)
    finished = ser("test", "--config", folder / "config.yaml", "--ckpt_path", folder / "checkpoints" / "best.ckpt")
    assert finished.code == 0, finished.err
    (again,) = (tmp_path / "runs").iterdir()
    assert again.name.startswith("test-CNNGRUSeqCap-synthetic-speaker-fold1-")
    assert (again / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()
    assert not (again / "validation.csv").exists()
    finished = ser(
        *("validate", "--config", folder / "config.yaml", "--ckpt_path", folder / "checkpoints" / "best.ckpt"),
        *("--out", tmp_path / "validated"),
    )
    assert finished.code == 0, finished.err
    assert (tmp_path / "validated" / "validation.csv").read_text() == (folder / "validation.csv").read_text()


def test_lambda_of_the_command_line_wins_over_the_checkpoint_and_that_over_the_file(ser, tiny, fitted, tmp_path):
    folder, _ = fitted("gru_seqcap")
    checkpoint = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    checkpoint["hyper_parameters"]["lambda_"] = 0.9
    torch.save(checkpoint, tmp_path / "nine.ckpt")
    common = ["test", "--config", CONF / "gru_seqcap.yaml", *tiny, "--ckpt_path", tmp_path / "nine.ckpt"]
    for options, expected in (([], 0.9), (["--model.lambda_=0.25"], 0.25), (["--model.init_args.lambda_", 0], 0.0)):
        out = tmp_path / f"lambda{expected}"
        assert ser(*common, *options, "--out", out).code == 0
        table = pd.read_csv(out / "predictions.csv")
        capsule, gru = (table[posterior_columns(branch)].to_numpy() for branch in ("capsule", "gru"))
        combined = expected * capsule + (1 - expected) * gru
        np.testing.assert_allclose(table[posterior_columns()].to_numpy(), combined, atol=1e-6)
        assert json.loads((out / "result.json").read_text())["model"]["lambda_"] == expected


def test_speakers_who_trained_a_checkpoint_are_not_tested(ser, tiny, fitted, tmp_path):
    folder, _ = fitted("reccap")
    finished = ser(
        *("test", "--config", CONF / "reccap.yaml", *tiny, "--data.fold", 2),
        *("--ckpt_path", folder / "checkpoints" / "best.ckpt", "--out", tmp_path / "x"),
    )
    assert finished.code == 2
    assert "was trained on synthetic:Ses02F, who would be evaluated here" in finished.err
    assert not (tmp_path / "x").exists()
    speakers = read_checkpoint(folder / "checkpoints" / "best.ckpt")["speakers"]
    assert len(speakers["train"]) == 8


def test_recordings_that_trained_or_chose_a_checkpoint_are_known_under_any_name(
    ser, tiny, tiny_corpus, fitted, tmp_path
):
    best = fitted("reccap")[0] / "checkpoints" / "best.ckpt"
    common = ["test", "--config", CONF / "reccap.yaml", "--ckpt_path", best, "--out", tmp_path / "x"]
    finished = ser(*common, *tiny, "--data.fold", 6)
    assert finished.code == 2
    assert "was chosen on 8 of the recordings tested here" in finished.err
    IEMOCAP(str(tiny_corpus)).utterances().to_csv(tmp_path / "renamed.csv", index=False)
    renamed = [
        "--data",
        CONF / "manifest.yaml",
        "--data.corpus.csv",
        tmp_path / "renamed.csv",
        "--wandb.mode",
        "disabled",
    ]
    finished = ser(*common, *renamed, "--data.fold", 2)
    assert finished.code == 2
    assert "was trained on 8 of the recordings evaluated here" in finished.err
    assert not (tmp_path / "x").exists()


def test_single_options_win_wherever_they_stand(ser, tiny, fitted, tmp_path):
    folder, _ = fitted("gru_seqcap")
    out = tmp_path / "r"
    finished = ser(
        *("test", "--model.lambda_", 0.25, "--ckpt_path", folder / "checkpoints" / "best.ckpt", "--out", out),
        *("--config", folder / "config.yaml"),
    )
    assert finished.code == 0, finished.err
    assert json.loads((out / "result.json").read_text())["model"]["lambda_"] == 0.25


def measured(paths):
    """Mean and deviation of each bin of the log spectrogram over all frames of these recordings, by NumPy."""
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
def test_whose_audio_standardises_is_heard_and_named_in_the_result(ser, tiny, tiny_corpus, tmp_path, statistics, words):
    common = ["--config", CONF / "cnn_gru.yaml", *tiny]
    finished = ser("fit", *common, "--data.statistics", statistics, "--out", tmp_path / "r")
    assert finished.code == 0, finished.err
    assert words in finished.out
    assert words in json.loads((tmp_path / "r" / "result.json").read_text())["statistics"]

    corpus, best = IEMOCAP(str(tiny_corpus)).utterances(), tmp_path / "r" / "checkpoints" / "best.ckpt"
    heard = corpus if statistics == "corpus" else corpus[corpus.session != 1]
    system = load(best)
    np.testing.assert_allclose(system.standardisation.statistics, measured(heard.path), rtol=1e-4, atol=1e-4)
    own = measured(corpus.path[corpus.speaker == "Ses01F"]) if statistics == "speaker" else measured(heard.path)
    given = torch.tensor(own[None], dtype=torch.float32)
    predictions = pd.read_csv(tmp_path / "r" / "predictions.csv").set_index("utterance")
    for row in corpus[corpus.speaker == "Ses01F"].itertuples():
        waveform = torch.from_numpy(soundfile.read(row.path, dtype="float32")[0])[None]
        posterior = system.posterior(waveform, torch.tensor([waveform.shape[1]]), given)[0]
        expected = predictions.loc[row.utterance, posterior_columns()].to_numpy(float)
        np.testing.assert_allclose(posterior, expected, atol=1e-4)

    again = ["test", *common, "--ckpt_path", best]
    assert ser(*again, "--out", tmp_path / "t").code == 0
    assert words in json.loads((tmp_path / "t" / "result.json").read_text())["statistics"], "the checkpoint knows"
    assert (tmp_path / "t" / "predictions.csv").read_text() == (tmp_path / "r" / "predictions.csv").read_text()
    other = "corpus" if statistics == "train" else "train"
    contradiction = ser(*again, "--data.statistics", other, "--out", tmp_path / "c")
    assert contradiction.code == 2
    assert f"was trained with --data.statistics {statistics}" in contradiction.err


def test_wu2019_runs(ser, tiny, tmp_path):
    finished = ser(
        *("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--data.protocol", "wu2019", "--data.fold", 3),
        *("--data.test_halves", "MMFFM", "--out", tmp_path / "r"),
    )
    assert finished.code == 0, finished.err
    predictions = pd.read_csv(tmp_path / "r" / "predictions.csv")
    assert {name[:6] for name in predictions.utterance} == {"Ses03F"}
    assert set(predictions.speaker) == {"Ses03F", "Ses03M"}


def test_two_processes_train_the_same_network_and_test_everyone_once(ser, tiny, tmp_path):
    """Without dropout, two processes must take the same steps as one; rank 0 alone names the folder."""
    common = [*("fit", "--config", CONF / "reccap.yaml"), *tiny, *SMALL_CAPSULES, "--model.dropout", 0]
    assert ser(*common, "--out", tmp_path / "one").code == 0
    two = ["--trainer.devices", 2, "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp"]
    command = [sys.executable, "-m", "ser", *map(str, [*common, *two])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    for name in ("predictions.csv", "validation.csv"):
        one, both = pd.read_csv(tmp_path / "one" / name), pd.read_csv(folder / name)
        assert both.utterance.tolist() == one.utterance.tolist()
        difference = one[posterior_columns()].to_numpy() - both[posterior_columns()].to_numpy()
        assert np.abs(difference).max() < 1e-3
    assert done.stdout.count("Test (Ses01F)") == done.stdout.count("epoch  1/1 ") == 1


def test_config_yaml_is_complete(fitted):
    folder, _ = fitted("reccap")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["class_path"] == "ser.systems.CNNRecCap"
    assert config["model"]["init_args"]["window_shift"] == 20
    assert config["trainer"]["max_epochs"] == 1
    assert "out" not in config
    assert "seed" not in config["data"], "linked to seed_everything"
