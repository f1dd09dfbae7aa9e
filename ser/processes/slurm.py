"""Jobs in SLURM: submitted as arrays through submitit, watched with `squeue`.

A job is finished when its results are in the folder: without accounting SLURM forgets how a job ended, and
submitit's own results are not read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from ser.errors import InputError
from ser.files import write_text
from ser.processes.interruption import Interrupted
from ser.processes.jobs import Job
from ser.processes.lines import command_of
from ser.processes.resources import MOST_QUEUED, Resources
from ser.processes.slurm_command import SIGNAL, Command

LOOK_SECONDS = 5  # between two looks at the queue and the results
LATE_SECONDS = 45  # a network file system can show a result this long after its job has left the queue
MOST_TIMEOUTS = 100  # a job that reaches its time limit continues this many times
ENDED = (
    *("completed", "failed", "cancelled", "timeout", "out of memory"),
    *("node fail", "boot fail", "deadline", "preempted"),
)
CLUSTER = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS")  # variables of the cluster, not of a job


class Slurm:
    """Runs jobs in SLURM, as one array if no more than `MOST_QUEUED` are left.

    Args:
        folder: of a cross-validation or a study; `slurm/` in it holds submitit's files and the numbers of the jobs.

    Raises:
        InputError: if submitit or SLURM's commands are missing, or SLURM would change the names of the logs.
    """

    place = "in SLURM"

    def __init__(self, resources: Resources, folder: Path) -> None:
        self.resources, self.folder = resources, folder.absolute() / "slurm"
        self.numbers: dict[str, str] = {}  # SLURM's number of each job that was submitted, by its folder
        self.states: dict[str, str] = {}  # the last state of each, as shown
        self.began: dict[str, float] = {}  # when each was first seen running
        self.gone: dict[str, float] = {}  # when a job had left the queue without results
        self.ends: dict[str, str] = {}  # how a job ended, by its number, if SLURM still knows it
        for name in [name for name in os.environ if name.startswith("SLURM_") and name not in CLUSTER]:
            del os.environ[name]  # of a job in which this launcher runs: sbatch would pass them on to the new jobs
        os.environ["SUBMITIT_PREEMPT_SIGNAL"] = SIGNAL  # submitit reads it when it is imported, here and in the jobs
        try:
            import submitit
        except ImportError as error:
            raise InputError("--submit needs submitit: pip install 'ser[cluster]'") from error
        self.submitit = submitit
        if {"%", "\\"} & set(str(self.folder)):
            raise InputError(f"--submit: SLURM replaces % and \\ in names of logs; choose another folder than {folder}")
        if self.queue() is None:
            raise InputError("--submit: squeue does not answer; is this a machine of a SLURM cluster?")

    def queue(self) -> dict[str, str] | None:
        """State, place and reason of every job of this user that has not ended, by its number; None if SLURM does not
        answer."""
        words = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%i|%T|%N|%r"]
        try:
            answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        jobs = dict(map(described, answer.splitlines()))
        self.ends |= {number: state for number, state in jobs.items() if state.startswith(ENDED)}
        return {number: state for number, state in jobs.items() if not state.startswith(ENDED)}

    def run(self, jobs: list[Job], lock: int | None, ended: Callable[[Job, int | str, float], object]) -> None:
        """Run the unfinished jobs to their end.

        Args:
            ended: called with each job, 0 or the cause of its failure, and the seconds since it was seen running.
        """
        left, begun = [job for job in jobs if job.runs], time.monotonic()

        def seconds(job: Job) -> float:
            return time.monotonic() - self.began.get(key_of(job), begun)

        def missing() -> list[Job]:
            for job in list(left):
                if all((self.folder.parent / name / "result.json").is_file() for name in job.runs):
                    left.remove(job)
                    ended(job, 0, seconds(job))
            return left

        def failed(job: Job, cause: str) -> None:
            left[:] = [other for other in left if other.title != job.title]  # its log may be another
            ended(job, cause, seconds(job))

        self.follow(missing, failed)

    def follow(self, missing: Callable[[], list[Job]], failed: Callable[[Job, str], object]) -> None:
        """Keep jobs in the queue until none is missing.

        Args:
            missing: enters finished jobs, and returns those without results, in the order in which to run them.
            failed: called with a job that has ended without results, and the cause; `missing` may return it again.

        Raises:
            Interrupted: after a signal; the jobs go on.
        """
        self.numbers = self._submitted_before()
        bar = tqdm(desc="SLURM", bar_format="{desc}  {postfix}", disable=None, leave=False)
        try:
            with bar:
                while jobs := missing():
                    if (queue := self.queue()) is not None:
                        self._step(jobs, queue, failed, bar)
                    time.sleep(LOOK_SECONDS)
        except Interrupted:
            if numbers := sorted({number.partition("_")[0] for number in self.numbers.values()}):
                print(f"ser: the jobs go on in SLURM; to end them: scancel {' '.join(numbers)}", file=sys.stderr)
            raise

    def _step(self, jobs: list[Job], queue: Mapping[str, str], failed: Callable[[Job, str], object], bar: tqdm) -> None:
        new, now = [], time.monotonic()
        for job in jobs:
            key = key_of(job)
            number = self.numbers.get(key)
            if number is None:
                new.append(job)
            elif number in queue:
                self.gone.pop(key, None)
                if queue[number].startswith("running"):
                    self.began.setdefault(key, now)
                self._show(job, key, f"{queue[number]} (job {number})")
            elif now > self.gone.setdefault(key, now) + LATE_SECONDS:
                del self.numbers[key], self.gone[key]
                self.states.pop(key, None)
                failed(self._with_log(job, number), f"no result (job {number} {self.ends.get(number, 'has ended')})")
        in_queue = [queue[number] for number in self.numbers.values() if number in queue]
        if new := new[: max(0, MOST_QUEUED - len(in_queue))]:
            self._submit(new)
        running = sum(state.startswith("running") for state in in_queue)
        bar.set_postfix_str(f"{running} running, {len(in_queue) - running + len(new)} waiting, {len(jobs)} left")

    def _show(self, job: Job, key: str, state: str) -> None:
        kind = state.partition(",")[0].partition(" (")[0]  # the reason for waiting can change every few seconds
        if self.states.get(key) != kind:
            self.states[key] = kind
            tqdm.write(f"{job.title}: {state}", file=sys.stdout)
            sys.stdout.flush()

    def _with_log(self, job: Job, number: str) -> Job:
        """The job with the log that says why it failed: its own, or submitit's if it was not started."""
        if job.log.is_file() and job.log.stat().st_size:
            return job
        own = self.folder / f"{number}_0_log.err"
        own.touch()  # SLURM writes none for a job that was cancelled before it began
        return replace(job, log=own)

    def _submit(self, jobs: list[Job]) -> None:
        """Submit jobs as an array.

        Raises:
            InputError: if SLURM refuses it.
        """
        executor = self.submitit.AutoExecutor(self.folder, cluster="slurm", slurm_max_num_timeout=MOST_TIMEOUTS)
        executor.update_parameters(name=f"ser-{self.folder.parent.name}"[:60], **self.resources.parameters())
        try:
            with executor.batch():
                made = [executor.submit(Command(command_of(job), job.log.absolute())) for job in jobs]
        except (self.submitit.core.utils.FailedJobError, self.submitit.core.utils.FailedSubmissionError) as error:
            last = str(error).strip().splitlines()[-1]
            raise InputError(f"SLURM refuses the jobs: {last}") from error
        self.numbers |= {key_of(job): each.job_id for job, each in zip(jobs, made, strict=True)}
        write_text(self.folder / "jobs.json", json.dumps(self.numbers, indent=1) + "\n")
        for job, each in zip(jobs, made, strict=True):
            self._show(job, key_of(job), f"submitted (job {each.job_id})")

    def _submitted_before(self) -> dict[str, str]:
        """The numbers of the jobs that another launcher has submitted and that are still in the queue."""
        path = self.folder / "jobs.json"
        if not path.is_file():
            return {}
        numbers, queue = json.loads(path.read_text(encoding="utf-8")), self.queue()
        return numbers if queue is None else {key: number for key, number in numbers.items() if number in queue}


def key_of(job: Job) -> str:
    """The folder that a job writes into, which names the job."""
    return job.arguments[job.arguments.index("--out") + 1]


def described(line: str) -> tuple[str, str]:
    """A job's number and its state in words, from a line of squeue.

    Example:
        >>> described("12_3|RUNNING|n2|None")
        ('12_3', 'running on n2')
        >>> described("12_4|PENDING||BeginTime")
        ('12_4', 'pending, BeginTime')
        >>> described("12_5|OUT_OF_MEMORY|n1|OutOfMemory")
        ('12_5', 'out of memory on n1')
    """
    number, state, node, reason = line.split("|", 3)
    where = f" on {node}" if node else ""
    why = f", {reason}" if not node and reason not in ("", "None") else ""
    return number, f"{state.lower().replace('_', ' ')}{where}{why}"
