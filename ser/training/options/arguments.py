"""The command line before it is parsed: order of options, ranges of numbers, unknown options."""

import argparse
import sys
from itertools import chain, islice
from typing import NoReturn

from ser.errors import InputError, nearest

MOST_NUMBERS = 10_000
FILES = ("-c", "--config", "--trainer", "--data", "--model")


def files_first(arguments: list[str]) -> list[str]:
    """The options with configuration files first, so that single options override them in any order.

    Names can be written with "-" or "_".

    Example:
        >>> files_first(["--data.fold", "3", "--epochs-averaged=5", "--data", "emodb.yaml", "--config=a.yaml"])
        ['--config=a.yaml', '--data', 'emodb.yaml', '--data.fold', '3', '--epochs_averaged=5']
    """
    found: dict[str, list[str]] = {name: [] for name in FILES}
    others, rest = [], iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in FILES:
            found["--config" if name == "-c" else name] += [word] if equals else [word, *islice(rest, 1)]
        elif name.startswith("--"):
            others.append("--" + name[2:].replace("-", "_") + equals + value)
        else:
            others.append(word)
    return [*chain.from_iterable(found.values()), *others]


def parse_numbers(option: str, text: str | int | list[int]) -> list[int]:
    """Numbers from a list, or from text with ranges, sorted and without duplicates.

    Raises:
        InputError: with the option and an example.

    Example:
        >>> parse_numbers("folds", "1-3,7")
        [1, 2, 3, 7]
    """
    numbers: set[int] = set()
    for part in text if isinstance(text, list) else str(text).strip("[]").split(","):
        first, dash, last = str(part).strip().partition("-")
        try:
            lowest, highest = int(first), int(last if dash else first)
        except ValueError:
            raise InputError(f"{option} is {text!r}, but must be numbers like 1-5,7") from None
        if highest - lowest >= MOST_NUMBERS:
            raise InputError(f"{option} is {text!r}: more than {MOST_NUMBERS} numbers")
        numbers.update(range(lowest, highest + 1))
    if not numbers:
        raise InputError(f"{option} is {text!r}, which contains no numbers")
    return sorted(numbers)


def option_names(parser: argparse.ArgumentParser) -> list[str]:
    """The long options of a parser, as they are typed."""
    words = [word for action in parser._actions for word in action.option_strings]
    return [word for word in words if word.startswith("--") and not word.endswith(("+", ".help"))]


class Parser(argparse.ArgumentParser):
    """An argparse parser that suggests the nearest known option for an unknown one."""

    def error(self, message: str) -> NoReturn:
        if (wrong := message.removeprefix("unrecognized arguments: ")) != message:
            name = wrong.split()[0].partition("=")[0]
            parser = self._chosen()
            suggestion = nearest(name, option_names(parser))
            raise InputError(f"{name}: no such option{suggestion}\n(all options: {parser.prog} --help)")
        super().error(message)

    def _chosen(self) -> argparse.ArgumentParser:
        """The parser of the typed subcommand, or this one; argparse reports a subcommand's unknown options here."""
        for action in self._actions:
            for word in sys.argv[2:3] if isinstance(action.choices, dict) else ():
                return action.choices.get(word, self)
        return self
