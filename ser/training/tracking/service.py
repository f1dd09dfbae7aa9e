"""W&B's service process: the time it may take, and its end."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Kill W&B's service if the block takes longer; every call that waits for the service then fails at once.

    Raises:
        TimeoutError: instead of the block's exception, if the block took longer.
    """
    done, late = threading.Event(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            late.set()
            end_service()
            wait = 0.5  # the service may have been starting

    threading.Thread(target=watch, name="W&B's time", daemon=True).start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise TimeoutError(f"no answer within {seconds:.0f} s") from error
        raise
    finally:
        done.set()


def service() -> subprocess.Popen | None:
    """The service process that W&B has started for this process; W&B has no public API for it."""
    setup = sys.modules.get("wandb.sdk.wandb_setup")
    connection = getattr(getattr(setup, "_singleton", None), "_connection", None)
    return getattr(getattr(connection, "_proc", None), "_process", None)


def end_service() -> None:
    """Kill W&B's service process, if there is one."""
    if process := service():
        process.kill()
        process.wait()


def abandon() -> None:
    """Remove W&B's service and exit hook, which could delay the exit of the process or disturb the next run."""
    end_service()
    if wandb := sys.modules.get("wandb"):
        with suppress(Exception, SystemExit):  # teardown exits if the service failed
            wandb.teardown()


def cause(error: Exception) -> str:
    """Why something could not be recorded, in one line."""
    text = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
    process = service()
    died = process and process.poll() is not None and not isinstance(error, TimeoutError)
    return f"{text}; W&B's service process has ended" if died else text
