"""The parser of a run's options, and what it says to a mistake."""

from __future__ import annotations

import sys
from typing import ClassVar, NoReturn

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from ser.data.corpora.release import USE_BUILT_IN
from ser.errors import InputError
from ser.training.options.configuration import check_files
from ser.training.options.corpus_options import corpus_options
from ser.training.options.mistakes import explain

COMMANDS = (["test"], ["validate"])  # besides fit, whose options those of a study's runs are


class RunParser(LightningArgumentParser):
    """A parser that answers a mistake with its cause instead of pages of usage.

    Attributes:
        places: where the options of the command line's files are written; looked up before the parser, while it reads
            a file, changes the working folder.
    """

    places: ClassVar[dict[str, str]] = {}

    def parse_args(self, args: list[str] | None = None, *others, **options) -> Namespace:
        places = check_files(sys.argv[1:] if args is None else args)
        if args is None:
            RunParser.places = places
        return super().parse_args(args, *others, **options)

    def format_help(self) -> str:
        return super().format_help() + corpus_options(self)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        message = explain(message, self, self.places)
        if "data.corpus" in message and "required" in message:
            message += f"\n{USE_BUILT_IN}"
        words = sys.argv[1:2]
        command = self.prog if self.prog == "ser crossval" else f"ser {words[0] if words in COMMANDS else 'fit'}"
        raise InputError(f"{message.strip()}\n(every option: {command} --help, a system's: ser fit --model.help CLASS)")


def plain_seed(seed: int | bool) -> int:
    """The seed of the batches; a run that cannot be repeated is refused."""
    if isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed_everything must be a number from 0 to {2**32 - 1}, so that the run can be repeated")
    return seed
