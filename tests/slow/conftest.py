"""Every test of this folder is marked `slow`; what several of them share."""

from pathlib import Path

import pytest

from tests.made_up.release import release, speech, wav
from tests.made_up.reports import paper_report, report, results

__all__ = ["paper_report", "release", "report", "results", "speech", "wav"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the marker to the tests of this folder; pytest calls this with those of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("slow")
