"""Trainings that send themselves a signal at a chosen moment."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.short_corpus import write_short_corpus
from tests.conftest import CONF, SMALL_CAPSULES
from tests.process import Command

SYSTEMS = ("cnn_gru", "seqcap", "reccap", "gru_seqcap", "cnn_lstm")
EPOCHS, SESSIONS = 3, 2
RECORDING_SECONDS, SEGMENT_SECONDS, TAIL_SECONDS = 0.235, 0.1, 0.04
FEW_UNITS = 4
TABLES = ("metrics.csv", "predictions.csv", "validation.csv")


@dataclass(frozen=True)
class Moment:
    """The moment when a training sends itself a signal, and the signal.

    Attributes:
        hook: a Lightning hook, called before the checkpoints of that hook are written; or the name of a file, after it
            is written.
        step: number of optimiser steps done; ignored for a file that is not a checkpoint.
        number: signal number.
    """

    hook: str
    step: int
    number: int = signal.SIGKILL


def moments_around(step: int) -> list[Moment]:
    """Moments around the end of an epoch after `step` steps: around its last step and around its validation."""
    return [
        Moment("on_train_batch_end", step - 1),
        Moment("on_train_batch_start", step - 1),
        Moment("on_train_batch_end", step),
        Moment("on_validation_batch_end", step),
        Moment("on_train_epoch_end", step),
        Moment("on_train_epoch_start", step),
    ]


def write_corpus(folder: Path, built_in: Path | None = None, seconds: float = RECORDING_SECONDS) -> Path:
    """Two sessions of short recordings: 16 utterances, four speakers, two for training; see `write_short_corpus`."""
    return write_short_corpus(folder, seconds, SESSIONS, built_in)


def fit_options(system: str, table: Path, folder: Path, workers: int = 0, **more: object) -> list[str]:
    """Options of the shortest `ser fit` with several epochs, validation and checkpoints within an epoch.

    Args:
        system: name of its configuration file.
        table: manifest of the corpus.
        folder: output folder of the run.
        workers: number of data-loading workers.
        more: options by name, "trainer.max_epochs" for example.
    """
    options = {
        "--config": CONF / f"{system}.yaml",
        "--data.corpus": "ser.data.Manifest",
        "--data.corpus.csv": table,
        "--data.batch_size": 3,
        "--data.segment_seconds": SEGMENT_SECONDS,
        "--data.min_tail_seconds": TAIL_SECONDS,
        "--data.num_workers": workers,
        "--trainer.max_epochs": EPOCHS,
        "--trainer.enable_progress_bar": False,
        "--checkpoints.steps": 2,
        "--wandb.mode": "disabled",
        "--out": folder,
        **{f"--model.{cell}_units": FEW_UNITS for cell in ("gru", "lstm") if cell in system},
        **{f"--{name}": value for name, value in more.items()},
    }
    words = ["fit", *(word for option in options.items() for word in option)]
    return [str(word) for word in (*words, *(SMALL_CAPSULES if "cap" in system else []))]


class Run(Command):
    """A `ser` command under a signal or a hardship.

    Args:
        log: receives its output.
        moment: when it sends itself a signal, or None.
        hardship: called in the process before the command, to limit its disk or privileges.
    """

    def __init__(
        self, arguments: list[str], log: Path, moment: Moment | None = None, hardship: Callable | None = None
    ) -> None:
        super().__init__(arguments, log, prepare=partial(_prepare, moment, hardship))

    def code(self) -> int:
        """The exit code; -9 if it was killed."""
        return self.wait().code


def _prepare(moment: Moment | None, hardship: Callable | None) -> None:
    from tests.slow.faults.preloaded import signal_at

    if moment:
        signal_at(moment)
    if hardship:
        hardship()
