"""Paths in options: expand `~` in every option, and record absolute paths; paths as text."""

import os
from argparse import Namespace

PLACES = ("root", "csv", "splits", "init_weights", "ckpt_path", "dirpath")  # options that name a file or a folder
NAMES = ("wandb",)  # options whose values are not paths


def expand_home(value: object) -> object:
    """Expand a leading `~` in every string of a nested value; the shell does not expand it in `--out=~/x`.

    Example:
        >>> home = os.path.expanduser("~")
        >>> expand_home({"out": "~", "wandb": {"name": "~"}}) == {"out": home, "wandb": {"name": "~"}}
        True
    """
    if isinstance(value, str):
        return os.path.expanduser(value)
    if isinstance(value, list):
        return [expand_home(each) for each in value]
    if isinstance(value, Namespace):
        return type(value)(**expand_home(vars(value)))
    if isinstance(value, dict):
        return {name: each if name in NAMES else expand_home(each) for name, each in value.items()}
    return value


def absolute_places(value: object) -> object:
    """Make the paths in options absolute; options are nested or have dotted names.

    Example:
        >>> absolute_places({"data.corpus.root": "/a/../b", "model": {"init_args": {"name": "../b"}}})
        {'data.corpus.root': '/b', 'model': {'init_args': {'name': '../b'}}}
    """
    if isinstance(value, list):
        return [absolute_places(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: os.path.abspath(os.path.expanduser(each))
        if isinstance(each, str) and each and name.rsplit(".", 1)[-1] in PLACES
        else absolute_places(each)
        for name, each in value.items()
    }


def text_of(path: str) -> str:
    r"""A path as text that can be written as UTF-8.

    Example:
        >>> text_of("caf\udce9")
        'caf\\xe9'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
