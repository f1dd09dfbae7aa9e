"""Runs trained once for all test processes: one per system, and a cross-validation. No test changes them."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from ser.commands import main
from tests.conftest import CONF, SMALL_CAPSULES


def run_once(place: Path, *words: object) -> None:
    """Run a command of `ser` with output folder `run`; write what it prints to `printed.txt`."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main([*map(str, words), "--out", str(place / "run")]) == 0
    (place / "printed.txt").write_text(printed.getvalue())


@pytest.fixture(scope="session")
def fitted(made_once, tiny):
    """The run of a configuration on the tiny corpus: its folder, and what `ser fit` printed."""

    def fit(config: str) -> tuple[Path, str]:
        place = made_once(config, lambda place: run_once(place, "fit", "--config", CONF / f"{config}.yaml", *tiny))
        return place / "run", (place / "printed.txt").read_text()

    return fit


@pytest.fixture(scope="session")
def best_of(fitted):
    """The best checkpoint of a configuration's run."""
    return lambda config: fitted(config)[0] / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="session")
def least(tiny):
    """Options of the smallest training, with protocol wu2019, which has five folds."""
    return [*tiny, "--data.protocol", "wu2019"]


@pytest.fixture(scope="session")
def two_epochs(least):
    """Options of a small capsule training of two epochs, with other test halves than the default."""
    return [*least, "--data.test_halves", "MMFFM", *SMALL_CAPSULES, "--trainer.max_epochs", 2]


@pytest.fixture(scope="session")
def undisturbed(made_once, two_epochs):
    """A cross-validation of five folds, two at a time: its folder, and what it printed."""
    words = ["crossval", "--config", CONF / "gru_seqcap.yaml", *two_epochs]
    words += ["--trainer.devices", "auto", "--jobs", 2]  # "auto" is Lightning's default
    place = made_once("crossval", lambda place: run_once(place, *words))
    return place / "run", (place / "printed.txt").read_text()


@pytest.fixture(scope="session")
def demo(made_once):
    """The README's first command, in other folders: the folder of its `corpus` and its `run`. It takes minutes."""

    def make(place: Path) -> None:
        from ser.data import Synthetic

        Synthetic(str(place / "corpus")).prepare()
        words = ["fit", "--config", CONF / "reccap.yaml", "--config", CONF / "demo.yaml"]
        run_once(place, *words, "--data.corpus.root", place / "corpus", "--wandb.mode", "disabled")

    return made_once("demo", make)
