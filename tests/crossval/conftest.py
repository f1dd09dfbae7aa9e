"""The smallest cross-validation there is, as a process of its own."""

import os
import subprocess
import sys

import pytest

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "ser", *map(str, arguments)]


def crossval(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(command("crossval", *arguments), capture_output=True, text=True, env=ENVIRONMENT)


@pytest.fixture(scope="session")
def least(tiny):
    """Options of the smallest training there is, under a protocol of five folds."""
    return [*tiny, "--data.protocol", "wu2019"]


@pytest.fixture(scope="session")
def two_epochs(least):
    """The smallest training that has a middle."""
    return [*least, "--trainer.max_epochs", 2]
