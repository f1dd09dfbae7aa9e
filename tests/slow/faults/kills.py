"""Kill trainings and checkpoint writers repeatedly with SIGKILL, and count the differences."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement, count
from pathlib import Path

import pandas as pd
import torch

from ser.checkpoint.reading import read_checkpoint, write_checkpoint
from ser.results.reading import AVERAGED_TABLES
from tests.slow.faults.runs import EPOCHS, RECORDING_SECONDS, SYSTEMS, TABLES, Moment, Run, fit_options, moments_around

AT_ONCE = 2
SHORT_BATCH_SECONDS = 2 * RECORDING_SECONDS + 0.05

SESSION = "session"  # the first system, trained for two folds at once
RUNS = (*SYSTEMS, SESSION)


class Kills:
    """Undisturbed runs of every system, and killed ones that are compared with them.

    Args:
        table: manifest of the corpus.
        folder: receives all runs.
    """

    def __init__(self, table: Path, folder: Path) -> None:
        self.table, self.folder, self.numbers = table, folder, count(1)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._undisturbed, RUNS))
        self.steps = int(pd.read_csv(folder / SYSTEMS[0] / "metrics.csv").step.iloc[0])

    def _arguments(self, system: str, folder: Path, workers: int = 0) -> list[str]:
        """Options with a learning-rate rule that is checked at every step, so that its state matters, and averaging."""
        rule = {"window_steps": 3, "hold_epochs": 0, "check_every": 1}
        more = {f"learning_rate_rule.{name}": value for name, value in rule.items()} | {"epochs_averaged": 2}
        if system == "gru_seqcap":  # several validation batches: no data-loading worker is started for a single one
            more["data.max_batch_seconds"] = SHORT_BATCH_SECONDS
        if system != SESSION:
            return fit_options(system, self.table, folder, workers, **more)
        _, *options = fit_options(SYSTEMS[0], self.table, folder, workers, **more)
        return [SESSION, *options, "--model.learning_rate", "0.02", "--outs", json.dumps({3: f"{folder}-swapped"})]

    def _undisturbed(self, system: str) -> None:
        run = Run(self._arguments(system, self.folder / system), self.folder / f"{system}.log")
        if run.code():
            raise RuntimeError(run.log.read_text())

    def plan(self) -> Iterator[tuple[str, int, list[Moment]]]:
        """Every pair of moments around each epoch's end except the last, over the systems and 0 or 2 data workers.

        Then moments between the writes at an epoch's end and between those of a run's files, alone and in a session.
        """
        pairs = [
            pair
            for epoch in range(1, EPOCHS)
            for pair in combinations_with_replacement(moments_around(epoch * self.steps), 2)
        ]
        for place, pair in enumerate(pairs):
            yield SYSTEMS[place % len(SYSTEMS)], 2 * (place // len(SYSTEMS) % 2), list(pair)
        first, second = self.steps, 2 * self.steps
        writes = [Moment(name, first) for name in ("best.ckpt", "epoch=1.ckpt", "last.ckpt")]
        writes += [Moment(name, second) for name in ("epoch=2.ckpt", "last.ckpt")]
        files = [Moment(name, 0) for name in ("identity.json", "config.yaml", "predictions.csv", "validation.csv")]
        for system in (SYSTEMS[0], SESSION):
            yield system, 0, writes
            yield system, 0, files
        yield SESSION, 0, [Moment("on_train_epoch_start", step) for step in (first, second)]

    def random_plan(self, runs: int, seed: int) -> Iterator[tuple[str, int, list[Moment]]]:
        """Two to four kills per training, at random steps in ascending order."""
        draw = random.Random(seed)
        hooks = ["on_train_batch_start", "on_train_batch_end"]
        for place in range(runs):
            steps = sorted(draw.sample(range(1, EPOCHS * self.steps), draw.randint(2, 4)))
            yield RUNS[place % len(RUNS)], draw.choice((0, 2)), [Moment(draw.choice(hooks), n) for n in steps]

    def check_all(self, plan: Iterator[tuple[str, int, list[Moment]]]) -> tuple[int, int, list[str]]:
        """Check all planned runs; return the numbers of runs and of kills, and the failures found."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda each: self.check(*each), plan))
        return len(found), sum(kills for kills, _ in found), [line for _, lines in found for line in lines]

    def check(self, system: str, workers: int, moments: list[Moment]) -> tuple[int, list[str]]:
        """Kill a run at these moments, finish it and compare; return the number of kills and the differences."""
        described = (f"{each.hook}{each.step}" for each in moments)
        name = "-".join([str(next(self.numbers)), system, str(workers), *described])  # a plan can be drawn twice
        folder, log = self.folder / "killed" / name, self.folder / f"{name}.log"
        options, kills, wrong = self._arguments(system, folder, workers), 0, []
        for moment in moments:
            code = Run(options, log, moment).code()
            kills += code == -signal.SIGKILL
            if code == 0:  # the checkpoint is later than this moment
                return kills, [*wrong, f"{name}: {moment} did not come"]
            if code != -signal.SIGKILL:
                wrong.append(f"{name}: exit code {code} at {moment}: {log.read_text()}")
        if code := Run(options, log).code():
            return kills, [*wrong, f"{name}: exit code {code}: {log.read_text()}"]
        for direction in ("", "-swapped") if system == SESSION else ("",):
            whole, found = (Path(f"{each}{direction}") for each in (self.folder / system, folder))
            wrong += [f"{name}{direction}: {what}" for what in differences(whole, found)]
        return kills, wrong


