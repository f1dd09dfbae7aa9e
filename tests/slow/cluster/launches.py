"""Launchers of jobs (`--submit`), and what they have submitted; disturbances of running jobs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import ser.processes.slurm
from tests.process import Command
from tests.slow.cluster.cluster import Cluster, Job

SUBMITTED = re.compile(r"^(.+): submitted \(job (\S+)\)$", re.MULTILINE)


def launch(cluster: Cluster, words: list[object], log: Path) -> Command:
    """Start a command of `ser` on the cluster; it looks at the queue every second."""
    return Command(words, log, environment=cluster.environment, prepare=look_often)


def look_often() -> None:
    """Prepare a forked command of `ser`, which has nothing to import, for a queue that moves fast."""
    ser.processes.slurm.LOOK_SECONDS, ser.processes.slurm.LATE_SECONDS = 1, 3


def submitted(*texts: str) -> list[tuple[str, str]]:
    """Title and number of every job that launchers have submitted, from what they have printed."""
    return [found for text in texts for found in SUBMITTED.findall(text)]


def runs_of(lines: Iterable[str]) -> list[Path]:
    """The run folder of each training, from its command."""
    words = [shlex.split(line) for line in lines]
    return [Path(line[line.index("--out") + 1]) for line in words]


def runs_in_queue(folder: Path) -> dict[str, Path]:
    """The run folder of each job of a launcher, by the job's number."""
    numbers = json.loads((folder / "slurm" / "jobs.json").read_text())
    return {number: Path(run) for run, number in numbers.items()}


def disturb(cluster: Cluster, runs: dict[str, Path], place: Path) -> None:
    """After the first epoch of three runs: kill the job of the first, pre-empt the second's, set down the third's node.

    Args:
        runs: the run folder of each job, by the job's name.
        place: the working folder of other jobs.
    """

    def kill(job: Job) -> None:
        cluster.kill(job.id)

    def preempt(job: Job) -> None:
        cluster.preempt(job.node, cwd=place)

    def set_down(job: Job) -> None:
        cluster.set_down(job.node)

    left: dict[str, Callable[[Job], None]] = dict(zip(runs, (kill, preempt, set_down), strict=True))
    while left:
        for name in cluster.until(lambda: [each for each in left if began(runs[each])], 180):
            (job,) = [job for job in cluster.queue() if job.name == name]
            assert job.state == "RUNNING"
            left.pop(name)(job)
            assert not (runs[name] / "result.json").exists(), "too late"


def began(run: Path) -> bool:
    """Whether the first epoch of a run is finished."""
    return (run / "checkpoints" / "last.ckpt").exists()
