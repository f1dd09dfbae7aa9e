"""How a training tells the process that started it how far it is: lines of JSON through an inherited pipe."""

from __future__ import annotations

import json
import os
from contextlib import suppress

PROGRESS_PIPE = "SER_PROGRESS_PIPE"  # environment variable with the number of the open pipe


def somebody_listens() -> bool:
    """Whether this process was started by one that listens."""
    return PROGRESS_PIPE in os.environ


def tell(step: int, steps: int, scores: dict[str, float], epoch: str | None = None) -> None:
    """Send steps done, steps in all, the scores of the last validation, and at an epoch's end a line about it.

    When the reading process has ended, `ser.processes.interruption.end_with_reader` ends this one after its step.
    """
    with suppress(BrokenPipeError):
        told = {"step": step, "steps": steps, **scores, **({"epoch": epoch} if epoch else {})}
        os.write(int(os.environ[PROGRESS_PIPE]), json.dumps(told).encode() + b"\n")
