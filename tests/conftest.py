"""What several tests share: a tiny built-in corpus, and the command `ser` run in this process."""

import gc
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, and threads would wait for each other
os.environ.setdefault("WANDB_MODE", "offline")
os.environ["WANDB_ERROR_REPORTING"] = "false"
CONF = Path(__file__).parents[1] / "conf"
TINY_SECONDS = 0.25
TINY_SEGMENTS = ["--data.segment_seconds", 0.15, "--data.min_tail_seconds", 0.05]
# Few capsules, in windows of which such segments have several.
SMALL_CAPSULES = ["--model.window_steps", 2, "--model.window_shift", 1, "--model.window_kernel", 2]
SMALL_CAPSULES += ["--model.num_window_convolutions", 2, "--model.emo_capsule_dim", 4]


def pytest_configure(config: pytest.Config) -> None:
    """Hide GPUs unless they are asked for: elsewhere trainings are compared bit for bit, and forked."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as there are cores, be they real ones or threads of one; more would be in each other's way."""
    return os.cpu_count() or 1


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage among what is imported now and stays, neither now nor later: many a test is shorter."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@dataclass
class Finished:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def make_once(tmp_path_factory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first test process to need it makes for all of them: to be read or copied."""
    from ser.processes.jobs import only_one

    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    with only_one(place, wait_seconds=None):
        if not (place / name).exists():
            make(place / name)
    return place / name


@pytest.fixture(scope="session")
def built_in(tmp_path_factory):
    """The built-in corpus with the fewest utterances."""
    from benchmarks.short_corpus import UTTERANCES_PER_SPEAKER
    from ser.data import Synthetic

    return make_once(tmp_path_factory, "built-in", lambda root: Synthetic(str(root), UTTERANCES_PER_SPEAKER).prepare())


@pytest.fixture(scope="session")
def tiny_corpus(built_in, tmp_path_factory):
    """The built-in corpus with eight utterances per speaker, none longer than 0.25 s."""
    from benchmarks.short_corpus import shorten

    root = tmp_path_factory.mktemp("corpora") / "tiny"
    shutil.copytree(built_in, root)
    shorten(sorted(root.rglob("[!.]*.wav")), TINY_SECONDS)
    return root


@pytest.fixture(scope="session")
def tiny_release(tiny_corpus, tmp_path_factory):
    """The tiny corpus without its marker: as if it were IEMOCAP's release."""
    root = tmp_path_factory.mktemp("release") / "IEMOCAP_full_release"
    shutil.copytree(tiny_corpus, root, ignore=shutil.ignore_patterns("ser-synthetic.json"))
    return root


@pytest.fixture
def ser(monkeypatch, capsys):
    """Run `ser ARGUMENTS` as the console script does."""
    from ser.__main__ import main

    def run(*arguments) -> Finished:
        monkeypatch.setattr(sys, "argv", ["ser", *map(str, arguments)])
        capsys.readouterr()
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Finished(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def tiny(tiny_corpus):
    """Options that make a fit as small as it gets: the tiny corpus, one epoch, no tracking."""
    corpus = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    corpus += ["--data.corpus.utterances_per_speaker", 8, *TINY_SEGMENTS]
    return [*corpus, "--trainer.max_epochs", 1, "--wandb.mode", "disabled"]
