"""A W&B run whose failures and delays do not stop a training."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ser.files import without_folders, write_text
from ser.training.tracking.service import abandon, at_most, cause, service
from ser.training.tracking.variables import tell_overridden

START_SECONDS = 60  # longest delay of a training by opening a W&B run
END_SECONDS = 60  # longest total delay after that, with the last upload
SERVER_SECONDS = 20  # W&B's timeout for opening a run on its server; login takes up to ten more
FLUSH_SECONDS = 1  # how much of an offline run a kill can lose; W&B's default is 15
RUN_ID = "wandb_id.txt"  # file in a run's folder
EMPTY_BYTES = 7  # of a `.wandb` file without records: a run that was killed at once
AXIS, BEST = "epoch", ("val/wa", "val/ua")


class WandbRun(Logger):
    """A W&B run, opened when there is something to record, and continued if its folder has an id of one.

    After the first failure nothing more is recorded; earlier data is kept if W&B can still save it.

    Args:
        folder: the run's folder, where `wandb/` is created.
        artifacts: whether artifacts are to be stored.
        settings: of `wandb.Settings`; with a mode.

    Attributes:
        lost: what could not be recorded and why, as a sentence; None if nothing is missing.
    """

    def __init__(self, folder: Path, artifacts: bool = False, **settings) -> None:
        super().__init__()
        self.folder, self.artifacts, self.settings = folder, artifacts, settings
        self.lost: str | None = None
        self._run = None
        self._seconds_left = float(END_SECONDS)

    @property
    def name(self) -> str | None:
        return self.settings.get("project")

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
        """Record the values of a user's callback; those of a training are recorded from `metrics.csv`."""
        recorded = (AXIS, "train/", "val/")
        values = {name: value for name, value in metrics.items() if not name.startswith(recorded)}
        if values:
            what = f"the metrics of step {step}"
            self.record(what, lambda run: run.log(values, step=max(step or 0, run.step)))

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
        for part in own.glob("*run-*/run-*.wandb"):
            if part.stat().st_size <= EMPTY_BYTES:  # `wandb beta sync` stops at it
                shutil.rmtree(part.parent.resolve(), ignore_errors=True)
        if service() is None:
            os.environ.pop("WANDB_SERVICE", None)  # another process's service, which we could not kill
        import wandb

        settings = wandb.Settings(
            root_dir=str(self.folder),
            run_id=self._id(),
            resume="allow",
            init_timeout=SERVER_SECONDS,
            finish_timeout=END_SECONDS / 2,  # before `at_most` kills it: unsent data stays in the folder
            finish_timeout_raises=True,
            x_transaction_log_flush_interval=FLUSH_SECONDS,
            # Do not upload the output and the command line: they contain paths of this machine.
            console="off",
            x_disable_meta=True,
            program="ser",
            **self.settings,
        )
        tell_overridden(settings)
        if os.environ.get("WANDB_SWEEP_ID"):  # then W&B takes these from the agent's variables alone
            os.environ["WANDB_RUN_ID"] = settings.run_id
            settings.run_id = settings.project = settings.entity = None
        self._run = wandb.init(settings=settings)
        self._run.define_metric("*", step_metric=AXIS, step_sync=True)
        for name in BEST:
            self._run.define_metric(name, step_metric=AXIS, summary="max")

    def _id(self) -> str:
        """The id of the run, kept in its folder, so that it stays one run if it is interrupted."""
        path = self.folder / RUN_ID
        if not path.exists():
            import wandb

            new = os.environ.get("WANDB_RUN_ID") or token_hex(6)
            wandb.Settings(run_id=new)  # raises for an id that W&B refuses, before it is kept
            write_text(path, f"{new}\n")
        return path.read_text(encoding="utf-8").strip()

    def _attempt(self, loss: str, step: Callable[[], None], seconds: float | None = None) -> None:
        begun = time.monotonic()
        try:
            with at_most(seconds or max(self._seconds_left, 1)):
                step()
        except Exception as error:
            self._seconds_left -= time.monotonic() - begun
            self.lost = self.lost or f"{loss}: {cause(error)}"
