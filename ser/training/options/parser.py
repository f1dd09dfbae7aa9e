"""The parser of options that belong to classes: its help and its error messages."""

import argparse
from typing import ClassVar, NoReturn

from jsonargparse import ArgumentParser, Namespace

import ser.data
from ser.data.corpora.release import USE_BUILT_IN
from ser.errors import InputError, refusal_within
from ser.paths import expand_home
from ser.training.options.configuration import check_files
from ser.training.options.mistakes import explain
from ser.training.options.names import CONF, files_of, names_in


class ClassParser(ArgumentParser):
    """A jsonargparse parser that reports the cause of an error instead of pages of usage."""

    # File and line of options in configuration files; shared, since a parser creates others for nested classes.
    places: ClassVar[dict[str, str]] = {}
    more_help: ClassVar[str] = ""

    def read(self, words: list[str]) -> Namespace:
        """Parse a command line and its configuration files.

        Raises:
            InputError: with option, file and line.
        """
        words = files_of(words)
        # First, because the parser changes the working folder while it reads a file.
        ClassParser.places = check_files(words)
        return expand_home(self.parse_args(words))

    def build(self, options: Namespace) -> Namespace:
        """The options with their classes instantiated.

        Raises:
            InputError: if a class refuses its options.
        """
        try:
            return self.instantiate(options)
        except ValueError as error:  # jsonargparse wraps the constructor's error
            raise refusal_within(error) from error

    def format_help(self) -> str:
        return super().format_help() + _names(self) + _corpus_options(self)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        message = explain(message, self, self.places)
        if "data.corpus" in message and "required" in message:
            message += f"\n{USE_BUILT_IN}"
        raise InputError(f"{message.strip()}\n(all options: {self.prog} --help{self.more_help})")


def _names(parser: ArgumentParser) -> str:
    """Help on the names of included files; empty for a parser of a class."""
    takers = [word for word in ("--config", "--trainer", "--data") if word in parser._option_string_actions]
    if not takers:
        return ""
    return (
        f"\n{', '.join(takers)}: a file, or one of these names (a file of that name in the current folder takes\n"
        f"precedence):\n  {', '.join(names_in(CONF))}\n"
    )


def _corpus_options(parser: ArgumentParser) -> str:
    """Help on the options of each corpus; empty for a parser without `--data.corpus`."""
    if not any(action.dest == "data.corpus" for action in parser._actions):
        return ""
    parts = ["\nThe options of each corpus:"]
    for name in ser.data.__all__:
        one = ArgumentParser(usage=argparse.SUPPRESS, add_help=False)
        one.add_class_arguments(getattr(ser.data, name), "data.corpus")
        title, _, *options = one.format_help().splitlines()  # the second line is about configuration files
        parts.append("\n".join([f"--data.corpus {name}: {title.rstrip(':')}", *options]).rstrip())
    return "\n\n".join(parts) + "\n"
