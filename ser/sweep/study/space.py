"""A search space: options of `ser fit` with their ranges."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import isfinite, prod
from typing import Annotated

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import Field, ValidationError, validate_call

from ser.bounds import in_words
from ser.errors import InputError, show

MOST_EXHAUSTIVE = 10_000
LARGEST = 10**15 - 1  # exact as a float
ENDS = Field(min_length=2, max_length=2)


@dataclass(frozen=True)
class Space:
    """Options and their distributions, in the order of the file."""

    dimensions: dict[str, BaseDistribution]

    def suggest(self, trial: optuna.Trial) -> dict[str, object]:
        """A value for every option, from the study's sampler."""
        point = {}
        for name, each in self.dimensions.items():
            if isinstance(each, CategoricalDistribution):
                point[name] = trial.suggest_categorical(name, each.choices)
            else:
                suggest = trial.suggest_int if isinstance(each, IntDistribution) else trial.suggest_float
                point[name] = suggest(name, each.low, each.high, step=each.step, log=each.log)
        return point

    def points(self) -> list[dict[str, object]]:
        """Every combination of values.

        Raises:
            InputError: for a float without a step, or more than 10,000 combinations.
        """
        counts = []
        for name, each in self.dimensions.items():
            if isinstance(each, FloatDistribution) and each.step is None:
                raise InputError(f"space: {name}: an exhaustive study needs a step")
            choices = isinstance(each, CategoricalDistribution)
            counts.append(len(each.choices) if choices else round((each.high - each.low) / each.step) + 1)
        if (number := prod(counts)) > MOST_EXHAUSTIVE:
            raise InputError(f"space: an exhaustive study would have {number} trials; at most {MOST_EXHAUSTIVE}")
        values = [
            each.choices
            if isinstance(each, CategoricalDistribution)
            else [round(each.low + place * each.step, 12) for place in range(count)]
            for each, count in zip(self.dimensions.values(), counts, strict=True)
        ]
        return [dict(zip(self.dimensions, point, strict=True)) for point in product(*values)]

    def corners(self) -> Iterator[dict[str, object]]:
        """Points that together contain both ends of every range and every category."""
        ends = {
            name: each.choices if isinstance(each, CategoricalDistribution) else (each.low, each.high)
            for name, each in self.dimensions.items()
        }
        for place in range(max(map(len, ends.values()))):
            yield {name: values[min(place, len(values) - 1)] for name, values in ends.items()}

    def described(self) -> dict[str, str]:
        """Options and their ranges as text."""
        return {name: describe(each) for name, each in self.dimensions.items()}


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


@contextmanager
def refusals(where: str, known: Iterable[str]) -> Iterator[None]:
    """Turn the first error of pydantic or Optuna into an InputError "where: key: what is wrong (value)"."""
    try:
        yield
    except ValidationError as error:
        found = error.errors()[0]
        place, kind = ": ".join([where, *map(str, found["loc"])]), found["type"]
        if kind == "unexpected_keyword_argument":
            raise InputError(f"{place}: no such key (known: {', '.join(known) or 'none'})") from None
        value = "" if kind == "missing" else f" ({show(found['input'])})"
        raise InputError(f"{place}: {in_words(found['msg'])}{value}") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def read_space(written: object, where: str) -> Space:
    """A search space from YAML: `{int: [1, 5]}`, `{float: [0.2, 0.6], step: 0.1}` or `{categorical: [a, b]}` by option.

    Raises:
        InputError: with the file, the option and what is wrong with its range.
    """
    if not isinstance(written, dict) or not written:
        raise InputError(f"{where}: space must name at least one option with its range")
    return Space({str(name): dimension(f"{where}: space: {name}", entry) for name, entry in written.items()})


def dimension(name: str, entry: object) -> BaseDistribution:
    """One option's distribution."""
    kinds = [kind for kind in KINDS if isinstance(entry, dict) and kind in entry]
    if len(kinds) != 1:
        raise InputError(f"{name}: give one of int, float, categorical, as in {{int: [1, 5]}}")
    kind = KINDS[kinds[0]]
    with refusals(name, known=[] if kind is _categorical else ["step", "log"]):
        return kind(**{str(key): value for key, value in entry.items()})


@validate_call(config={"strict": True})
def _int(
    ends: Annotated[list[Annotated[int, Field(ge=-LARGEST, le=LARGEST)]], Field(alias="int"), ENDS],
    step: Annotated[int, Field(ge=1)] = 1,
    log: bool = False,
) -> IntDistribution:
    _check_range(*ends, step)
    return IntDistribution(*ends, step=step, log=log)


@validate_call(config={"strict": True})
def _float(
    ends: Annotated[list[Annotated[float, Field(ge=-LARGEST, le=LARGEST)]], Field(alias="float"), ENDS],
    step: Annotated[float, Field(ge=1e-12)] | None = None,
    log: bool = False,
) -> FloatDistribution:
    _check_range(*ends, step)
    return FloatDistribution(*ends, step=step, log=log)


@validate_call
def _categorical(
    values: Annotated[list[object], Field(alias="categorical", min_length=1)],
) -> CategoricalDistribution:
    for value in values:
        if not isinstance(value, str | int | float | None) or (isinstance(value, float) and not isfinite(value)):
            raise ValueError(f"{value!r} is not a single value (text, number, true, false or null)")
    if len(set(values)) < len(values):  # Optuna does not distinguish 1, 1.0 and true
        raise ValueError(f"a value is listed twice in {values}")
    return CategoricalDistribution(values)


def _check_range(low: float, high: float, step: float | None) -> None:
    if not low < high:
        raise ValueError(f"the range {low} to {high} is empty or reversed")
    steps = (high - low) / (step or high - low)
    if steps < 1 or abs(steps - round(steps)) > 1e-9:
        raise ValueError(f"steps of {step} from {low} do not reach {high}")


KINDS = {"int": _int, "float": _float, "categorical": _categorical}
