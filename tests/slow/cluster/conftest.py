"""A SLURM cluster for the tests of this folder."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.slow.cluster.cluster import Cluster
from tests.slow.cluster.daemons import NODES, running
from tests.slow.cluster.tools import find_tools


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; pytest passes the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("slurm")


@pytest.fixture(scope="session")
def started():
    """A cluster of three nodes, one for each test process."""
    if isinstance(tools := find_tools(), str):
        pytest.skip(tools)
    folder = Path(tempfile.mkdtemp(prefix="ser-slurm-"))  # a socket's path is short
    try:
        with running(tools, folder) as environment:
            cluster = Cluster(environment)
            try:
                cluster.until(cluster.ready, 30)
            except AssertionError as error:
                error.add_note("\n".join(path.read_text()[-2000:] for path in folder.glob("*.log")))
                raise
            yield cluster
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def cluster(started):
    """The cluster with three idle nodes and no jobs."""
    yield started
    for node in NODES:
        if "down" in started.nodes()[node]:
            started.resume(node)
    started.cancel()
