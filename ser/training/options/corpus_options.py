"""The options of every corpus as help text, from its signature and docstring."""

from __future__ import annotations

import argparse

from jsonargparse import ArgumentParser

import ser.data


def corpus_options(parser: ArgumentParser) -> str:
    """What may follow `--data.corpus`, for each corpus there is; nothing for a parser without that option."""
    if not any(action.dest == "data.corpus" for action in parser._actions):
        return ""
    parts = ["\nThe options of each corpus:"]
    for name in ser.data.__all__:
        one = ArgumentParser(usage=argparse.SUPPRESS, add_help=False)
        one.add_class_arguments(getattr(ser.data, name), "data.corpus")
        title, _, *options = one.format_help().splitlines()  # between them: that the corpus may be a file
        parts.append("\n".join([f"--data.corpus {name}: {title.rstrip(':')}", *options]).rstrip())
    return "\n\n".join(parts) + "\n"
