"""What each job asks of SLURM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

NOTICE_SECONDS = 120  # SLURM's signal comes this long before the time limit, or up to a minute earlier
LEAST_MINUTES = 5  # a job with a shorter limit may never reach its training
MOST_QUEUED = 1000  # jobs in the queue; clusters limit arrays to about as many
Word = Annotated[str, StringConstraints(pattern=r"^[\w.,:+-]+$")]


@dataclass(frozen=True)
class Resources:
    """What every job asks of SLURM: the keys of the file `--submit`.

    Attributes:
        time: longest time of a job, as 90m, 12h or 2d; a job that reaches it continues in the next one. At least 5m,
            or SLURM's signal before the end (`NOTICE_SECONDS`) could come before the first step of each.
        partition, account, constraint: as in sbatch.
        gpus, cpus: of each job.
        memory: GB of each job.
        parallel: number of jobs of an array that run at once.
    """

    time: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,4}[mhd]$")]
    partition: Word | None = None
    account: Word | None = None
    constraint: Annotated[str, StringConstraints(pattern=r"^[\w.,:+&|()\[\]*!-]+$")] | None = None
    gpus: Annotated[int, Field(strict=True, ge=0, le=64)] = 0
    cpus: Annotated[int, Field(strict=True, ge=1, le=1024)] = 1
    memory: Annotated[float, Field(strict=True, ge=0.1, le=10_000)] | None = None
    parallel: Annotated[int, Field(strict=True, ge=1, le=MOST_QUEUED)] | None = None

    @property
    def minutes(self) -> int:
        """The time limit."""
        return int(self.time[:-1]) * {"m": 1, "h": 60, "d": 1440}[self.time[-1]]

    def parameters(self) -> dict[str, object]:
        """The arguments of submitit's `update_parameters`."""
        found = {
            "timeout_min": self.minutes,
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "mem_gb": self.memory,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_constraint": self.constraint,
            "slurm_array_parallelism": self.parallel or MOST_QUEUED,
            "slurm_signal_delay_s": NOTICE_SECONDS,
            "slurm_additional_parameters": {"requeue": True},
        }
        return {name: value for name, value in found.items() if value is not None}
