"""Running a command that Lightning parses: what frameworks say about themselves is left out."""

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
    ".*is not supported by the model summary.*",  # mixed precision: it prints a size in MB all the same
    ".*Grad strides do not match bucket view strides.*",  # channels_last weights of a single input channel
    ".*callbacks used to create the checkpoint need to be provided.*",  # --checkpoints may change in between
    ".*your dataloader is not resumable.*",  # its sampler begins where the checkpoint was made
    ".*The `srun` command is available.*",  # a training needs no srun, and a cluster's job that wants it names it
    ".*Checkpoint directory .* exists and is not empty.*",  # an interrupted run goes on
)


def quieten() -> None:
    """Silence what frameworks say about themselves."""
    for message in EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for framework in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.seed"):
        logging.getLogger(framework).setLevel(logging.WARNING)


def run(command: Callable[[], object], typed: list[str]) -> object:
    """Run a command that trains or evaluates; Ctrl-C is left to its launcher, where there is one.

    Args:
        command: parses its options and does the work.
        typed: the command line; after a signal it is what goes on.

    Raises:
        Interrupted: after a signal; with the command to go on.
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
                f"a process that reads data was killed, perhaps for lack of memory ({cause}); what is finished is "
                "kept, and the same command with --data.num_workers 0 goes on without such processes"
            ) from error
        finally:
            finish()
