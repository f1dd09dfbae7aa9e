"""Commands with closed standard streams and a broken output pipe."""

import os
import sys

from tests.conftest import CONF
from tests.process import Command


def lose_streams() -> None:
    """Standard output is a pipe whose reader has exited; the two other streams are closed."""
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)
    os.close(writing)
    os.close(0)
    os.close(2)
    sys.stdin = sys.stderr = None


def test_a_training_and_a_check_go_on_without_their_reader(tiny, tiny_corpus, tmp_path):
    fit = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--out", tmp_path / "run"]
    for words in (fit, ["corpus", "check", tiny_corpus]):
        assert Command(words, tmp_path / "log", prepare=lose_streams).wait(300).code == 0
    assert (tmp_path / "run" / "result.json").is_file()
