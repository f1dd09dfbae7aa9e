"""What forked trainings share: everything imported, and how one of them kills itself."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import torch
from lightning import Callback

import ser.__main__  # noqa: F401
from ser.cli import RunCLI

if TYPE_CHECKING:
    from tests.faults.runs import Moment

torch.set_num_threads(1)


def kill_at(moment: Moment) -> None:
    """Let every training of this process end by kill -9 at a moment."""
    instantiate_trainer = RunCLI.instantiate_trainer

    def instantiate(self, **options):
        trainer = instantiate_trainer(self, **options)
        trainer.callbacks.insert(0, KillAt(moment))
        return trainer

    RunCLI.instantiate_trainer = instantiate


class KillAt(Callback):
    """Kill this process with kill -9 in a hook, after so many steps."""

    def __init__(self, moment: Moment) -> None:
        def hook(trainer, *_, **__) -> None:
            if trainer.state.fn == "fit" and trainer.global_step == moment.step:
                os.kill(os.getpid(), signal.SIGKILL)

        setattr(self, moment.hook, hook)
