"""Refusals of `ser crossval`: one message, and nothing is written."""

import shutil

import pytest

from tests.conftest import CONF

WORDS = ["crossval", "--config", CONF / "cnn_gru.yaml", "TINY", "--data.protocol", "wu2019", "--out", "run"]
REFUSALS = [
    (["--folds", "6"], ["there is no fold 6"]),
    (["--folds", "0"], ["folds: there is no fold 0"]),
    (["--folds", "two"], ["must be numbers like"]),
    (["--folds", ""], ["must be numbers like"]),
    (["--folds", "1-99999999"], ["folds is '1-99999999': more than 10000 numbers"]),
    (["--seeds", f"1-{'9' * 30}"], ["seeds is '1-9", "more than 10000 numbers"]),
    (["--seeds", "4294967296"], ["seeds is 4294967296", "at most 4294967295"]),
    (["--data.fold", "2"], ["use --folds"]),
    (["--jobs", "0"], ["jobs is 0"]),
    (["--jobs", 100000], ["jobs is 100000", "at most 1024"]),
    (["--devices", "99"], ["devices is 99"]),
    (["--devices", "two"], ["devices is 'two'"]),
    (["--trainer.devices", "2"], ["trainer.devices"]),
    (["--epochs-averaged", "2"], ["epochs_averaged is 2", "at most 1"]),
    (["--out", "."], ["already holds other files"]),
    (["--flds", 3], ["ser: flds: no such option", "folds?", ": ser crossval --help"]),
    (["--fold", 3], ["ser: --fold: no such option", "--folds?", ": ser crossval --help"]),
]


@pytest.mark.parametrize(("options", "parts"), REFUSALS)
def test_refusals(refused, options, parts):
    message = refused([*WORDS, *options], parts, {"thesis.txt": "mine"})
    assert "no such option" not in message or message.splitlines()[-1].startswith("(all options")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--model.dropout", 0.2], ["model.dropout: 0.5 there, 0.2 here"]),
        (["--folds", "1-2"], ["a run without 3, 4, 5 would replace it"]),
    ],
)
def test_another_configuration_and_a_larger_result(refused, undisturbed, two_epochs, tmp_path, options, parts):
    shutil.copytree(undisturbed[0], tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    refused(["crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, *options, "--out", "run"], parts)


def test_a_fold_folder_that_is_another_fold(refused, undisturbed, two_epochs, tmp_path):
    """A fold is identified by its record, not by the name of its folder."""
    shutil.copytree(undisturbed[0], tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    shutil.rmtree(tmp_path / "run" / "seed1-fold05")
    shutil.copytree(tmp_path / "run" / "seed1-fold01", tmp_path / "run" / "seed1-fold05")
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs, "--out", "run"]
    refused(words, ["fold: 1 there, 5 here"])
