"""Measure how time and memory of `ser corpus check` and of the start of a training grow with the number of recordings.

Growth is that of CPU time per recording, which other work on the machine hardly changes.

python -m benchmarks.scale
python -m benchmarks.scale --numbers 2000 --rate 8000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.memory import write_wav
from ser.emotions import PAPER_EMOTIONS

MOST_GROWTH = 1.2  # of the time per recording
UTTERANCES_PER_SPEAKER = 20
SECONDS = 1.0
# A command of `ser` up to its end or to its first training step, timed without the imports.
PROGRAM = r"""
import os, sys, time
import torchaudio
import ser.commands.{command} as command
from ser.systems.system import System

def end(*_):
    print("\nseconds", time.perf_counter() - started, time.process_time() - used, flush=True)
    os._exit(0)

System.training_step = end
started, used = time.perf_counter(), time.process_time()
command.main(sys.argv[1:])
end()
"""


class Cost(NamedTuple):
    """Of one command: seconds and CPU seconds after the imports, and peak resident memory in GB."""

    seconds: float
    cpu_seconds: float
    peak: float


def write_corpus(folder: Path, number: int, sample_rate_hz: int) -> Path:
    """Write short recordings, all different, of `number` / 20 speakers, two a session; return the manifest."""
    random = np.random.default_rng(number)
    noise = random.normal(0, 3000, 60 * sample_rate_hz).astype("<i2")
    starts = random.permutation(len(noise) - round(SECONDS * sample_rate_hz))  # no two are equal, or they would leak
    lines = ["utterance,path,session,speaker,emotion"]
    for place, start in enumerate(starts[:number]):
        name, speaker = f"u{place:06}", place // UTTERANCES_PER_SPEAKER
        write_wav(folder / f"{name}.wav", noise[start:][: round(SECONDS * sample_rate_hz)], sample_rate_hz)
        lines.append(f"{name},{name}.wav,{speaker // 2},s{speaker},{PAPER_EMOTIONS[place % len(PAPER_EMOTIONS)]}")
    manifest = folder / "many.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def measure(command: str, words: list[object], log: Path, cache: Path) -> Cost:
    """Run a command of `ser` in a process of its own."""
    with log.open("wb") as output:
        program = [sys.executable, "-c", PROGRAM.format(command=command), *map(str, words)]
        variables = os.environ | {"SER_CACHE": str(cache)}
        process = subprocess.Popen(program, stdout=output, stderr=output, env=variables)
        _, status, usage = os.wait4(process.pid, 0)
    text = log.read_text()
    if status or "\nseconds " not in text:
        raise SystemExit(f"ser {command} failed:\n{text}")
    return Cost(*map(float, text.rsplit("\nseconds ", 1)[1].split()), usage.ru_maxrss * 1024 / 1e9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", nargs="+", type=int, default=[2000, 20_000], help="of recordings")
    parser.add_argument("--rate", type=int, default=16_000, help="sample rate in Hz; others than 16000 are converted")
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    print("| recordings | command | s | CPU s | CPU ms per recording | peak GB |\n|---|---|---|---|---|---|")
    for number in options.numbers:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            manifest = write_corpus(folder, number, options.rate)
            data = ["--data", "manifest", "--data.corpus.csv", manifest, "--wandb.mode", "disabled"]
            fit = ["--config", "cnn_gru", *data]
            for name, command, words in (
                ("corpus check", "corpus", ["check", manifest]),
                ("fit, up to the first step", "fit", [*fit, "--out", folder / "first"]),
                ("the same again", "fit", [*fit, "--out", folder / "second"]),
            ):
                cost = measure(command, words, folder / "log", folder / "cache")
                costs.setdefault(name, []).append(cost)
                times = f"{cost.seconds:.1f} | {cost.cpu_seconds:.1f} | {1000 * cost.cpu_seconds / number:.2f}"
                print(f"| {number} | {name} | {times} | {cost.peak:.2f} |", flush=True)
    fewest, most = options.numbers[0], options.numbers[-1]
    for name, (first, *_, last) in costs.items() if fewest != most else ():
        growth = (last.cpu_seconds / most) / (first.cpu_seconds / fewest)
        missed = "" if growth <= MOST_GROWTH else ": target missed"
        print(f"{name}: CPU time per recording grows by {growth:.2f} (target: at most {MOST_GROWTH}){missed}")


if __name__ == "__main__":
    main()
