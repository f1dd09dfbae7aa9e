"""A full disk and a read-only folder: the error names the file, which is unchanged."""

import errno
import os
import resource

import pytest
import torch

from ser.checkpoint.reading import write_checkpoint
from ser.errors import about_file
from ser.files import write_text
from tests.slow.faults.processes import ask, give_up_privileges
from tests.slow.faults.runs import TABLES, Run, fit_options, write_corpus

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


def test_a_training_on_a_full_disk_goes_on_when_there_is_room(built_in, tmp_path):
    table = write_corpus(tmp_path / "corpus", built_in)
    options, log = fit_options("cnn_gru", table, tmp_path / "full"), tmp_path / "log"
    assert Run(options, log, hardship=fill_disk).code() == 2
    last = log.read_text().splitlines()[-1]
    assert last.startswith(f"ser: {tmp_path / 'full' / 'checkpoints'}/")
    assert "cannot be written" in last
    assert "Traceback" not in log.read_text()
    assert not list((tmp_path / "full").rglob("*.part"))
    assert Run(options, log).code() == 0, log.read_text()
    assert Run(fit_options("cnn_gru", table, tmp_path / "whole"), log).code() == 0, log.read_text()
    for name in TABLES:
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("command", ["fit", "crossval"])
def test_a_run_in_a_folder_that_is_read_only(built_in, tmp_path, command):
    table, folder, log = write_corpus(tmp_path / "corpus", built_in), tmp_path / "run", tmp_path / "log"
    folder.mkdir(mode=0o555)
    _, *options = fit_options("cnn_gru", table, folder)
    folds = ["--folds", "1"] if command == "crossval" else []
    code = Run([command, *options, *folds], log, hardship=give_up_privileges).code()
    folder.chmod(0o755)
    assert (code, log.read_text().splitlines()[-1]) == (2, f"ser: {folder / '.lock'}: Permission denied")
    assert not list(folder.iterdir())


def test_only_what_a_user_can_mend_is_a_message():
    assert about_file(OSError(errno.EROFS, "Read-only file system", "a.csv")) == "a.csv: Read-only file system"
    for number, name in ((errno.EROFS, None), (errno.EPIPE, "a.csv"), (errno.EBADF, "a.csv")):
        with pytest.raises(OSError, match=os.strerror(number)):
            about_file(OSError(number, os.strerror(number), name))
