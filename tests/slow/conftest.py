"""Every test of this folder is marked `slow`; what several of them share."""

from pathlib import Path

import pytest

from tests.made_up.reports import report, results
from tests.made_up.studies import make_shared, short_corpus, write_study

__all__ = ["make_shared", "report", "results", "short_corpus", "write_study"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the marker to the tests of this folder; pytest calls this with those of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("slow")
