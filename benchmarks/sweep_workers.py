"""Time the routing study on the built-in corpus with one single-threaded worker and with two.

CNN_SeqCap, one to five routing iterations, exhaustive. Studies with one worker and with two alternate, so that a
slowdown of the machine affects both.

    python benchmarks/sweep_workers.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml

from ser.data import Synthetic

CONF = Path(__file__).parents[1] / "conf"
TARGET = 0.65


def write_study(folder: Path, utterances: int, epochs: int, iterations: int) -> Path:
    """Write the study and its corpus."""
    root = folder / "corpus"
    Synthetic(str(root), utterances_per_speaker=utterances).prepare()
    corpus = {"root": str(root), "utterances_per_speaker": utterances}
    study = {
        "study": "routing",
        "config": [str(CONF / "seqcap.yaml")],
        "options": {
            "data.corpus": {"class_path": "ser.data.Synthetic", "init_args": corpus},
            "trainer.max_epochs": epochs,
            "wandb.mode": "disabled",
        },
        "space": {"model.routing_iterations": {"int": [1, iterations]}},
        "sampler": "exhaustive",
        "folds": [1],
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def time_study(study: Path, folder: Path, workers: int) -> float:
    """Seconds of `ser sweep` from its start to its end."""
    words = ["--config", study, "--out", folder, "--workers", workers]
    started = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-m", "ser", "sweep", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if finished.returncode:
        sys.exit(finished.stdout + finished.stderr)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=48, help="of each of the ten speakers (default: 48)")
    parser.add_argument("--epochs", type=int, default=3, help="default: 3")
    parser.add_argument("--iterations", type=int, default=5, help="routing iterations, 1 to this (default: 5)")
    parser.add_argument("--repeats", type=int, default=1, help="default: 1")
    options = parser.parse_args()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        study = write_study(folder, options.utterances, options.epochs, options.iterations)
        for repeat in range(options.repeats):
            for workers, times in seconds.items():
                times.append(time_study(study, folder / f"workers{workers}-{repeat}", workers))
                print(f"{workers} worker{'s' if workers > 1 else ' '}  {times[-1]:7.1f} s", flush=True)
    ratio = median(seconds[2]) / median(seconds[1])
    print(f"ratio      {ratio:7.2f}    (target: at most {TARGET})")
    sys.exit(0 if ratio <= TARGET else 1)


if __name__ == "__main__":
    main()
