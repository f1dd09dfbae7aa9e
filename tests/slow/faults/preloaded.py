"""Preloaded by the fork server: imports everything, and lets a training send itself a signal."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from lightning import Callback

import ser.__main__  # noqa: F401
from ser import files
from ser.training.callbacks import checkpointing
from ser.training.run import Run

if TYPE_CHECKING:
    from tests.slow.faults.runs import Moment

torch.set_num_threads(1)


def signal_at(moment: Moment) -> None:
    """Make every training in this process send itself a signal at the given moment."""
    if moment.hook.endswith(".ckpt"):
        write_checkpoint = checkpointing.write_checkpoint

        def write(checkpoint: dict, path: Path) -> None:
            write_checkpoint(checkpoint, path)
            if path.name == moment.hook and checkpoint["global_step"] == moment.step:
                os.kill(os.getpid(), moment.number)

        checkpointing.write_checkpoint = write
        return
    if moment.hook.endswith((".json", ".yaml", ".csv")):
        write_whole = files.write_whole

        def write_file(path: Path, content: Callable) -> None:
            write_whole(path, content)
            if path.name == moment.hook:
                os.kill(os.getpid(), moment.number)

        files.write_whole = write_file
        return
    make_trainer = Run._trainer

    def make(self):
        trainer = make_trainer(self)
        trainer.callbacks.insert(0, SignalAt(moment))
        return trainer

    Run._trainer = make


class SignalAt(Callback):
    """Send this process a signal in a hook, after the moment's number of steps."""

    def __init__(self, moment: Moment) -> None:
        def hook(trainer, *_, **__) -> None:
            if trainer.state.fn == "fit" and trainer.global_step == moment.step:
                os.kill(os.getpid(), moment.number)

        setattr(self, moment.hook, hook)


gc.freeze()  # as ser.processes.forked.Starter does
