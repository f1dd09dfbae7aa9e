"""A W&B run whose failures and delays do not stop a training."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ser.errors import InputError
from ser.files import without_folders

START_SECONDS = 60  # longest delay of a training by opening a W&B run
END_SECONDS = 60  # longest total delay after that, with the last upload
SERVER_SECONDS = 20  # W&B's timeout for opening a run on its server; login takes up to ten more
STEP = "trainer/global_step"


class WandbRun(Logger):
    """A W&B run, opened when there is something to record.

    After the first failure nothing more is recorded; earlier data is kept if W&B can still save it.

    Args:
        folder: the run's folder, where `wandb/` is created.
        options: arguments of `wandb.init`.

    Attributes:
        lost: what could not be recorded and why, as a sentence; None if nothing is missing.
    """

    def __init__(self, folder: Path, **options) -> None:
        super().__init__()
        self.folder, self.options = folder, options
        self.lost: str | None = None
        self._run = None
        self._seconds_left = float(END_SECONDS)

    @property
    def name(self) -> str:
        return self.options["project"]

    @property
    def version(self) -> str | None:
        return self._run and self._run.id

    @property
    def save_dir(self) -> str:
        return str(self.folder)

    @property
    def place(self) -> str | Path | None:
        """The URL or folder to view the run at; None if nothing was recorded or something is missing."""
        if self._run is None or self.lost:
            return None
        return Path(self._run.dir).parent if self._run.offline else self._run.url

    def log_hyperparams(self, params: Mapping, *args, **kwargs) -> None:
        config = without_folders(dict(params))
        self.record("the configuration", lambda run: run.config.update(config, allow_val_change=True))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        place = {} if step is None else {STEP: step}
        self.record(f"the metrics of step {step}", lambda run: run.log({**metrics, **place}))

    @rank_zero_only
    def record(self, what: str, write: Callable[[object], None]) -> None:
        """Write into the W&B run.

        Args:
            what: description of the data, for the message if recording it fails.
            write: receives the `wandb.Run`.
        """
        if self._run is None and not self.lost:
            self._attempt("nothing of this run could be recorded", self._open, START_SECONDS)
        if not self.lost:
            self._attempt(f"{what} and everything after could not be recorded", lambda: write(self._run))

    def close(self) -> None:
        """Finish the W&B run, if there is one, so that the next run does not continue it and the process can exit."""
        whole = False
        try:
            if self._run is not None:
                self._attempt("the end of this run may be missing", self._run.finish)
            whole = not self.lost
        finally:
            if not whole:
                abandon()
            self._run = None

    def _open(self) -> None:
        own = self.folder / "wandb"
        own.mkdir(parents=True, exist_ok=True)  # or W&B would use the system's temporary folder
        if not os.access(own, os.W_OK):
            raise PermissionError(f"{own} cannot be written")
        if service() is None:
            os.environ.pop("WANDB_SERVICE", None)  # another process's service, which we could not kill
        import wandb

        settings = wandb.Settings(
            init_timeout=SERVER_SECONDS,
            finish_timeout=END_SECONDS / 2,  # before `at_most` kills it: unsent data stays in the folder
            finish_timeout_raises=True,
            # Do not upload the output and the command line: they contain paths of this machine.
            console="off",
            x_disable_meta=True,
            program="ser",
        )
        self._run = wandb.init(dir=str(self.folder), resume="allow", settings=settings, **self.options)
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP, step_sync=True)

    def _attempt(self, loss: str, step: Callable[[], None], seconds: float | None = None) -> None:
        begun = time.monotonic()
        try:
            with at_most(seconds or max(self._seconds_left, 1)):
                step()
        except Exception as error:
            self._seconds_left -= time.monotonic() - begun
            self.lost = self.lost or f"{loss}: {cause(error)}"


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


def check_key() -> None:
    """Refuse an online run if W&B's API key is missing or malformed.

    W&B itself looks for a key in the environment, in netrc under its server's name and in its settings, and for an
    identity token. Nothing is refused if W&B is not installed: the run continues without it.

    Raises:
        InputError: with the remedy.
    """
    try:
        import wandb
        from wandb.sdk import wandb_setup
        from wandb.sdk.lib.wbauth import HostUrl, authenticate_session
    except ImportError:
        return
    try:
        settings = wandb_setup.singleton().settings
        host = HostUrl(settings.base_url, app_url=settings.app_url)
        found = authenticate_session(host=host, source="ser", prompt=False, update_session=False)
    except Exception as error:
        raise InputError(f"--wandb.mode online: W&B cannot read its key: {' '.join(str(error).split())}") from error
    finally:
        if service() is None:
            wandb.teardown()  # or later changes of the environment would be ignored, with a warning
    if not found:
        raise InputError(f"--wandb.mode online needs a key for {host}: run `wandb login` or set WANDB_API_KEY")
