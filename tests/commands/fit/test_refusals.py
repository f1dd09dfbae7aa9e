"""Refusals of `ser fit` for its command line and environment: one message, and nothing is written."""

import os

import pytest

from tests.conftest import CONF
from tests.made_up.manifests import write_manifest

RECCAP = ["fit", "--config", CONF / "reccap.yaml"]
THREE = ["--trainer.devices", 3, "--trainer.accelerator", "cpu", "--trainer.strategy", "ddp"]
HELP = "\n(all options"

OPTIONS = [  # after a configuration and the tiny corpus
    (["--data.fold", 11], ["fold is 11", "protocol speaker has folds 1 to 10"]),
    (["--data.fold", 0], ["fold is 0"]),
    (["--data.fold", "x"], ["data.fold"]),
    (["--data.protocol", "random"], ["data.protocol", "random"]),
    (["--data.batch_size", 0], ["data.batch_size is 0", "at least 1"]),
    (["--data.segment_seconds", ".nan"], ["data.segment_seconds is nan"]),
    (["--data.statistics", "everyone"], ["data.statistics"]),
    (["--data.corpus.utterances_per_speaker", 9], ["utterances_per_speaker"]),
    (["--model.dropout", 1.5], ["model.dropout is 1.5", "less than 1"]),
    (["--model.learning_rate", -0.1], ["model.learning_rate is -0.1"]),
    (["--model.routing_iterations", 0], ["routing_iterations is 0", "at least 1"]),
    (["--model.routing_iterations", 2.5], ["routing_iterations"]),
    (["--model.lambda_", 0.5], ["lambda_"]),
    (["--learning_rate_rule.window_steps", 0], ["window_steps is 0"]),
    (["--model.emotions", "[sad, happy]"], ["ser: model.emotions is always data.emotions; use --data.emotions"]),
    (["--model.init_args.emotions=[sad, happy]"], ["model.emotions is always data.emotions"]),
    (["--data.emotions", "[sad]"], ["emotions is ['sad']", "2 to 100 names"]),
    (["--data.emotions", "[sad, sad]"], ["emotions is ['sad', 'sad']", "'sad' is there twice"]),
    (["--data.emotions", "[sad, a/b]"], ["'a/b' cannot be used"]),
    (
        ["--data.emotions", "[sad, bored]"],
        ["1 problem", "data.emotions: no utterance is labelled 'bored' (its labels: "],
    ),
    (["--data.emotions", "[sad, excitd]"], ["no utterance is labelled 'excitd'; did you mean excited?"]),
    (["--data.merge", "{bored: sad}"], ["1 problem", "data.merge: no utterance is labelled 'bored'"]),
    (["--data.merge", "{excited: joy}"], ["'excited' as 'joy', which is not in data.emotions (neutral, angry, happy,"]),
    (["--data.merge", "{happy: sad}"], ["data.merge counts 'happy' as 'sad', but 'happy' is in data.emotions"]),
    (["--data.merge", "{a: b, b: a}"], ["data.merge counts 'a' as 'b', and is circular: a -> b -> a"]),
    (["--data.merge", "excited"], ["data.merge"]),
    (["--seed_everything", "true"], ["ser: seed_everything is True", "whole number"]),
    (["--seed_everything", -3], ["ser: seed_everything is -3", "at least 0"]),
    (["--data.max_batch_seconds", ".inf"], ["data.max_batch_seconds is inf"]),
    (["--trainer.limit_test_batches", 1], ["trainer.limit_test_batches is 1"]),
    (["--trainer.enable_checkpointing", "false"], ["trainer.enable_checkpointing is False"]),
    (["--trainer.max_epochs", 0], ["trainer.max_epochs is 0"]),
    (["--trainer.fast_dev_run", "true"], ["trainer.fast_dev_run is True"]),
    (["--trainer.precision", "bf16-true"], ["trainer.precision is bf16-true", "32-true, 64-true"]),
    (["--trainer.precision", "16-true"], ["trainer.precision is 16-true"]),
    (["--trainer.precision", "transformer-engine"], ["trainer.precision is transformer-engine"]),
    (["--trainer.precision", "8"], ["trainer.precision", "bf16-mixed"]),
    (["--trainer.plugins", "[lightning.pytorch.plugins.HalfPrecision]"], ["trainer.plugins: HalfPrecision"]),
    (["--ckpt_path", "last.ckpt"], ["ckpt_path"]),
    (["--trainer.default_root_dir", "x"], ["use --out"]),
    (THREE, ["batch_size is 16"]),
    (["--no_such_option", 1], ["no_such_option"]),
    (["--out", "."], ["already holds other files"]),
]
WRONG_NAMES = [  # after a configuration; the message suggests the nearest name and the help
    (["--data.fodl", 3], ["ser: data.fodl: no such option", "data.fold?", HELP]),
    (["--data.fodl=3"], ["ser: data.fodl: no such option", "data.fold?", HELP]),
    (["--trainer.max-epohcs", 3], ["ser: trainer.max_epohcs: no such option", "trainer.max_epochs?", HELP]),
    (["--model.rooting_iterations", 3], ["ser: model.rooting_iterations: no such", "model.routing_iterations?", HELP]),
    (["--modle.dropout", 0.1], ["ser: modle.dropout: no such option", "model?", HELP]),
    (["--model.lambda_", 0.5], ["ser: model.lambda_: no such option", HELP]),
    (["--data.corpus.rot", "x"], ["ser: data.corpus.rot: no such option", "data.corpus.root?", HELP]),
    (["--model.routing_iterations", 1.5], ["ser: model.routing_iterations: expected int, got 1.5", HELP]),
    (["--wandb.mode", "onlin"], ["ser: wandb.mode: expected one of 'offline', 'online', 'disabled', got onlin", HELP]),
    (["--data.fold.x", 1], ["ser: data.fold.x: no such option", HELP]),
    (["--trainer.max_epochs.x", 1], ["ser: trainer.max_epochs.x: no such option", HELP]),
    (
        ["--trainer.callbacks.logging_interval", "step"],
        ["ser: trainer.callbacks.logging_interval: no such option", "--trainer.callbacks CLASS", HELP],
    ),
    (
        ["--trainer.plugins.x", 1],
        ["ser: trainer.plugins: options without a class", "first name a class that has them", HELP],
    ),
]


