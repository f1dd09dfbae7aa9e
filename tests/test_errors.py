"""What is refused, and what the operating system says that a user can mend."""

import errno
import math
import os

import pytest

from ser.errors import InputError, about_file, check_bounds, refusal_within


@pytest.mark.parametrize(
    ("bound", "allowed", "refused"),
    [
        ({"at_least": 2}, [2, 3, math.inf], [1.999, -math.inf]),
        ({"above": 2}, [2.001, 3], [2, 1]),
        ({"at_most": 2}, [2, -5], [2.001]),
        ({"below": 2}, [1.999, -5], [2, 3]),
        ({"at_least": 0, "below": 1}, [0, 0.999], [-0.001, 1]),
        ({}, [0, -math.inf], []),
    ],
)
def test_bounds_hold_at_the_bound_itself(bound, allowed, refused):
    for value in allowed:
        check_bounds("x", value, **bound)
    for value in [*refused, math.nan, True, "1", None]:
        with pytest.raises(InputError, match=r"^x is "):
            check_bounds("x", value, **bound)


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EACCES", "EROFS", "EISDIR", "ENAMETOOLONG"])
def test_a_full_disk_and_missing_rights_are_the_users_to_mend(name):
    number = getattr(errno, name)
    assert about_file(OSError(number, os.strerror(number), "/data/x")) == f"/data/x: {os.strerror(number)}"


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken", "/data/x"), OSError(errno.ENOSPC, "full")])
def test_a_broken_disk_is_not_and_neither_is_an_error_without_a_file(error):
    with pytest.raises(OSError, match=error.strerror) as raised:
        about_file(error)
    assert raised.value is error


def test_the_refusal_that_led_to_an_error_is_found():
    refusal = InputError("mine")
    outer = RuntimeError("outer")
    outer.__cause__ = ValueError("between")
    outer.__cause__.__context__ = refusal
    assert refusal_within(outer) is refusal
    assert refusal_within(alone := RuntimeError("alone")) is alone
