"""A search space: options of `ser fit`, each with the values it may take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import isfinite, prod
from typing import Annotated, ClassVar

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel, Field, ValidationError

from ser.errors import InputError, show

MOST_EXHAUSTIVE = 10_000
LARGEST = 10**15 - 1  # exact in a float as well


@dataclass(frozen=True)
class Space:
    """Options and their distributions, in the order of the file."""

    dimensions: dict[str, BaseDistribution]

    def suggest(self, trial: optuna.Trial) -> dict[str, object]:
        """A value for every option, by the study's sampler."""
        return {name: suggest(trial, name, dimension) for name, dimension in self.dimensions.items()}

    def points(self) -> Iterator[dict[str, object]]:
        """Every combination of values.

        Raises:
            InputError: for a float without a step, or more than 10,000 combinations.
        """
        counts = [count_of(name, dimension) for name, dimension in self.dimensions.items()]
        if (number := prod(counts)) > MOST_EXHAUSTIVE:
            raise InputError(f"space: an exhaustive study would have {number} trials, of at most {MOST_EXHAUSTIVE}")
        for places in product(*map(range, counts)):
            values = map(value_at, self.dimensions.values(), places)
            yield dict(zip(self.dimensions, values, strict=True))

    def corners(self) -> Iterator[dict[str, object]]:
        """Points that between them have both ends of every range and every category."""
        ends = {
            name: each.choices if isinstance(each, CategoricalDistribution) else (each.low, each.high)
            for name, each in self.dimensions.items()
        }
        for place in range(max(map(len, ends.values()))):
            yield {name: values[min(place, len(values) - 1)] for name, values in ends.items()}

    def described(self) -> dict[str, str]:
        """Options and their ranges as text, to be compared and shown."""
        return {name: describe(dimension) for name, dimension in self.dimensions.items()}


def read_space(written: object, where: str) -> Space:
    """A search space from YAML: `{int: [1, 5]}`, `{float: [0.2, 0.6], step: 0.1}` or `{categorical: [a, b]}` by option.

    Raises:
        InputError: naming the file, the option and what is wrong with its range.
    """
    if not isinstance(written, dict) or not written:
        raise InputError(f"{where}: space must name at least one option with its range")
    return Space({str(name): dimension(f"{where}: space: {name}", entry) for name, entry in written.items()})


def dimension(name: str, entry: object) -> BaseDistribution:
    """One option's distribution."""
    kinds = [kind for kind in KINDS if isinstance(entry, dict) and kind in entry]
    if len(kinds) != 1:
        raise InputError(f"{name}: give one of int, float, categorical, as in {{int: [1, 5]}}")
    with refusals(name):
        return KINDS[kinds[0]].model_validate(entry).distribution()


@contextmanager
def refusals(where: str, known: Iterable[str] = ("step", "log")) -> Iterator[None]:
    """Turn what pydantic or Optuna refuses into one message: "where: key: what is wrong (value)".

    Raises:
        InputError: for the first wrong value; for an unknown key with the known ones.
    """
    try:
        yield
    except ValidationError as error:
        found = error.errors()[0]
        place, kind = ": ".join([where, *map(str, found["loc"])]), found["type"]
        if kind in ("extra_forbidden", "unexpected_keyword_argument"):
            raise InputError(f"{place}: no such key (known: {', '.join(known)})") from None
        value = "" if kind == "missing" else f" ({show(found['input'])})"
        raise InputError(f"{place}: {found['msg']}{value}") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


class _Range(BaseModel, extra="forbid", strict=True):
    """Two ends of a range; whole numbers and others differ in what they allow."""

    log: bool = False

    def distribution(self) -> BaseDistribution:
        low, high = self.ends
        if not low < high:
            raise ValueError(f"the range {low} to {high} is empty or upside down")
        steps = (high - low) / (self.step or high - low)
        if steps < 1 or abs(steps - round(steps)) > 1e-9:
            raise ValueError(f"steps of {self.step} from {low} do not reach {high}")
        return self.kind(low, high, log=self.log, step=self.step)


class _Whole(_Range):
    kind: ClassVar = IntDistribution
    ends: list[Annotated[int, Field(ge=-LARGEST, le=LARGEST)]] = Field(alias="int", min_length=2, max_length=2)
    step: Annotated[int, Field(ge=1)] = 1


class _Real(_Range):
    kind: ClassVar = FloatDistribution
    ends: list[Annotated[float, Field(ge=-LARGEST, le=LARGEST)]] = Field(alias="float", min_length=2, max_length=2)
    step: Annotated[float, Field(ge=1e-12)] | None = None


class _Categories(BaseModel, extra="forbid"):
    values: list[object] = Field(alias="categorical", min_length=1)

    def distribution(self) -> CategoricalDistribution:
        for value in self.values:
            if not isinstance(value, str | int | float | None) or (isinstance(value, float) and not isfinite(value)):
                raise ValueError(f"{value!r} is not a single value (text, number, true, false or null)")
        if len(set(self.values)) < len(self.values):  # 1, 1.0 and true are one value to Optuna
            raise ValueError(f"a value stands twice in {self.values}")
        return CategoricalDistribution(self.values)


KINDS = {"int": _Whole, "float": _Real, "categorical": _Categories}


def count_of(name: str, dimension: BaseDistribution) -> int:
    """How many values an option has.

    Raises:
        InputError: for a float without a step.
    """
    if isinstance(dimension, CategoricalDistribution):
        return len(dimension.choices)
    if dimension.step is None:
        raise InputError(f"space: {name}: an exhaustive study needs a step")
    return round((dimension.high - dimension.low) / dimension.step) + 1


def value_at(dimension: BaseDistribution, place: int) -> object:
    """The value at a place, from 0, of an option that has a finite number of them."""
    if isinstance(dimension, CategoricalDistribution):
        return dimension.choices[place]
    return round(dimension.low + place * dimension.step, 12)


def suggest(trial: optuna.Trial, name: str, dimension: BaseDistribution) -> object:
    """A value for one option, by the study's sampler."""
    if isinstance(dimension, CategoricalDistribution):
        return trial.suggest_categorical(name, dimension.choices)
    suggested = trial.suggest_int if isinstance(dimension, IntDistribution) else trial.suggest_float
    return suggested(name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)


def describe(dimension: BaseDistribution) -> str:
    """A distribution as text.

    Example:
        >>> describe(IntDistribution(1, 5))
        'int 1 to 5'
    """
    if isinstance(dimension, CategoricalDistribution):
        return f"one of {', '.join(map(json.dumps, dimension.choices))}"
    kind, unsaid = ("int", 1) if isinstance(dimension, IntDistribution) else ("float", None)
    step = f", step {dimension.step}" if dimension.step != unsaid else ""
    return f"{kind} {dimension.low} to {dimension.high}{step}{', log' if dimension.log else ''}"
