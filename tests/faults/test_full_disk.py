"""A full disk and a folder that is read-only: an error that names the file, and the file as it was."""

import resource

import pytest
import torch

from ser.checkpoint import write_checkpoint
from ser.files import write_text
from tests.faults.processes import ask, give_up_privileges
from tests.faults.runs import TABLES, Run, fit_options, write_corpus

WEIGHTS = {"state_dict": {"weights": torch.zeros(200_000)}}


def fill_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


WRITERS = {
    "table.csv": lambda path: write_text(path, "0.5\n" * 100_000),
    "last.ckpt": lambda path: write_checkpoint(WEIGHTS, path),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("fault", "cause"), [(fill_disk, "File too large"), (give_up_privileges, "Permission denied")])
def test_the_file_is_named_and_the_old_one_stays(tmp_path, name, fault, cause):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).write_text("old")
    folder.chmod(0o555 if fault is give_up_privileges else 0o755)

    def write() -> None:
        fault()
        WRITERS[name](folder / name)

    answer = ask(write)
    folder.chmod(0o755)
    assert answer.startswith(f"InputError: {folder / name} cannot be written: ")
    assert cause in answer
    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).read_text() == "old"


def test_a_training_on_a_full_disk_goes_on_when_there_is_room(tmp_path):
    table = write_corpus(tmp_path / "corpus")
    options, log = fit_options("cnn_gru", table, tmp_path / "full"), tmp_path / "log"
    assert Run(options, log, most_bytes=100_000).wait() == 2
    last = log.read_text().splitlines()[-1]
    assert last.startswith(f"ser: {tmp_path / 'full' / 'checkpoints'}/")
    assert "cannot be written" in last
    assert "Traceback" not in log.read_text()
    assert not list((tmp_path / "full").rglob("*.part"))
    assert Run(options, log).wait() == 0, log.read_text()
    assert Run(fit_options("cnn_gru", table, tmp_path / "whole"), log).wait() == 0, log.read_text()
    for name in TABLES:
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
