"""The smallest cross-validation there is, as a process of its own."""

import tempfile
from pathlib import Path

import pytest

from tests.conftest import SMALL_CAPSULES, Finished
from tests.process import Command


def run(*arguments) -> Finished:
    """`ser ARGUMENTS` in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        return Command(arguments, Path(place) / "out", Path(place) / "err").wait()


def crossval(*arguments) -> Finished:
    return run("crossval", *arguments)


@pytest.fixture(scope="session")
def least(tiny):
    """Options of the smallest training there is, under a protocol of five folds."""
    return [*tiny, "--data.protocol", "wu2019"]


@pytest.fixture(scope="session")
def two_epochs(least):
    """The smallest training of capsules that has a middle."""
    return [*least, *SMALL_CAPSULES, "--trainer.max_epochs", 2]
