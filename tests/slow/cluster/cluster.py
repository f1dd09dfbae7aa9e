"""What a test does to a cluster: submit jobs, look at the queue, and disturb them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.slow.cluster.daemons import processes


class Job(NamedTuple):
    """A job of the queue.

    Attributes:
        id: that of the job itself; of an array, each job has its own.
        name: the job's id, or ARRAY_TASK in an array.
        state: such as PENDING, RUNNING, COMPLETED, FAILED.
        node: where it runs or ran, or an empty text.
        reason: why it waits or has ended.
    """

    id: str
    name: str
    state: str
    node: str
    reason: str


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        environment: variables of its commands, with their programs on PATH.
    """

    environment: dict[str, str]

    def run(self, *words: object, cwd: Path | None = None) -> str:
        """Run one of SLURM's commands; return what it prints."""
        command = [str(word) for word in words]
        done = subprocess.run(command, env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def submit(self, *options: object, cwd: Path, line: str | None = None) -> str:
        """Submit a shell line, if the options do not hold it; return the job's id."""
        wrapped = ["--wrap", line] if line else []
        return self.run("sbatch", "--parsable", *options, *wrapped, cwd=cwd).strip()

    def nodes(self) -> dict[str, str]:
        """State of each node: idle, allocated, down, ..."""
        return dict(line.split() for line in self.run("sinfo", "-hN", "-p", "main", "-o", "%N %T").splitlines())

    def jobs(self, *ids: str) -> list[Job]:
        """Jobs of the last five minutes, ended ones too; of an array, each job that has begun."""
        words = ["squeue", "-h", "-t", "all", "-o", "%A|%i|%T|%N|%r", *(["-j", ",".join(ids)] if ids else [])]
        return [Job(*line.split("|")) for line in self.run(*words).splitlines()]

    def queue(self) -> list[Job]:
        """Jobs that have not ended."""
        return [Job(*line.split("|")) for line in self.run("squeue", "-h", "-o", "%A|%i|%T|%N|%r").splitlines()]

    def state(self, job: str) -> str:
        """State of a job."""
        (found,) = self.jobs(job)
        return found.state

    def ready(self) -> bool:
        """Whether all nodes are idle; false before the controller answers."""
        with suppress(AssertionError):
            return set(self.nodes().values()) == {"idle"}
        return False

    def set_down(self, node: str) -> None:
        """Take a node out of service; its job goes back to the queue."""
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def resume(self, node: str) -> None:
        self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def requeue(self, job: str) -> None:
        """End a running job and put it back into the queue."""
        self.run("scontrol", "requeue", job)

    def preempt(self, node: str, cwd: Path) -> str:
        """Submit a job that takes a node from the job on it; return its id."""
        return self.submit("-p", "high", "-w", node, cwd=cwd, line="sleep 1")

    def cancel(self) -> None:
        """End all jobs at once and wait until all nodes are idle."""
        if queue := self.queue():
            self.run("scancel", *(job.id for job in queue))
            for job in queue:
                self.kill(job.id)
        self.until(self.ready)

    def processes(self, job: str) -> list[int]:
        """Processes of a job, without SLURM's own."""
        return processes("SLURM_JOB_ID", job)

    def kill(self, job: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to every process of a job, without SLURM's knowledge."""
        for pid in self.processes(job):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def until(self, condition: Callable[[], object], seconds: float = 60) -> object:
        """Wait until a condition is true; return its value."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"{self.jobs()} {self.nodes()}"
            time.sleep(0.2)
        return found
