"""Marks every test of this folder as `slow`; shared fixtures."""

from pathlib import Path

import pytest

from tests.made_up.reports import report, results
from tests.made_up.studies import make_shared, short_corpus, write_study
from tests.shared_runs import demo, least, two_epochs, undisturbed

__all__ = [
    "demo",
    "least",
    "make_shared",
    "report",
    "results",
    "short_corpus",
    "two_epochs",
    "undisturbed",
    "write_study",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest passes the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("slow")
