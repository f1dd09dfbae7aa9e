"""The smallest cross-validation there is, as a process of its own."""

import os
import subprocess
import sys

import pytest

from ser.data import Synthetic

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "ser", *map(str, arguments)]


def crossval(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(command("crossval", *arguments), capture_output=True, text=True, env=ENVIRONMENT)


@pytest.fixture(scope="session")
def least(tmp_path_factory):
    """Options of the smallest training there is: eight utterances per speaker, one epoch."""
    root = tmp_path_factory.mktemp("corpora") / "least"
    Synthetic(str(root), utterances_per_speaker=8).prepare()
    corpus = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", root]
    corpus += ["--data.corpus.utterances_per_speaker", 8]
    return [*corpus, "--trainer.max_epochs", 1, "--wandb.mode", "disabled", "--data.protocol", "wu2019"]


@pytest.fixture(scope="session")
def two_epochs(least):
    """The smallest training that has a middle."""
    return [*least, "--trainer.max_epochs", 2]
