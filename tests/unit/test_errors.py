"""Refused values, and errors of the operating system that a user can fix."""

import errno
import os

import pytest

from ser.errors import InputError, about_file, refusal_within


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
