"""Shared fixtures: a tiny built-in corpus, and the command `ser` run in this process."""

import gc
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run in parallel; more threads would slow them down
os.environ.pop("WANDB_MODE", None)  # ser prints whether an option overrides it
os.environ["WANDB_ERROR_REPORTING"] = "false"
CONF = Path(__file__).parents[1] / "conf"
TINY_SECONDS = 0.25
TINY_SEGMENTS = ["--data.segment_seconds", 0.15, "--data.min_tail_seconds", 0.05]
# Few capsules, and windows so short that such a segment has several.
SMALL_CAPSULES = ["--model.window_steps", 2, "--model.window_shift", 1, "--model.window_kernel", 2]
SMALL_CAPSULES += ["--model.num_window_convolutions", 2, "--model.emo_capsule_dim", 4]


def pytest_configure(config: pytest.Config) -> None:
    """Hide GPUs except with `-m gpu`: other tests compare trainings bit for bit, and fork."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker per logical core; more would only compete."""
    return os.cpu_count() or 1


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Exclude objects created by imports from garbage collection, and pause it during collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@dataclass
class Finished:
    """Result of a command: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function that makes a folder once for all test processes, which must not change it: made_once(name, make)."""
    from ser.processes.jobs import only_one

    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place

    def folder(name: str, make: Callable[[Path], object]) -> Path:
        shared = place / "shared" / name
        shared.mkdir(parents=True, exist_ok=True)
        with only_one(shared, wait_seconds=None):
            if not (shared / "made").exists():
                make(shared)
                (shared / "made").touch()
        return shared

    return folder


@pytest.fixture(scope="session")
def built_in(made_once):
    """The smallest built-in corpus, for tests to copy."""
    from benchmarks.short_corpus import UTTERANCES_PER_SPEAKER
    from ser.data import Synthetic

    def make(place: Path) -> None:
        Synthetic(str(place / "corpus"), UTTERANCES_PER_SPEAKER).prepare()

    return made_once("built-in", make) / "corpus"


@pytest.fixture(scope="session")
def tiny_corpus(built_in, made_once):
    """The built-in corpus with eight utterances per speaker of at most 0.25 s."""
    from benchmarks.short_corpus import shorten

    def make(place: Path) -> None:
        shutil.copytree(built_in, place / "tiny")
        shorten(sorted((place / "tiny").rglob("[!.]*.wav")), TINY_SECONDS)

    return made_once("tiny", make) / "tiny"


@pytest.fixture(scope="session")
def tiny_release(tiny_corpus, tmp_path_factory):
    """The tiny corpus without its marker file, in place of IEMOCAP's release."""
    root = tmp_path_factory.mktemp("release") / "IEMOCAP_full_release"
    shutil.copytree(tiny_corpus, root, ignore=shutil.ignore_patterns("ser-synthetic.json"))
    return root


@pytest.fixture
def ser(monkeypatch, capsys):
    """Run `ser ARGUMENTS` in this process."""
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
    """Options of a minimal run: the tiny corpus, one epoch, no tracking."""
    corpus = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    corpus += ["--data.corpus.utterances_per_speaker", 8, *TINY_SEGMENTS]
    return [*corpus, "--trainer.max_epochs", 1, "--wandb.mode", "disabled"]
