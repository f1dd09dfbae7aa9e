"""`ser test` and `ser validate`: evaluation of a run, options, and the speakers that a checkpoint was trained on."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ser.checkpoint.reading import read_checkpoint
from ser.data import IEMOCAP
from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns
from tests.conftest import CONF

RECCAP = ["test", "--config", CONF / "reccap.yaml", "TINY", "--out", "out"]
REFUSALS = [
    (RECCAP, ["needs --ckpt_path"]),
    ([*RECCAP, "--ckpt_path", "none.ckpt"], ["none.ckpt", "no such checkpoint"]),
    ([*RECCAP, "--ckpt_path", "http://127.0.0.1:1/x.ckpt"], ["no such checkpoint", "local files only"]),
    ([*RECCAP, "--ckpt_path", "bad.ckpt"], ["bad.ckpt", "not a readable checkpoint"]),
    ([*RECCAP, "--ckpt_path", "BEST OF cnn_gru"], ["holds a CNNGRU", "ser.systems.CNNRecCap"]),
    ([*RECCAP, "--ckpt_path", "BEST OF reccap", "--data.fold", 2], ["was trained on synthetic:Ses02F", "evaluated"]),
    ([*RECCAP, "--ckpt_path", "BEST OF reccap", "--data.fold", 6], ["was chosen on 8 of the recordings tested here"]),
    (
        [*RECCAP, "--ckpt_path", "BEST OF reccap", "--data.trim_silence", "true"],
        ["was trained with --data.trim_silence false; test it with the same"],
    ),
    (["test", "--config", CONF / "reccap.yaml", "--ckpt-pth", "x"], ["ser: ckpt_pth: no such option", "ckpt_path?"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, words, parts):
    message = refused(words, parts, {"bad.ckpt": b"PK not a checkpoint"})
    if "no such option" in message:
        assert message.splitlines()[-1].startswith("(all options")
        assert ": ser test --help" in message.splitlines()[-1]


def test_a_checkpoint_that_runs_code_is_refused(refused, tmp_path):
    marker = tmp_path.parent / f"{tmp_path.name}-executed"

    class Touch:
        def __reduce__(self):
            return Path.touch, (marker,)

    evil = pickle.dumps({"state_dict": Touch()})
    refused([*RECCAP, "--ckpt_path", "evil.ckpt"], ["not a readable checkpoint"], {"evil.ckpt": evil})
    assert not marker.exists()


def test_recordings_that_trained_a_checkpoint_are_known_under_any_name(refused, tiny_corpus, tmp_path):
    IEMOCAP(str(tiny_corpus)).utterances().to_csv(tmp_path / "renamed.csv", index=False)
    renamed = ["--data", CONF / "manifest.yaml", "--data.corpus.csv", "renamed.csv", "--data.fold", 2]
    words = ["test", "--config", CONF / "reccap.yaml", *renamed, "--wandb.mode", "disabled", "--out", "out"]
    refused([*words, "--ckpt_path", "BEST OF reccap"], ["was trained on 8 of the recordings evaluated here"])


def test_a_checkpoint_knows_its_speakers(best_of):
    assert len(read_checkpoint(best_of("reccap"))["speakers"]["train"]) == 8


def test_a_run_can_be_tested_again_from_its_own_folder(ser, fitted, best_of, tmp_path, monkeypatch):
    folder, _ = fitted("gru_seqcap")
    monkeypatch.chdir(tmp_path)
    finished = ser("test", "--config", folder / "config.yaml", "--ckpt_path", best_of("gru_seqcap"))
    assert finished.code == 0, finished.err
    (again,) = (tmp_path / "runs").iterdir()
    assert again.name.startswith("test-CNNGRUSeqCap-synthetic-speaker-fold1-")
    assert (again / "predictions.csv").read_text() == (folder / "predictions.csv").read_text()
    assert not (again / "validation.csv").exists()
    words = ["validate", "--config", folder / "config.yaml", "--ckpt_path", best_of("gru_seqcap"), "--out", "validated"]
    finished = ser(*words)
    assert finished.code == 0, finished.err
    assert (tmp_path / "validated" / "validation.csv").read_text() == (folder / "validation.csv").read_text()


def test_lambda_of_the_command_line_wins_over_the_checkpoint_and_that_over_the_file(ser, tiny, best_of, tmp_path):
    checkpoint = torch.load(best_of("gru_seqcap"), weights_only=True)
    checkpoint["hyper_parameters"]["lambda_"] = 0.9
    torch.save(checkpoint, tmp_path / "nine.ckpt")
    common = ["test", "--config", CONF / "gru_seqcap.yaml", *tiny, "--ckpt_path", tmp_path / "nine.ckpt"]
    for options, expected in (([], 0.9), (["--model.lambda_=0.25"], 0.25), (["--model.init_args.lambda_", 0], 0.0)):
        out = tmp_path / f"lambda{expected}"
        assert ser(*common, *options, "--out", out).code == 0
        table = pd.read_csv(out / "predictions.csv")
        capsule, gru = (table[posterior_columns(PAPER_EMOTIONS, branch)].to_numpy() for branch in ("capsule", "gru"))
        combined = expected * capsule + (1 - expected) * gru
        np.testing.assert_allclose(table[posterior_columns(PAPER_EMOTIONS)].to_numpy(), combined, atol=1e-6)
        assert json.loads((out / "result.json").read_text())["model"]["lambda_"] == expected


def test_single_options_win_wherever_they_stand(ser, fitted, best_of, tmp_path):
    words = ["test", "--model.lambda_", 0.25, "--ckpt_path", best_of("gru_seqcap"), "--out", tmp_path / "r"]
    finished = ser(*words, "--config", fitted("gru_seqcap")[0] / "config.yaml")
    assert finished.code == 0, finished.err
    assert json.loads((tmp_path / "r" / "result.json").read_text())["model"]["lambda_"] == 0.25
