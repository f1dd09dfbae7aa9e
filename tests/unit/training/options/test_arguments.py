"""Numbers on the command line."""

import pytest

from ser.errors import InputError
from ser.training.options.arguments import parse_numbers


def test_numbers():
    assert parse_numbers("folds", "1-3,2,9") == [1, 2, 3, 9]
    assert parse_numbers("folds", [2, 1]) == [1, 2]
    for nothing in ("", "3-1", "a", "1-"):
        with pytest.raises(InputError, match="folds"):
            parse_numbers("folds", nothing)
