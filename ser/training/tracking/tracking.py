"""Weights & Biases: options of the tracking, and the runs of this process."""

import os
import sys
from pathlib import Path
from typing import Literal

from lightning.pytorch.loggers import Logger

from ser.training.tracking.key import check_key
from ser.training.tracking.variables import choose_mode, enforce, taken
from ser.training.tracking.wandb_run import WandbRun

BEGUN: list[WandbRun] = []  # W&B runs of this process, not finished yet
DEFAULTS = {"project": "WANDB_PROJECT", "run_name": "WANDB_NAME", "run_job_type": "WANDB_JOB_TYPE"}
JobType = Literal["fold", "pooled", "trial", "study", "test"]


class Tracking:
    """Tracking of a run with W&B. An option that is not given is that of its variable, such as WANDB_PROJECT, if set.

    Args:
        mode: "offline" writes into the run's folder and needs no account or network; "online" uploads during training
            (`wandb login` first); "disabled" records nothing. By default offline, and online for `wandb agent`.
        project: name of the project; by default ser.
        entity: user or team; by default the account's.
        group: name of a group of runs, for example the folds of one system.
        name: name of the run; by default that of its folder.
        tags: tags besides those for system, corpus, protocol and fold.
        artifacts: store the checkpoint and the tables as artifacts, linked to the digest of the corpus.
    """

    def __init__(
        self,
        mode: Literal["offline", "online", "disabled"] | None = None,
        project: str | None = None,
        entity: str | None = None,
        group: str | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
        artifacts: bool = False,
    ) -> None:
        self.mode, self.project, self.entity, self.group = mode, project, entity, group
        self.name, self.tags, self.artifacts = name, tags, artifacts

    def take_names(self) -> None:
        """Take group and name from their variables, for a command that derives the names of its runs from them."""
        self.group = taken("WANDB_RUN_GROUP", "group", self.group)
        self.name = taken("WANDB_NAME", "name", self.name)

    def but(self, **options) -> "Tracking":
        """The same tracking with other options."""
        return Tracking(**{**vars(self), **options})

    def loggers(self, folder: Path, tags: list[str], job: JobType) -> list[WandbRun]:
        """A logger that writes into the run's folder, or none if tracking is disabled.

        Raises:
            InputError: for an unknown WANDB_MODE, or in mode "online" without an API key.
        """
        mode = choose_mode(self.mode)
        if mode == "disabled":
            return []
        enforce()
        if mode == "online":
            check_key()
        else:
            os.environ.setdefault("WANDB_SILENT", "true")  # `tracked` prints the useful part
        defaults = {"project": "ser", "run_name": folder.name, "run_job_type": job}
        settings = {name: value for name, value in defaults.items() if not os.environ.get(DEFAULTS[name])}
        options = {"project": self.project, "entity": self.entity, "run_group": self.group, "run_name": self.name}
        settings |= {name: value for name, value in options.items() if value is not None}
        more = os.environ.get("WANDB_TAGS", "").split(",") if self.tags is None else self.tags
        own = [tag[:64] for tag in tags]  # W&B's limit
        run = WandbRun(folder, self.artifacts, mode=mode, run_tags=[*own, *filter(None, more)], **settings)
        BEGUN.append(run)
        return [run]


def tracked(loggers: list[Logger]) -> list[str]:
    """Lines of text on where to view the W&B run."""
    lines = []
    for logger in loggers:
        place = logger.place if isinstance(logger, WandbRun) else None
        if isinstance(place, Path):
            parts = [path for path in place.parent.glob("offline-run-*") if not path.is_symlink()]
            send = f"beta sync {place.parent}" if len(parts) > 1 else f"sync {place}"  # the parts of an interrupted run
            lines.append(f"W&B, offline: view it with    wandb leet {place}")
            lines.append(f"              upload it with  wandb {send}")
        elif place:
            lines.append(f"W&B: {place}")
    return lines


def finish() -> None:
    """Finish the W&B runs of this process, or a later run would continue one; print what is missing in them."""
    while BEGUN:
        run = BEGUN.pop()
        run.close()
        if run.lost:
            print(f"W&B: {run.lost}\n     the files of the run in {run.folder} are not affected", file=sys.stderr)