def differences(whole: Path, found: Path) -> Iterator[str]:
    """Differences between two finished runs: tables, and all entries of their checkpoints."""
    for name in (*TABLES, *AVERAGED_TABLES.values()):
        if (whole / name).exists() != (found / name).exists():
            yield f"{name} is in one folder alone"
        elif (whole / name).exists() and (whole / name).read_bytes() != (found / name).read_bytes():
            yield f"{name} differs"
    for name in ("best.ckpt", "last.ckpt"):
        before, now = (dict(entries(read_checkpoint(at / "checkpoints" / name))) for at in (whole, found))
        different = sorted(before.keys() ^ now.keys())
        different += [key for key in sorted(before.keys() & now.keys()) if not is_same(before[key], now[key])]
        yield from (f"{name}: {key}: {before.get(key)} before, {now.get(key)} now" for key in different)


def entries(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Numbers, texts and tensors of a checkpoint with their paths in it, without the path of the run's folder."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from entries(each, f"{name}/{without_folder(str(key))}")
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from entries(each, f"{name}/{place}")
    else:
        yield name, without_folder(value) if isinstance(value, str) else value


def without_folder(text: str) -> str:
    return re.sub(r"\S*/checkpoints", "checkpoints", text)


def is_same(before: object, now: object) -> bool:
    """Compare bit for bit."""
    if isinstance(before, torch.Tensor):
        return isinstance(now, torch.Tensor) and before.dtype == now.dtype and torch.equal(before, now)
    return type(before) is type(now) and before == now


def write_again_and_again(path: str) -> None:
    """Overwrite a checkpoint, its step one higher each time, until killed."""
    state = {"weights": torch.arange(400_000, dtype=torch.float32)}
    for step in range(1_000_000):
        write_checkpoint({"system": "CNNGRU", "global_step": step, "state_dict": state}, Path(path))


def kill_writers(folder: Path, kills: int, seed: int) -> list[str]:
    """Kill a process while it writes a checkpoint, `kills` times; return the damaged ones."""
    forked, draw, wrong = multiprocessing.get_context("forkserver"), random.Random(seed), []
    path = folder / "last.ckpt"
    for place in range(kills):
        process = forked.Process(target=write_again_and_again, args=(str(path),))
        process.start()
        started = path.stat().st_mtime_ns if path.exists() else 0
        while not path.exists() or path.stat().st_mtime_ns == started:
            time.sleep(0.0005)
        time.sleep(draw.random() * 0.03)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        try:
            found = torch.load(path, weights_only=True)
            if not torch.equal(found["state_dict"]["weights"], torch.arange(400_000, dtype=torch.float32)):
                wrong.append(f"kill {place}: other weights")
        except Exception as error:
            wrong.append(f"kill {place}: {error}")
    return wrong
