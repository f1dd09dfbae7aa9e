"""Killing trainings and writers of checkpoints with kill -9, again and again, and counting what differs."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from pathlib import Path

import pandas as pd
import torch

from ser.checkpoint import read_checkpoint, write_checkpoint
from tests.faults.runs import EPOCHS, SYSTEMS, TABLES, Moment, Run, fit_options, moments_around

AT_ONCE = 2


class Kills:
    """Runs of every system that nothing has happened to, and others that are compared with them.

    Args:
        table: of the corpus.
        folder: receives all runs.
    """

    def __init__(self, table: Path, folder: Path) -> None:
        self.table, self.folder = table, folder
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._undisturbed, SYSTEMS))
        self.steps = int(pd.read_csv(folder / SYSTEMS[0] / "metrics.csv").step.iloc[0])

    def _undisturbed(self, system: str) -> None:
        run = Run(fit_options(system, self.table, self.folder / system), self.folder / f"{system}.log")
        if run.wait():
            raise RuntimeError(run.log.read_text())

    def plan(self) -> Iterator[tuple[str, int, list[Moment]]]:
        """Every pair of moments around every epoch's end but the last, over the systems and 0 or 2 readers of data."""
        pairs = [
            pair
            for epoch in range(1, EPOCHS)
            for pair in combinations_with_replacement(moments_around(epoch * self.steps), 2)
        ]
        for place, pair in enumerate(pairs):
            yield SYSTEMS[place % len(SYSTEMS)], 2 * (place // len(SYSTEMS) % 2), list(pair)

    def random_plan(self, runs: int, seed: int) -> Iterator[tuple[str, int, list[Moment]]]:
        """Two to four kills at any step of a training, in their order."""
        draw = random.Random(seed)
        hooks = ["on_train_batch_start", "on_train_batch_end"]
        for place in range(runs):
            steps = sorted(draw.sample(range(1, EPOCHS * self.steps), draw.randint(2, 4)))
            yield SYSTEMS[place % len(SYSTEMS)], draw.choice((0, 2)), [Moment(draw.choice(hooks), n) for n in steps]

    def check_all(self, plan: Iterator[tuple[str, int, list[Moment]]]) -> tuple[int, int, list[str]]:
        """Disturb one run after the other; runs, kills that hit, and what was found wrong."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda each: self.check(*each), plan))
        return len(found), sum(kills for kills, _ in found), [line for _, lines in found for line in lines]

    def check(self, system: str, workers: int, moments: list[Moment]) -> tuple[int, list[str]]:
        """Kill a run at these moments, let it come to its end, and compare; kills that hit, and what differs."""
        name = "-".join([system, str(workers), *(f"{each.hook}{each.step}" for each in moments)])
        folder, log = self.folder / "killed" / name, self.folder / f"{name}.log"
        options, kills, wrong = fit_options(system, self.table, folder, workers), 0, []
        for moment in moments:
            code = Run(options, log, moment).wait()
            kills += code == -signal.SIGKILL
            if code == 0:  # what the checkpoint holds is later than this moment
                return kills, [*wrong, f"{name}: {moment} did not come"]
            if code != -signal.SIGKILL:
                wrong.append(f"{name}: exit code {code} at {moment}: {log.read_text()}")
        if code := Run(options, log).wait():
            return kills, [*wrong, f"{name}: exit code {code}: {log.read_text()}"]
        return kills, wrong + [f"{name}: {what}" for what in self._differences(self.folder / system, folder)]

    def _differences(self, whole: Path, found: Path) -> Iterator[str]:
        for name in TABLES:
            if (whole / name).read_bytes() != (found / name).read_bytes():
                yield f"{name} differs"
        for name in ("best.ckpt", "last.ckpt"):
            before, now = (read_checkpoint(folder / "checkpoints" / name) for folder in (whole, found))
            if before["global_step"] != now["global_step"] or before["state_dict"].keys() != now["state_dict"].keys():
                yield f"{name}: other steps or weights"
            elif not all(torch.equal(weight, now["state_dict"][key]) for key, weight in before["state_dict"].items()):
                yield f"{name}: weights differ"


def write_again_and_again(path: str) -> None:
    """Write checkpoints of growing step, one over the other, until killed."""
    state = {"weights": torch.arange(400_000, dtype=torch.float32)}
    for step in range(1_000_000):
        write_checkpoint({"system": "CNNGRU", "global_step": step, "state_dict": state}, Path(path))


def kill_writers(folder: Path, kills: int, seed: int) -> list[str]:
    """Kill a process while it writes a checkpoint, so many times; what was torn."""
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
