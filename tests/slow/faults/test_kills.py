"""A training killed around the end of an epoch and continued equals an undisturbed one, bit for bit.

A file that a killed process was writing is never read as complete.
"""

import os
import signal

import numpy as np
import pytest

from ser.data import Manifest, Synthetic
from ser.data.datamodule import EmotionData
from ser.data.synthetic import corpus as synthetic
from ser.data.synthetic.dialogs import Line
from ser.files import PART, sweep_leftovers
from tests.slow.faults.kills import SHORT_BATCH_SECONDS, Kills, kill_writers
from tests.slow.faults.processes import fork
from tests.slow.faults.runs import write_corpus


@pytest.fixture(scope="module")
def kills(built_in, tmp_path_factory):
    """Undisturbed runs to compare with."""
    place = tmp_path_factory.mktemp("kills")
    return Kills(write_corpus(place / "corpus", built_in), place)


def test_one_systems_validation_has_readers(kills):
    data = EmotionData(Manifest(str(kills.table)), max_batch_seconds=SHORT_BATCH_SECONDS, num_workers=2)
    data.setup()
    assert data.val_dataloader().num_workers == data.test_dataloader().num_workers == 2


def test_every_pair_of_kills_around_an_epochs_end(kills):
    plan = list(kills.plan())
    runs, hits, wrong = kills.check_all(iter(plan))
    assert not wrong
    assert runs >= 40
    assert hits == sum(len(moments) for _, _, moments in plan) >= 100


def test_kills_at_any_step(kills):
    runs, hits, wrong = kills.check_all(kills.random_plan(6, seed=1))
    assert not [line for line in wrong if "did not come" not in line]
    assert hits >= runs


def test_kills_while_a_checkpoint_is_written(tmp_path):
    assert kill_writers(tmp_path, kills=60, seed=1) == []
    assert list(tmp_path.glob(f".*{PART}"))  # some were killed while writing
    sweep_leftovers([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_killed_writing_is_not_taken_for_the_built_in_corpus(tmp_path, monkeypatch):
    """A killed process leaves its draft beside the corpus's folder."""

    def speak(self: Line, seed: int) -> np.ndarray:  # 0.7 s, without synthesis
        return np.arange(11_200, dtype=np.int16) + np.int16(seed)

    monkeypatch.setattr(Line, "speak", speak)
    corpus = Synthetic(str(tmp_path / "corpus"), utterances_per_speaker=8)
    with monkeypatch.context() as patched:
        patched.setattr(synthetic, "label_file", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        killed = fork(corpus.prepare)
    assert os.waitstatus_to_exitcode(os.waitpid(killed, 0)[1]) == -signal.SIGKILL
    (draft,) = tmp_path.iterdir()
    assert list(draft.rglob("*.wav"))
    assert not list(draft.rglob("ser-synthetic.json"))
    assert corpus.prepare()
    assert len(corpus.utterances()) == 80
