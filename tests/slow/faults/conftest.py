"""What tests of hostile files share."""

import pytest


@pytest.fixture
def marker(tmp_path):
    """A file that any executed code would make."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists(), "something was executed"
