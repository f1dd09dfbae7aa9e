"""A minimal cross-validation in a separate process."""

import tempfile
from pathlib import Path

import pytest

from tests.conftest import SMALL_CAPSULES, Finished
from tests.slow.forked import Command


def run(*arguments) -> Finished:
    """Run `ser ARGUMENTS` in a separate process."""
    with tempfile.TemporaryDirectory() as place:
        return Command(arguments, Path(place) / "out", Path(place) / "err").wait()


def crossval(*arguments) -> Finished:
    return run("crossval", *arguments)


@pytest.fixture(scope="session")
def least(tiny):
    """Options of a minimal training, with a protocol of five folds."""
    return [*tiny, "--data.protocol", "wu2019"]


@pytest.fixture(scope="session")
def two_epochs(least):
    """Options of a minimal capsule training of two epochs."""
    return [*least, *SMALL_CAPSULES, "--trainer.max_epochs", 2]
