"""The parser of a run's options, and what it says to a mistake."""

from __future__ import annotations

from typing import NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from ser.configuration import explain
from ser.data.release import USE_BUILT_IN
from ser.errors import InputError


class RunParser(LightningArgumentParser):
    """A parser that answers a mistake with its cause instead of pages of usage."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        message = explain(message)
        if "data.corpus" in message and "required" in message:
            message += f"\n{USE_BUILT_IN}"
        command = "ser crossval" if self.prog == "ser crossval" else "ser fit"
        raise InputError(f"{message.strip()}\n(every option: {command} --help, a system's: ser fit --model.help CLASS)")


def plain_seed(seed: int | bool) -> int:
    """The seed of the batches; a run that cannot be repeated is refused."""
    if isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed_everything must be a number from 0 to {2**32 - 1}, so that the run can be repeated")
    return seed
