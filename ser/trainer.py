"""What a run asks of Lightning's trainer: whole epochs, everyone validated and tested, the run's own loggers."""

from __future__ import annotations

from ser.errors import InputError

# What a run's numbers rest on: with any other value, epochs would be cut short or a set not be evaluated.
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
OWN = {"logger": "--wandb.mode", "default_root_dir": "--out"}


def check_trainer(settings: dict, fitting: bool) -> None:
    """Refuse a trainer that would not make a whole run.

    Args:
        settings: its options by name.
        fitting: whether it will train.

    Raises:
        InputError: naming the option.
    """
    for name, instead in OWN.items():
        if settings[name] not in (None, True):
            raise InputError(f"trainer.{name} is the run's own affair; use {instead}")
    for name, allowed in WHOLE_RUNS.items():
        if settings[name] not in allowed:
            raise InputError(f"trainer.{name} is {settings[name]}, but a run validates every epoch and tests everyone")
    if fitting and not (settings["max_epochs"] or 0) >= 1:
        raise InputError(f"trainer.max_epochs is {settings['max_epochs']}, but must be at least 1")
