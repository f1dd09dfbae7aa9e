"""Bounds checked by constructors, and their form in the command line's parser."""

import inspect
from typing import Annotated, Literal

import pytest
from pydantic import Field

from ser.bounds import check, checked
from ser.errors import InputError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("type_", "allowed", "refused"),
    [
        (Annotated[int, Field(ge=2, le=5)], [2, 5], [1, 6, 2.0, INF]),
        (Annotated[float, Field(gt=2, le=5)], [2.001, 5, 3], [2, 5.001, INF, -INF]),
        (Annotated[float, Field(ge=2, lt=5)], [2, 4.999], [1.999, 5]),
        (Annotated[int | None, Field(ge=2, le=5)], [None, 2], [1, 6]),
        (Literal["log", "linear"], ["log", "linear"], ["Log", ""]),
    ],
)
def test_bounds_hold_at_the_bound_itself(type_, allowed, refused):
    for value in allowed:
        check("x", value, type_)
    for value in [*refused, NAN, True, "3", [3], *([] if None in allowed else [None])]:
        with pytest.raises(InputError, match=r"^x is .*, but must be"):
            check("x", value, type_)


def test_a_number_that_python_does_not_print():
    with pytest.raises(InputError, match=r"^x is a number of more than \d+ digits, but must be at most 60$"):
        check("x", 16**5000, Annotated[int, Field(le=60)])


class Layer:
    @checked("model.")
    def __init__(self, units: Annotated[int, Field(ge=1, le=9)] = 3, kind: Literal["a", "b"] = "a", **others) -> None:
        self.given = units, kind, others


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "model.units is 0, but must be at least 1"),
        ({"units": 10}, "model.units is 10, but must be at most 9"),
        ({"units": 1.5}, "model.units is 1.5, but must be a whole number"),
        ({"kind": "c"}, "model.kind is 'c', but must be 'a' or 'b'"),
    ],
)
def test_a_constructor_refuses_what_is_out_of_range(options, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        Layer(**options)
    with pytest.raises(InputError, match=f"^{message}$"):
        Layer(*({"units": 3, "kind": "a"} | options).values())


def test_a_constructor_gets_what_it_was_given():
    assert Layer().given == (3, "a", {})
    assert Layer(1, kind="b", units_=0).given == (1, "b", {"units_": 0})
    with pytest.raises(TypeError):
        Layer(3, "a", "more")


def test_a_parser_sees_types_without_bounds():
    parameters = inspect.signature(Layer).parameters
    assert (parameters["units"].annotation, parameters["kind"].annotation) == (int, Literal["a", "b"])
