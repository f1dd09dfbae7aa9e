"""Run a command that trains or evaluates, without the irrelevant warnings of the frameworks."""

import logging
import shlex
import signal
import warnings
from collections.abc import Callable

from ser.errors import InputError
from ser.processes import forked
from ser.processes.interruption import LISTENER, Interrupted
from ser.training.tracking.tracking import finish

EXPECTED_WARNINGS = (
    ".*isinstance.treespec, LeafSpec.*",  # between torch and lightning
    ".*does not have many workers.*",  # reading a segment takes a fraction of a millisecond
    ".*number of training batches.*is smaller than the logging interval.*",
    ".*is not supported by the model summary.*",  # mixed precision; a size in MB is printed anyway
    ".*Grad strides do not match bucket view strides.*",  # channels_last weights of a single input channel
    ".*callbacks used to create the checkpoint need to be provided.*",  # --checkpoints can differ after an interruption
    ".*your dataloader is not resumable.*",  # its sampler starts at the checkpoint's position
    ".*The `srun` command is available.*",  # srun is not needed; job scripts that use it call it
    ".*Checkpoint directory .* exists and is not empty.*",  # an interrupted run continues
)


def quieten() -> None:
    """Silence expected warnings and informational messages of the frameworks."""
    for message in EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for framework in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.seed"):
        logging.getLogger(framework).setLevel(logging.WARNING)


def run(command: Callable[[], object], typed: list[str]) -> object:
    """Run a command that trains or evaluates; if it has a launcher, that handles Ctrl-C.

    Args:
        command: parses its options and does the work.
        typed: the command line, shown after a signal as the command to continue.

    Raises:
        Interrupted: after a signal, with the command to continue.
    """
    quieten()
    with LISTENER.ending_in_order(ignored=(signal.SIGINT,) if forked.launcher else ()):
        try:
            return command()
        except Interrupted as interrupted:
            interrupted.command = interrupted.command or shlex.join(typed)
            raise
        except RuntimeError as error:
            if not str(error).startswith("DataLoader worker"):
                raise
            cause = str(error).partition(". ")[0]
            raise InputError(
                f"a data-loading worker was killed, perhaps for lack of memory ({cause}); finished work is kept. "
                "To continue without workers, add --data.num_workers 0 to the same command"
            ) from error
        finally:
            finish()
