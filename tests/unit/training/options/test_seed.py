"""A seed must be a whole number, so that a run can be repeated."""

import pytest

from ser.errors import InputError
from ser.training.options.run_options import plain_seed


def test_a_seed_can_be_repeated():
    assert (plain_seed(0), plain_seed(2**32 - 1)) == (0, 4294967295)
    for seed in (True, False, -1, 2**32):
        with pytest.raises(InputError, match=f"seed_everything is {seed}, but must be"):
            plain_seed(seed)
