"""Type checks of values read from files: `result.json`, checkpoints."""

import json
from pathlib import Path
from reprlib import repr as shorten
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ser.bounds import in_words
from ser.errors import InputError

T = TypeVar("T")
Filled = Annotated[list[T], Field(min_length=1)]

MOST_ERRORS = 5  # listed in a message; a file can have millions
MOST_PARTS = 6  # shown of the path to a value, for the same reason


class Record(BaseModel):
    """Values of exactly these types: a bool is no number, numbers are finite. Further keys are allowed."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Sets(Record, Generic[T]):
    """A value for each set of a fold."""

    train: T
    val: T
    test: T


def read_record(path: Path) -> dict:
    """Read a JSON object from a file that this program has written, without checking its entries.

    Raises:
        InputError: if it cannot be read or is not a JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, no JSON, or nested too deeply
        raise InputError(f"{path}: not written by this program ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: not written by this program ({shorten(found):.80} is not a JSON object)")
    return found


def check_record(form: type[Record], value: object, place: object) -> None:
    """Refuse a record that is not of this form.

    Args:
        place: the file it is from.

    Raises:
        InputError: with a line for each error: file, key, value and what it must be.

    Example:
        >>> check_record(Sets[int], {"train": "3", "val": 3}, "result.json")
        Traceback (most recent call last):
        ser.errors.InputError: result.json: train is '3', but must be a whole number
        result.json: test is missing; another version of this program may have written it
    """
    try:
        form.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        lines = [f"{place}: {_describe(**each)}" for each in found[:MOST_ERRORS]]
        if (more := len(found) - MOST_ERRORS) > 0:
            lines.append(f"{place}: and {more} more errors")
        raise InputError("\n".join(lines)) from error


def _describe(type: str, loc: tuple[str | int, ...], msg: str, input: object) -> str:
    """A pydantic error as one line of bounded length, without control characters."""
    name = "".join(_part(each) for each in loc[:MOST_PARTS] if each != "[key]").removeprefix(".")
    if type == "missing":
        return f"{name} is missing; another version of this program may have written it"
    try:
        shown = " ".join(shorten(input).split())
    except ValueError:  # more digits than Python prints
        shown = "too long to be shown"
    said = in_words(msg.partition(" or instance of ")[0])
    return f"{name or 'the whole value'} is {shown:.80}" + (f", but {said}" if said != msg else f": {msg}")


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part.isidentifier() and len(part) < 40 else f"[{shorten(part)}]"
