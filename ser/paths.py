"""Paths as users write them: `~` works in every option, and what is recorded means the same in any folder."""

import os
from argparse import Namespace

PLACES = ("root", "csv", "init_weights", "ckpt_path", "dirpath")  # options that name a file or a folder
NAMES = ("wandb",)  # options that name no files


def expand_home(value: object) -> object:
    """A value in which every text that begins with `~` begins with the home folder: no shell expands it in `--out=~/x`.

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
    """Options, nested or with points in their names, with absolute paths where they name a file or a folder.

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
