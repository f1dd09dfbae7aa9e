"""The parser of a run's options, and what it says to a mistake."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from ser.data.corpora.release import USE_BUILT_IN
from ser.errors import InputError
from ser.training.options.corpus_options import corpus_options
from ser.training.options.mistakes import explain


class RunParser(LightningArgumentParser):
    """A parser that answers a mistake with its cause instead of pages of usage.

    Attributes:
        places: where the options of the command line's files are written; of the class, since a parser makes others of
            its kind for the options of a class.
    """

    places: ClassVar[dict[str, str]] = {}

    def format_help(self) -> str:
        return super().format_help() + corpus_options(self)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        message = explain(message, self, self.places)
        if "data.corpus" in message and "required" in message:
            message += f"\n{USE_BUILT_IN}"
        raise InputError(
            f"{message.strip()}\n(every option: {self.prog} --help, a system's: ser fit --model.help CLASS)"
        )


def plain_seed(seed: int | bool) -> int:
    """The seed of the batches; a run that cannot be repeated is refused."""
    if isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed_everything must be a number from 0 to {2**32 - 1}, so that the run can be repeated")
    return seed
