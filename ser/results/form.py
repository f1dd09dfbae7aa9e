"""A result's own record, `result.json`: read, and held against the form that whoever reads it relies on.

A form is a type, a list with the form of each of its elements (at least one), a dictionary with the form of each name
that must be there, or one of `Maybe` and `Each`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from reprlib import repr as shorten
from typing import Any

from ser.errors import InputError

WORDS = {str: "text", int: "a whole number", float: "a number", dict: "names with values", list: "a list"}


@dataclass(frozen=True)
class Maybe:
    """What may be null.

    Args:
        form: of what it is otherwise.
        needed: whether the name must be there all the same; older results lack some.
    """

    form: Any
    needed: bool = True


@dataclass(frozen=True)
class Each:
    """Names with values of one form, whatever they are called."""

    form: Any


def read_record(path: Path) -> dict:
    """A `result.json` as it is written.

    Raises:
        InputError: if it cannot be read or is something else.
    """
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or no JSON
        raise InputError(f"{path}: not a result of this program ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: not a result of this program (nested too deeply)") from error
    if not isinstance(about, dict):
        raise InputError(f"{path}: not a result of this program ({shorten(about)} in place of names with values)")
    return about


def check_form(place: str, value: Any, form: Any, name: str = "") -> None:
    """Refuse a record, or a part of it, that has not the form its readers rely on.

    Args:
        place: the file, for the message.
        value: what stands there.
        form: what must.
        name: of the part; "" for the whole record.

    Raises:
        InputError: naming the file, the part and what it must be.

    Example:
        >>> check_form("result.json", {"seeds": [1, "two"]}, {"seeds": [int]})
        Traceback (most recent call last):
        ser.errors.InputError: result.json: seed 2 is 'two', but must be a whole number
    """
    if isinstance(form, Maybe):
        if value is not None:
            check_form(place, value, form.form, name)
    elif isinstance(form, Each):
        _check_kind(place, value, dict, name)
        for key, each in value.items():
            check_form(place, each, form.form, f"{name}.{key}")
    elif isinstance(form, list):
        _check_kind(place, value, list, name)
        if not value:
            raise InputError(f"{place}: {name} is [], but must be a list with something in it")
        for number, each in enumerate(value, start=1):
            check_form(place, each, form[0], f"{name.removesuffix('s')} {number}")
    elif isinstance(form, dict):
        _check_kind(place, value, dict, name)
        needed = [key for key, each in form.items() if not isinstance(each, Maybe) or each.needed]
        if missing := ", ".join(key for key in needed if key not in value):
            raise InputError(
                f"{place}: {name} lacks {missing}"
                if name
                else f"{place} lacks {missing}; another version of this program wrote it"
            )
        for key, each in form.items():
            check_form(place, value.get(key), each, f"{name}.{key}" if name else key)
    else:
        _check_kind(place, value, form, name)


def _check_kind(place: str, value: Any, kind: type, name: str) -> None:
    fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not isfinite(value)):
        raise InputError(f"{place}: {name} is {shorten(value)}, but must be {WORDS[kind]}")