@pytest.mark.parametrize(("options", "parts"), OPTIONS)
def test_options(refused, options, parts):
    refused([*RECCAP, "TINY", *options], parts, {"notes.txt": "mine"} if "--out" in options else {})


@pytest.mark.parametrize(("options", "parts"), WRONG_NAMES)
def test_a_wrong_option_is_named_with_the_nearest_one(refused, options, parts):
    assert ": ser fit --help" in refused([*RECCAP, *options], parts).splitlines()[-1]


def test_without_a_corpus_two_lines_say_what_to_do(refused):
    message = refused(RECCAP, ["no folder was given for IEMOCAP", "--data.corpus.root"])
    lines = message.strip().splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("ser fit --config reccap --config demo")


def test_without_anything_one_message_says_what_to_do(refused):
    message = refused(["fit"], ["data.corpus", "ser fit --config reccap --config demo"])
    assert len(message.splitlines()) <= 4


@pytest.mark.parametrize(("corpus", "words"), [("emodb", "not EMO-DB"), ("iemocap", "not IEMOCAP")])
def test_another_corpus_does_not_inherit_the_demos_folder(refused, tiny_corpus, tmp_path, corpus, words):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo").symlink_to(tiny_corpus)
    demo = ["--config", CONF / "demo.yaml", "--data", CONF / f"{corpus}.yaml"]
    refused([*RECCAP, *demo], ["holds the built-in corpus", words])


def test_online_tracking_without_a_key(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    refused([*RECCAP, "TINY", "--wandb.mode", "online", "--out", "out"], ["--wandb.mode online needs a key"])


@pytest.mark.parametrize("command", ["fit", "crossval", "sweep", "corpus"])
def test_a_name_that_is_no_text(refused, command):
    refused([command, "--data.corpus.root", os.fsdecode(b"K\xf6ln")], ["'K\\udcf6ln' is not UTF-8"])


@pytest.mark.parametrize("fold", [1, 2])
def test_a_recording_in_two_sets(refused, tmp_path, fold):
    """The first speaker's first recording again, as one of the third: tested in fold 1, trained on in fold 2."""
    table = write_manifest(tmp_path, "mine", "abcd", seed=1)
    (tmp_path / "mine8.wav").write_bytes((tmp_path / "mine0.wav").read_bytes())
    given = ["--data", "manifest", "--data.corpus.csv", table, "--data.fold", fold]
    refused(["fit", "--config", CONF / "cnn_gru.yaml", *given], ["share 1 recording", "mine0", "mine8"])
