"""Fixture for tests of hostile files."""

import pytest


@pytest.fixture
def marker(tmp_path):
    """Path of a file that hostile code would create if it were executed."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists(), "code was executed"
