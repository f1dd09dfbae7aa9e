"""Corpora, read into one table of utterances. Each is a module of this package with a subclass of `Corpus`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser.data.corpora.corpus import Corpus


@cache
def kinds() -> dict[str, type[Corpus]]:
    """The class of every corpus, by module name: "emodb", "iemocap", "manifest"."""
    from ser.data.corpora.corpus import Corpus

    found = {}
    for module in iter_modules(__path__):
        for each in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Corpus) and each.__module__ == f"{__name__}.{module.name}":
                found[module.name] = each
    del found["corpus"]  # the base class
    return found
