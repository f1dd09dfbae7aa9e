"""How a training tells the process that started it how far it is: lines of JSON through an inherited pipe."""

from __future__ import annotations

import json
import os
from typing import TextIO

PROGRESS_PIPE = "SER_PROGRESS_PIPE"  # environment variable with the number of the open pipe


def somebody_listens() -> bool:
    """Whether this process was started by one that listens."""
    return PROGRESS_PIPE in os.environ


def open_pipe() -> TextIO:
    """The listener's pipe; writing fails when the listener has ended, and so ends the training."""
    return os.fdopen(int(os.environ[PROGRESS_PIPE]), "w")


def tell(pipe: TextIO, step: int, steps: int, scores: dict[str, float]) -> None:
    """Send steps done, steps in all, and the scores of the last validation."""
    pipe.write(json.dumps({"step": step, "steps": steps, **scores}) + "\n")
    pipe.flush()
