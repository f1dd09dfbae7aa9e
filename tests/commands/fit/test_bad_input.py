"""What a user can get wrong: one clear message, exit code 2, no traceback, nothing half-written."""

import os
import subprocess
import sys

import pytest

from ser.systems.system import System
from tests.conftest import CONF


def refused(finished, *words):
    assert finished.code == 2, finished
    for word in words:
        assert word in finished.err
    assert "Traceback" not in finished.err


def test_without_a_corpus_two_lines_say_what_to_do(ser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = ser("fit", "--config", CONF / "reccap.yaml")
    refused(finished, "no folder was given for IEMOCAP", "--data.corpus.root")
    lines = finished.err.strip().splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("ser fit --config reccap --config demo")
    assert list(tmp_path.iterdir()) == [], "nothing is written, no other data is used"


def test_without_anything_one_message_says_what_to_do(ser):
    finished = ser("fit")
    refused(finished, "data.corpus", "ser fit --config reccap --config demo")
    assert len(finished.err.splitlines()) <= 4


@pytest.mark.parametrize(("corpus", "words"), [("emodb", "not EMO-DB"), ("iemocap", "not IEMOCAP")])
def test_another_corpus_does_not_inherit_the_demos_folder(ser, tiny_corpus, tmp_path, monkeypatch, corpus, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo").symlink_to(tiny_corpus)
    finished = ser(
        *("fit", "--config", CONF / "reccap.yaml", "--config", CONF / "demo.yaml"), "--data", CONF / f"{corpus}.yaml"
    )
    refused(finished, f"holds the built-in corpus, {words}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data.fold", 11], ["fold is 11, but protocol speaker on 5 sessions has folds 1 to 10"]),
        (["--data.fold", 0], ["fold is 0"]),
        (["--data.fold", "x"], ["data.fold"]),
        (["--data.protocol", "random"], ["data.protocol", "random"]),
        (["--data.batch_size", 0], ["data.batch_size is 0, but must be at least 1"]),
        (["--data.segment_seconds", ".nan"], ["data.segment_seconds is nan"]),
        (["--data.statistics", "everyone"], ["data.statistics"]),
        (["--data.corpus.utterances_per_speaker", 9], ["utterances_per_speaker"]),
        (["--model.dropout", 1.5], ["model.dropout is 1.5, but must be less than 1"]),
        (["--model.learning_rate", -0.1], ["model.learning_rate is -0.1"]),
        (["--model.routing_iterations", 0], ["routing_iterations is 0, but must be at least 1"]),
        (["--model.routing_iterations", 2.5], ["routing_iterations"]),
        (["--model.lambda_", 0.5], ["lambda_"]),
        (["--learning_rate_rule.window_steps", 0], ["window_steps is 0"]),
        (["--seed_everything", "true"], ["seed_everything is True, but must be a whole number"]),
        (["--seed_everything", -3], ["seed_everything is -3, but must be at least 0"]),
        (["--data.max_batch_seconds", ".inf"], ["data.max_batch_seconds is inf"]),
        (["--trainer.limit_test_batches", 1], ["trainer.limit_test_batches is 1"]),
        (["--trainer.enable_checkpointing", "false"], ["trainer.enable_checkpointing is False"]),
        (["--trainer.max_epochs", 0], ["trainer.max_epochs is 0"]),
        (["--trainer.fast_dev_run", "true"], ["trainer.fast_dev_run is True"]),
        (["--trainer.precision", "bf16-true"], ["trainer.precision is bf16-true", "use one of 32-true, 64-true"]),
        (["--trainer.precision", "16-true"], ["trainer.precision is 16-true"]),
        (["--trainer.precision", "transformer-engine"], ["trainer.precision is transformer-engine"]),
        (["--trainer.precision", "8"], ["trainer.precision", "bf16-mixed"]),
        (["--trainer.plugins", "[lightning.pytorch.plugins.HalfPrecision]"], ["trainer.plugins: HalfPrecision"]),
        (["--ckpt_path", "last.ckpt"], ["ckpt_path"]),
        (["--trainer.default_root_dir", "x"], ["use --out"]),
        (["--trainer.devices", 3, "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp"], ["batch_size is 16"]),
        (["--no_such_option", 1], ["no_such_option"]),
    ],
)
def test_options_out_of_range(ser, tiny, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    finished = ser("fit", "--config", CONF / "reccap.yaml", *tiny, *options)
    refused(finished, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("modle: {class_path: ser.systems.CNNRecCap}", "modle"),
        ("optimiser: null", "optimiser"),
        ("data: {protocl: speaker}", "protocl"),
        ("data: {corpus: {class_path: ser.data.Synthetic, init_args: {rot: x}}}", "rot"),
        ("model: {class_path: ser.systems.CNNRecCap, init_args: {rooting: 3}}", "rooting"),
        ("trainer: {max_epoch: 3}", "max_epoch"),
        ("model: {class_path: ser.systems.CNNRekCap}", "CNNRekCap"),
    ],
)
def test_unknown_keys_and_classes_in_yaml(ser, tiny, tmp_path, monkeypatch, text, key):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    refused(ser("fit", "--config", CONF / "reccap.yaml", "--config", "mine.yaml", *tiny), key)


