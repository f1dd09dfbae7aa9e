"""Measure `ser predict` on an hour of audio: memory above the loaded network, and speed beside the bare network.

python -m benchmarks.predict runs/reccap .../emodb/wav --minutes 60

The recordings of the folder are joined, again and again, to one file for each format. Memory is measured in processes
of their own. For speed, the network alone and the whole way from files to answers take turns on the same audio.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

import ser
from ser.audio.frames import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from ser.data.segments import EvaluationBatches
from ser.recognition.recogniser import BATCH_SECONDS, MAX_SECONDS, Recogniser

MOST_MB = 500
LEAST_SPEED = 0.8
FORMATS = {"16 kHz mono WAV": (16_000, 1, "wav"), "48 kHz stereo FLAC": (48_000, 2, "flac")}


def write_long(files: list[Path], path: Path, minutes: float, sample_rate_hz: int, channels: int) -> None:
    """Join recordings of 16 kHz until the file is long enough; other rates repeat samples, which is enough here."""
    remaining, factor = round(60 * minutes * SAMPLE_RATE_HZ), sample_rate_hz // SAMPLE_RATE_HZ
    with soundfile.SoundFile(path, "w", sample_rate_hz, channels) as out:
        while remaining > 0:
            for file in files:
                samples = soundfile.read(file, dtype="int16")[0][:remaining]
                out.write(np.repeat(samples, factor)[:, None].repeat(channels, axis=1))
                remaining -= len(samples)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _measure(run: str, path: str, what: str, threads: int, results) -> None:
    torch.set_num_threads(threads)
    recogniser = ser.load(run, "cpu")
    loaded, started = peak_mb(), time.perf_counter()
    getattr(recogniser, what)(path)
    results.put((peak_mb() - loaded, time.perf_counter() - started))


def measure(*words) -> tuple[float, float]:
    """Peak memory in MB above the loaded network, and seconds, of one answer in a process of its own."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=_measure, args=(*map(str, words[:3]), words[3], results))
    process.start()
    found = results.get()
    process.join()
    return found


def bare(recogniser: Recogniser, files: list[str]) -> float:
    """Seconds of the network alone on the same blocks, in the same batches."""
    blocks = []
    for file in files:
        samples = torch.from_numpy(soundfile.read(file, dtype="float32")[0])
        blocks += samples.split(round(MAX_SECONDS * SAMPLE_RATE_HZ))
    lengths = np.array([len(block) for block in blocks])
    batches = []
    for batch in EvaluationBatches(lengths, round(BATCH_SECONDS * FRAMES_PER_SECOND)).batches:
        waveform = torch.zeros(len(batch), int(lengths[batch].max()))
        for place, row in enumerate(batch):
            waveform[place, : lengths[row]] = blocks[row]
        batches.append((waveform, torch.from_numpy(lengths[batch])))
    started = time.perf_counter()
    for batch in batches:
        recogniser.ensemble.system.posterior(*batch)
    return time.perf_counter() - started


def whole(recogniser: Recogniser, files: list[str]) -> float:
    """Seconds from the files to the answers."""
    started = time.perf_counter()
    recogniser.predict(list(files))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="a run or checkpoint")
    parser.add_argument("recordings", type=Path, help="folder of recordings, 16 kHz mono")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    files, missed = sorted(options.recordings.glob("*.wav")), False
    with tempfile.TemporaryDirectory() as temporary:
        print("| recording | answer | MB above the network | target | s |\n|---|---|---|---|---|")
        paths = {name: Path(temporary) / f"long-{form[0]}.{form[2]}" for name, form in FORMATS.items()}
        for name, path in paths.items():
            write_long(files, path, options.minutes, *FORMATS[name][:2])
            for what in ("predict", "timeline"):
                used, seconds = measure(options.run, path, what, options.threads)
                missed |= used > MOST_MB
                row = f"| {options.minutes:g} min, {name} | {what} | {used:.0f} | {MOST_MB} | {seconds:.0f} |"
                print(row, flush=True)
        recogniser = ser.load(options.run, "cpu")
        long = Path(temporary) / "minutes.wav"
        write_long(files, long, min(options.minutes, 10), SAMPLE_RATE_HZ, 1)
        print("\n| audio | speed beside the bare network | target |\n|---|---|---|")
        for name, some in (("10 min in one file", [str(long)]), (f"{len(files)} files", [*map(str, files)])):
            pairs = [(bare(recogniser, some), whole(recogniser, some)) for _ in range(options.rounds)]
            speed = statistics.median(network for network, _ in pairs) / statistics.median(each for _, each in pairs)
            missed |= speed < LEAST_SPEED
            print(f"| {name} | {speed:.2f} | {LEAST_SPEED} |", flush=True)
    if missed:
        print("target missed")


if __name__ == "__main__":
    main()
