"""Checks of the trainer's settings: whole epochs, complete validation and test sets, only the run's own loggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from lightning.pytorch.utilities.exceptions import MisconfigurationException
from pydantic import Field

from ser.bounds import check
from ser.errors import InputError

# Other values would cut epochs short or leave out part of a set.
WHOLE_RUNS = {
    "fast_dev_run": (False,),
    "enable_checkpointing": (None, True),
    "limit_train_batches": (None,),
    "max_steps": (-1,),
    "max_time": (None,),
    "accumulate_grad_batches": (1,),
    "limit_val_batches": (None,),
    "limit_test_batches": (None,),
    "overfit_batches": (0, 0.0),
    "check_val_every_n_epoch": (1,),
}
BOUNDS = {
    "max_epochs": Annotated[int, Field(ge=1, le=100_000)],  # checked for trainings only
    "num_nodes": Annotated[int | None, Field(ge=1, le=1024)],
    "min_epochs": Annotated[int | None, Field(ge=0, le=100_000)],
    "min_steps": Annotated[int | None, Field(ge=0, le=1_000_000_000)],
    "num_sanity_val_steps": Annotated[int | None, Field(ge=-1, le=1_000_000)],
    "log_every_n_steps": Annotated[int | None, Field(ge=0, le=1_000_000_000)],
    "gradient_clip_val": Annotated[float | None, Field(gt=0, le=1e9)],
    "reload_dataloaders_every_n_epochs": Annotated[int | None, Field(ge=0, le=100_000)],
}
PRECISIONS = ("32-true", "64-true", "bf16-mixed", "16-mixed")
SHORT_PRECISIONS = (None, 64, 32, 16, "64", "32", "16", "bf16")  # Lightning's aliases
NARROW = ("HalfPrecision", "TransformerEnginePrecision", "BitsandbytesPrecision")  # plugins: 16 bits or fewer
# Callbacks that stop a training early or change settings recorded in `config.yaml`.
CUTTING = ("EarlyStopping", "Timer", "GradientAccumulationScheduler", "BatchSizeFinder", "LearningRateFinder")
OWN = {"logger": "--wandb.mode", "default_root_dir": "--out"}


@contextmanager
def refusals(what: str = "trainer") -> Iterator[None]:
    """Turn Lightning's errors into an `InputError` with the same message after "`what`: "."""
    try:
        yield
    except InputError:
        raise
    except (MisconfigurationException, ImportError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{what}: {error}") from error


def listed(value: object) -> list:
    """Callbacks or plugins as a list, as Lightning takes them: none, a single one, or a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def check_trainer(settings: dict, fitting: bool) -> None:
    """Refuse trainer settings that would make a run incomplete.

    Raises:
        InputError: with the option.
    """
    for name, instead in OWN.items():
        if settings[name] not in (None, True):
            raise InputError(f"ser sets trainer.{name} itself; use {instead}")
    for name, allowed in WHOLE_RUNS.items():
        if settings[name] not in allowed:
            raise InputError(
                f"trainer.{name} is {settings[name]}; leave it at its default: a run trains whole epochs, validates "
                "after each and tests the whole test set"
            )
    if settings["precision"] not in PRECISIONS + SHORT_PRECISIONS:
        raise InputError(
            f"trainer.precision is {settings['precision']}, but the spectrogram's Fourier transform needs 32 bits; "
            f"use one of {', '.join(PRECISIONS)}"
        )
    for plugin in listed(settings["plugins"]):
        if (name := getattr(plugin, "class_path", "").rsplit(".", 1)[-1]) in NARROW:
            raise InputError(f"trainer.plugins: {name}: use trainer.precision, one of {', '.join(PRECISIONS)}")
    for callback in listed(settings["callbacks"]):
        if (name := callback.class_path.rsplit(".", 1)[-1]) in CUTTING:
            raise InputError(
                f"trainer.callbacks: {name} is not allowed: it stops a run early or changes its recorded settings"
            )
    interval = settings["val_check_interval"]
    if isinstance(interval, int) or interval not in (None, 1.0):  # 1 is every batch, 1.0 every epoch
        raise InputError(f"trainer.val_check_interval is {interval}, but a run validates every epoch; use 1.0")
    for name, type_ in BOUNDS.items():
        if fitting or name != "max_epochs":
            check(f"trainer.{name}", settings[name], type_)
