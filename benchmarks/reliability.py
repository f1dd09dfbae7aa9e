"""Time training steps with and without the callbacks that make a run repeatable and safe.

With: dropout drawn from (seed, step), sums of the epoch's loss for `metrics.csv`, signals, checkpoints within an epoch.
Without: none of these callbacks. The two take turns in one process; a step is timed from its start to the next start.
The writing of a checkpoint is timed separately, since its frequency is an option.

    python -m benchmarks.reliability --config conf/reccap.yaml
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from lightning import Callback

from ser.commands.fit import main
from ser.data import Synthetic
from ser.systems.dropout import SeededDropout
from ser.systems.system import System
from ser.training.callbacks.checkpointing import AtomicCheckpointIO, Checkpoints, EndInOrder, WithinEpoch
from ser.training.callbacks.history import History
from ser.training.run import Run

SAFE = (SeededDropout, EndInOrder, WithinEpoch, History)
TARGET = 1.03
WRITE_TARGET = 0.02  # share of the time between two checkpoints


class Clock(Callback):
    """Record the start of every training step."""

    def __init__(self) -> None:
        self.starts: list[float] = []

    def on_train_batch_start(self, *_) -> None:
        self.starts.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Seconds from each start to the next."""
        return [later - sooner for sooner, later in zip(self.starts, self.starts[1:], strict=False)]


def time_training(arguments: list[str], safe: bool, writes: list[float]) -> list[float]:
    """Train one epoch; return the seconds of its steps and append those of its checkpoints to `writes`."""
    clock, make, evaluate = Clock(), Run._trainer, Run.evaluate
    save, configure = AtomicCheckpointIO.save_checkpoint, System.configure_callbacks

    def save_checkpoint(self, *given, **named) -> None:
        started = time.perf_counter()
        save(self, *given, **named)
        writes.append(time.perf_counter() - started)

    def make_trainer(self):
        trainer = make(self)
        kept = [each for each in trainer.callbacks if safe or not isinstance(each, SAFE)]
        trainer.callbacks = [clock, *kept]
        return trainer

    Run._trainer, Run.evaluate = make_trainer, lambda *_: None
    AtomicCheckpointIO.save_checkpoint = save_checkpoint
    System.configure_callbacks = lambda self: [each for each in configure(self) if safe or not isinstance(each, SAFE)]
    try:
        main(arguments)
    finally:
        Run._trainer, Run.evaluate = make, evaluate
        AtomicCheckpointIO.save_checkpoint, System.configure_callbacks = save, configure
    return clock.seconds


def measure(config: str, repeats: int, folder: Path, writes: list[float]) -> dict[bool, list[float]]:
    """Return the seconds of all steps, with and without, and append those of the checkpoints to `writes`."""
    root = folder / "corpus"
    Synthetic(str(root), utterances_per_speaker=16).prepare()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for repeat in range(repeats):
        for safe in (True, False) if repeat % 2 else (False, True):
            options = {
                "--config": config,
                "--data.corpus": "ser.data.Synthetic",
                "--data.corpus.root": root,
                "--data.corpus.utterances_per_speaker": 16,
                "--trainer.max_epochs": 1,
                "--trainer.enable_progress_bar": False,
                "--wandb.mode": "disabled",
                "--out": folder / f"{repeat}-{safe}",
            }
            words = [str(word) for option in options.items() for word in option]
            seconds[safe] += time_training(words, safe, writes)
    return seconds


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="conf/reccap.yaml", help="default: conf/reccap.yaml")
    parser.add_argument("--repeats", type=int, default=6, help="number of trainings with and without (default: 6)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(options.config, options.repeats, Path(folder), writes := [])
    print(f"\n{'':8s} {'steps':>6s} {'median ms':>10s} {'quartiles':>15s}")
    for safe, name in ((True, "with"), (False, "without")):
        low, middle, high = (1e3 * quartile for quartile in quantiles(seconds[safe], n=4))
        print(f"{name:8s} {len(seconds[safe]):6d} {middle:10.1f} {low:7.1f}-{high:.1f}")
    ratio = median(seconds[True]) / median(seconds[False])
    print(f"ratio {ratio:.3f} (target: at most {TARGET})")
    between, write = 60 * Checkpoints().minutes, median(writes)
    share = write / (between + write)
    print(f"a checkpoint is written in {1e3 * write:.0f} ms (longest {1e3 * max(writes):.0f} ms), by default after")
    print(f"{between:.0f} s: {share:.3%} of the time (target: at most {WRITE_TARGET:.0%})")
    sys.exit(ratio > TARGET or share > WRITE_TARGET)


if __name__ == "__main__":
    run()