def test_a_file_that_is_not_utf8(ser, tiny, tmp_path):
    (tmp_path / "latin.yaml").write_bytes("# für mich\n".encode("latin-1"))
    refused(ser("fit", "--config", CONF / "reccap.yaml", "--config", tmp_path / "latin.yaml", *tiny), "not UTF-8")


def test_online_tracking_without_a_key(ser, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    options = [*tiny, "--wandb.mode", "online", "--out", tmp_path / "out"]
    refused(ser("fit", "--config", CONF / "reccap.yaml", *options), "--wandb.mode online needs a key")
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_not_overwritten(ser, tiny, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    finished = ser("fit", "--config", CONF / "reccap.yaml", *tiny, "--out", tmp_path)
    refused(finished, "already holds other files")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_test_needs_a_sound_checkpoint(ser, tiny, tmp_path):
    common = ["test", "--config", CONF / "reccap.yaml", *tiny, "--out", tmp_path / "out"]
    refused(ser(*common), "needs --ckpt_path")
    refused(ser(*common, "--ckpt_path", tmp_path / "none.ckpt"), "no such checkpoint")
    refused(ser(*common, "--ckpt_path", "http://127.0.0.1:1/x.ckpt"), "no such checkpoint (local files only)")
    (tmp_path / "bad.ckpt").write_bytes(b"PK not a checkpoint")
    refused(ser(*common, "--ckpt_path", tmp_path / "bad.ckpt"), "not a readable checkpoint")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_that_runs_code_is_refused(ser, tiny, tmp_path):
    import pickle
    from pathlib import Path

    class Touch:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    (tmp_path / "evil.ckpt").write_bytes(pickle.dumps({"state_dict": Touch()}))
    common = ["test", "--config", CONF / "reccap.yaml", *tiny, "--out", tmp_path / "out"]
    refused(ser(*common, "--ckpt_path", tmp_path / "evil.ckpt"), "not a readable checkpoint")
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_another_system_is_refused(ser, tiny, tmp_path):
    assert ser("fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "gru").code == 0
    best = tmp_path / "gru" / "checkpoints" / "best.ckpt"
    finished = ser("test", "--config", CONF / "reccap.yaml", *tiny, "--ckpt_path", best, "--out", tmp_path / "x")
    refused(finished, "holds a CNNGRU, but the configuration asks for ser.systems.CNNRecCap")


def test_unknown_command_and_no_command(ser):
    refused(ser("train"), "unknown command 'train'")
    assert ser().code == 2
    assert "usage: ser" in ser().out


def test_help_needs_nothing_heavy():
    code = (
        "import sys; sys.argv = ['ser', '--help']\n"
        "from ser.__main__ import main\n"
        "main(); heavy = {'torch', 'numpy', 'pandas', 'lightning', 'wandb'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ser fit --config reccap --config demo" in done.stdout


@pytest.mark.parametrize("arguments", [["corpus", "--help"], ["corpus", "check", "--help"], ["fit", "--help"]])
def test_every_command_explains_itself(ser, arguments):
    finished = ser(*arguments)
    assert finished.code == 0
    assert "usage:" in finished.out


def test_a_loss_that_is_no_number_ends_the_training(ser, tiny, tmp_path, monkeypatch):
    summed = System._summed_loss
    monkeypatch.setattr(System, "_summed_loss", lambda self, *given: summed(self, *given) * float("nan"))
    options = ["--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "run"]
    refused(ser("fit", *options), "the training loss of epoch 1 is nan", "--model.learning_rate")
    options += ["--checkpoints.steps", 1]
    refused(ser("fit", *options), "the weights are NaN or infinite after step 1", "--model.learning_rate")
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.parametrize("command", ["fit", "crossval", "sweep", "corpus"])
def test_a_name_that_is_no_text(ser, command):
    refused(ser(command, "--data.corpus.root", os.fsdecode(b"K\xf6ln")), "'K\\udcf6ln' is not UTF-8")
