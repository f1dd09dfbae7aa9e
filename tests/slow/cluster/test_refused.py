"""A file for `--submit` that SLURM refuses: one message, no job, and nothing that stops the corrected command."""

import os
import signal

import pytest

from tests.conftest import CONF
from tests.slow.cluster.launches import launch, submitted


@pytest.fixture(params=["crossval", "sweep"])
def words(request, least, write_study):
    """A command of two trainings."""
    if request.param == "sweep":
        return ["sweep", "--config", write_study()]
    return ["crossval", "--config", CONF / "cnn_gru.yaml", *least, "--folds", "1-2"]


def test_a_partition_that_does_not_exist(cluster, words, tmp_path):
    folder, resources = tmp_path / "run", tmp_path / "slurm.yaml"
    words = [*words, "--submit", resources, "--out", folder]
    resources.write_text("time: 30m\npartition: gpus\n")
    refused = launch(cluster, words, tmp_path / "refused").wait(60)
    assert refused.code == 2
    (message,) = [line for line in refused.out.splitlines() if line.startswith("ser: ")]
    assert message.startswith("ser: SLURM refuses the jobs: ")
    assert "invalid partition specified: gpus" in refused.out
    assert "Traceback" not in refused.out
    assert cluster.queue() == []

    resources.write_text("time: 30m\npartition: main\n")
    corrected = launch(cluster, words, tmp_path / "corrected")
    corrected.until(lambda: corrected.log.read_text().count(": submitted (job ") == 2, 60)
    os.kill(corrected.pid, signal.SIGINT)
    ended = corrected.wait(20)
    assert ended.code == 130, ended.err
    (array,) = {number.partition("_")[0] for _, number in submitted(ended.out)}
    assert f"to end them: scancel {array}\n" in ended.out
    assert cluster.jobs(array)
