"""Bounds of options, as types of constructor arguments: `fold: Annotated[int, Field(ge=1, le=10)] = 1`."""

import re
from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from typing import Annotated, Literal, get_origin, get_type_hints

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from ser.errors import InputError, show

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Units = Annotated[int, Field(ge=1, le=4096)]
CapsuleSize = Annotated[int, Field(ge=1, le=1024)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
LearningRate = Annotated[float, Field(gt=0, le=1)]

NAME = re.compile(r"[^\W_][\w -]{0,39}")  # becomes part of column names and of metrics such as val/recall/happy
MOST_EMOTIONS = 100
TAKEN = ("all", "fold", "halves", "sessions", "set", "speakers")  # columns beside the emotions


def _emotions(names: list[str]) -> list[str]:
    """Check the names of emotions.

    Raises:
        ValueError: for fewer than two or too many names, a name used twice, or one that cannot be part of a metric.
    """
    if not 2 <= len(names) <= MOST_EMOTIONS:
        raise ValueError(f"must be 2 to {MOST_EMOTIONS} names")
    for name in names:
        if not NAME.fullmatch(name) or name != name.strip() or name in TAKEN:
            raise ValueError(
                f"{name!r} cannot be used: use letters, digits, spaces and hyphens, and not {', '.join(TAKEN)}; "
                "--data.merge counts a label as an emotion of another name"
            )
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there twice")
    return names


Emotions = Annotated[list[str], AfterValidator(_emotions)]

WORDS = {
    "Value error, ": "",
    **{"Input should": "must", "greater than or equal to": "at least", "less than or equal to": "at most"},
    **{"a valid integer": "a whole number", "a valid number": "a number", "a valid string": "text"},
    **{"a valid boolean": "true or false", "a valid list": "a list", "a valid dictionary": "names with values"},
    "Field required": "is missing",
}


def checked(prefix: str = "") -> Callable[[Callable], Callable]:
    """Decorator that checks a constructor's `Annotated` and `Literal` arguments before it runs.

    The command-line parser sees the types without bounds.

    Args:
        prefix: put before option names in messages, such as "model.".
    """

    def decorate(function: Callable) -> Callable:
        whole, bare, own = get_type_hints(function, include_extras=True), get_type_hints(function), signature(function)
        bounded = {name: type_ for name, type_ in whole.items() if get_origin(type_) in (Annotated, Literal)}

        @wraps(function)
        def checking(*args, **options):
            for name, value in own.bind(*args, **options).arguments.items():
                if name in bounded:
                    check(prefix + name, value, bounded[name])
            return function(*args, **options)

        parameters = [each.replace(annotation=bare.get(each.name, each.empty)) for each in own.parameters.values()]
        checking.__signature__ = own.replace(parameters=parameters)
        return checking

    return decorate


def check(name: str, value: object, type_: object) -> None:
    """Refuse a value of the wrong type or out of bounds; booleans are not numbers, and NaN is always out of bounds.

    Raises:
        InputError: with the option, its value and the allowed values.

    Example:
        >>> check("dropout", 1.5, Dropout)
        Traceback (most recent call last):
        ser.errors.InputError: dropout is 1.5, but must be less than 1
    """
    try:
        _validator(type_).validate_python(value.item() if isinstance(value, np.generic) else value)
    except ValidationError as error:
        raise InputError(f"{name} is {show(value)}, but {in_words(error.errors()[0]['msg'])}") from None


def in_words(message: str) -> str:
    """Put an error message of pydantic into plain words.

    Example:
        >>> in_words("Input should be a valid integer")
        'must be a whole number'
    """
    for words, plain in WORDS.items():
        message = message.replace(words, plain)
    return message


@cache
def _validator(type_: object) -> TypeAdapter:
    return TypeAdapter(type_, config=ConfigDict(strict=True))
