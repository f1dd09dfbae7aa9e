"""A command in a SLURM job, as submitit starts it on a node."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from ser.processes.resources import NOTICE_SECONDS

SIGNAL = "USR1"
NUMBER = signal.Signals[f"SIG{SIGNAL}"]


class Command:
    """A command in a job, as a child process; submitit pickles this object and calls it on the node.

    After SLURM's signal, sent to every process of the job, the command ends after its step with a checkpoint;
    `checkpoint` waits for that and hands the same command to the job's next start.
    """

    def __init__(self, words: list[str], log: Path) -> None:
        self.words, self.log = words, log
        self.process: subprocess.Popen | None = None

    def __call__(self) -> int:
        threads = {"OMP_NUM_THREADS": os.environ["SLURM_CPUS_PER_TASK"]} if "SLURM_CPUS_PER_TASK" in os.environ else {}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log, env={**threads, **os.environ})
            while self.process.poll() is None:  # `wait` would hold a lock that `checkpoint` needs
                time.sleep(0.2)
        if self.process.returncode in (-NUMBER, 128 + NUMBER):
            time.sleep(NOTICE_SECONDS)  # the signal is on its way to this process too, where submitit handles it
        if self.process.returncode:
            raise RuntimeError(f"exit code {self.process.returncode}, {self.log}")
        return 0

    def checkpoint(self):
        """Called by submitit in its signal handler; returns the submission of the job's next start."""
        from submitit.helpers import DelayedSubmission

        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(NUMBER)  # in case SLURM signalled only the first process
            self.process.wait()
        return DelayedSubmission(Command(self.words, self.log))
