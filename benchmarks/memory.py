"""Measure the peak memory of `ser fit` and `ser test` on a corpus with the utterance lengths of IEMOCAP.

python -m benchmarks.memory --threads 2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from ser.emotions import PAPER_EMOTIONS

MOST_GB = 2.2
SYSTEMS = ("cnn_gru", "seqcap", "reccap", "gru_seqcap", "cnn_lstm")
UTTERANCES = (
    228,
    228,
    50,
    50,
    50,
    50,
)  # of each speaker; the first two are tested and validated
MEDIAN_SECONDS, SPREAD = 3.5, 0.71  # log-normal with a mean of 4.5 s
SHORTEST_SECONDS, LONGEST_SECONDS = 0.6, 34.0  # every speaker has one of the longest


def write_corpus(folder: Path) -> Path:
    """Write recordings of noise with the lengths of IEMOCAP's improvised utterances; return the manifest."""
    random = np.random.default_rng(1)
    lines = ["utterance,path,session,speaker,emotion"]
    for speaker, number in enumerate(UTTERANCES):
        seconds = np.exp(random.normal(np.log(MEDIAN_SECONDS), SPREAD, number))
        seconds = np.clip(seconds, SHORTEST_SECONDS, LONGEST_SECONDS)
        seconds[0] = LONGEST_SECONDS
        for place, duration in enumerate(seconds):
            name = f"s{speaker}_{place:03}"
            write_wav(folder / f"{name}.wav", random.normal(0, 3000, round(16_000 * duration)).astype("<i2"))
            lines.append(f"{name},{name}.wav,{speaker // 2},s{speaker},{PAPER_EMOTIONS[place % len(PAPER_EMOTIONS)]}")
    manifest = folder / "shaped.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def write_wav(path: Path, samples: np.ndarray, sample_rate_hz: int = 16_000) -> None:
    """Write a mono recording of 16-bit integers."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(samples.tobytes())


def run(words: list[object], log: Path, **variables: str) -> tuple[float, float]:
    """Run `ser WORDS`; return seconds and peak resident memory in GB."""
    started = time.perf_counter()
    with log.open("wb") as output:
        command = [sys.executable, "-m", "ser", *map(str, words)]
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | variables)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"ser {words[0]} failed:\n{log.read_text()}")
    return time.perf_counter() - started, usage.ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, choices=SYSTEMS)
    parser.add_argument("--threads", nargs="+", default=["2", "1"])
    parser.add_argument("--corpus", type=Path, help="folder with the corpus of an earlier run (default: written anew)")
    parser.add_argument("more", nargs="*", help="more options of fit and test, after --")
    options = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        manifest = options.corpus / "shaped.csv" if options.corpus else write_corpus(folder)
        data = ["--data", "manifest", "--data.corpus.csv", manifest, *options.more]
        quiet = ["--wandb.mode", "disabled", "--trainer.enable_progress_bar", "false"]
        print("| system | threads | command | s | peak GB | target |\n|---|---|---|---|---|---|")
        for system in options.systems:
            for threads in options.threads:
                out = folder / f"{system}-{threads}"
                fit = ["fit", "--config", system, *data, *quiet, "--trainer.max_epochs", 1, "--out", out]
                test = ["test", "--ckpt_path", out / "checkpoints" / "best.ckpt", "--out", folder / f"{out.name}-test"]
                test += ["--config", out / "config.yaml"]
                for words in (fit, test):
                    seconds, peak = run(words, folder / "log", OMP_NUM_THREADS=threads)
                    missed |= peak > MOST_GB
                    print(f"| {system} | {threads} | {words[0]} | {seconds:.0f} | {peak:.2f} | {MOST_GB} |", flush=True)
    if missed:
        print("target missed")


if __name__ == "__main__":
    main()
