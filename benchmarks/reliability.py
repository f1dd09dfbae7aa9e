"""Time training steps with everything that makes a run repeatable and safe, against the same training without it.

With: dropout drawn from (seed, step), sums of the epoch's loss for `metrics.csv`, signals, checkpoints within an epoch
(their writing is counted by itself, since it depends on how often one is wanted). Without: none of these callbacks. The
two take turns in one process; a step is timed from its start to the next one's.

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

from ser.callbacks import SeededDropout
from ser.checkpointing import EndInOrder, WithinEpoch
from ser.cli import RunCLI, main
from ser.data import Synthetic
from ser.history import History

SAFE = (SeededDropout, EndInOrder, WithinEpoch, History)
TARGET = 1.03


class Clock(Callback):
    """Seconds of every step but the first."""

    def __init__(self) -> None:
        self.starts: list[float] = []

    def on_train_batch_start(self, *_) -> None:
        self.starts.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """From each start to the next."""
        return [later - sooner for sooner, later in zip(self.starts, self.starts[1:], strict=False)]


def time_training(arguments: list[str], safe: bool) -> list[float]:
    """Train one epoch; seconds of its steps."""
    clock, instantiate, evaluate = Clock(), RunCLI.instantiate_trainer, RunCLI._evaluate

    def instantiate_trainer(self, **options):
        trainer = instantiate(self, **options)
        kept = [each for each in trainer.callbacks if safe or not isinstance(each, SAFE)]
        trainer.callbacks = [clock, *kept]
        return trainer

    RunCLI.instantiate_trainer, RunCLI._evaluate = instantiate_trainer, lambda *_: None
    try:
        sys.argv = ["ser", *arguments]
        main()
    finally:
        RunCLI.instantiate_trainer, RunCLI._evaluate = instantiate, evaluate
    return clock.seconds


def measure(config: str, repeats: int, folder: Path) -> dict[bool, list[float]]:
    """Seconds of all steps, with and without."""
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
            seconds[safe] += time_training(["fit", *words], safe)
    return seconds


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="conf/reccap.yaml", help="default: conf/reccap.yaml")
    parser.add_argument("--repeats", type=int, default=6, help="trainings of each kind (default: 6)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(options.config, options.repeats, Path(folder))
    print(f"\n{'':8s} {'steps':>6s} {'median ms':>10s} {'quartiles':>15s}")
    for safe, name in ((True, "with"), (False, "without")):
        low, middle, high = (1e3 * quartile for quartile in quantiles(seconds[safe], n=4))
        print(f"{name:8s} {len(seconds[safe]):6d} {middle:10.1f} {low:7.1f}-{high:.1f}")
    ratio = median(seconds[True]) / median(seconds[False])
    print(f"ratio {ratio:.3f} (target: at most {TARGET})")
    sys.exit(ratio > TARGET)


if __name__ == "__main__":
    run()
