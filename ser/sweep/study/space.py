"""A search space: options of `ser fit`, each with the values it may take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import isfinite, prod

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ser.errors import InputError

KINDS = ("int", "float", "categorical")
MOST_EXHAUSTIVE = 10_000
LARGEST = 10**15 - 1  # exact in a float as well


@dataclass(frozen=True)
class Space:
    """Options and their distributions, in the order of the file."""

    dimensions: dict[str, BaseDistribution]

    def suggest(self, trial: optuna.Trial) -> dict[str, object]:
        """A value for every option."""
        return {name: suggest(trial, name, dimension) for name, dimension in self.dimensions.items()}

    def points(self) -> Iterator[dict[str, object]]:
        """Every combination of values.

        Raises:
            InputError: for a float without a step, or more combinations than anyone would run.
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
            name: list(dimension.choices)
            if isinstance(dimension, CategoricalDistribution)
            else [dimension.low, dimension.high]
            for name, dimension in self.dimensions.items()
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
    kind, values, extra = kinds[0], entry[kinds[0]], {key: value for key, value in entry.items() if key != kinds[0]}
    if not isinstance(values, list) or not values:
        raise InputError(f"{name}: {kind} needs a list of values, not {values!r}")
    if kind == "categorical":
        if extra:
            raise InputError(f"{name}: categorical takes no {', '.join(extra)}")
        if odd := [value for value in values if not isinstance(value, str | int | float | None)]:
            raise InputError(f"{name}: {odd[0]!r} is not a single value (text, number, true, false or null)")
        if odd := [value for value in values if isinstance(value, float) and not isfinite(value)]:
            raise InputError(f"{name}: {odd[0]} is no value")
        if len(set(values)) < len(values):  # 1, 1.0 and true are one value to Optuna
            raise InputError(f"{name}: a value stands twice in {values}")
        return CategoricalDistribution(values)
    if unknown := set(extra) - {"log", "step"}:
        raise InputError(f"{name}: unknown key {min(unknown)!r} (known: log, step)")
    number = int if kind == "int" else float
    if len(values) != 2 or any(isinstance(value, bool) or not isinstance(value, int | number) for value in values):
        raise InputError(f"{name}: {kind} needs its lowest and highest value, not {values}")
    low, high = values
    if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
        raise InputError(f"{name}: whole numbers may have at most 15 digits")
    if not low < high:
        raise InputError(f"{name}: the range {low} to {high} is empty or upside down")
    if not (isfinite(low) and isfinite(high)):
        raise InputError(f"{name}: the range {low} to {high} has no end")
    if not isinstance(log := extra.get("log", False), bool):
        raise InputError(f"{name}: log is {log!r}, but must be true or false")
    step = extra.get("step", 1 if kind == "int" else None)
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | number) or not step > 0):
        raise InputError(f"{name}: step is {step!r}, but must be a number above 0")
    try:
        if step is not None and (step > high - low or abs((high - low) / step - round((high - low) / step)) > 1e-9):
            raise InputError(f"{name}: steps of {step} from {low} do not reach {high}")
        if kind == "int":
            return IntDistribution(low, high, log=log, step=step)
        return FloatDistribution(low, high, log=log, step=step)
    except InputError:
        raise
    except (ValueError, TypeError, ArithmeticError) as error:
        raise InputError(f"{name}: {error or type(error).__name__}") from error


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
