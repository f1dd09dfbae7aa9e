"""Files are written completely or not at all."""

import os
import time

import pytest

from ser.errors import InputError
from ser.files import is_in_use, sweep_leftovers, write_bytes, write_whole


@pytest.mark.parametrize(("error", "raised"), [(OSError(28, "No space left"), InputError), (KeyError(), None)])
def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, error, raised):
    (tmp_path / "a.csv").write_text("old")

    def fail(file):
        file.write(b"half")
        raise error

    with pytest.raises(raised or type(error)):
        write_whole(tmp_path / "a.csv", fail)
    assert os.listdir(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_the_old_file_is_there_while_the_new_one_is_written(tmp_path):
    path = tmp_path / "below" / "a.csv"
    write_bytes(path, b"old")

    def write(file):
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    write_whole(path, write)
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["a.csv"]


@pytest.mark.parametrize(
    ("names", "used"),
    [
        ([], False),
        ([".lock"], False),
        ([".lock", ".config.yaml.17-0a0b0c.part"], False),
        (["config.yaml"], True),
        ([".lock", ".config.yaml.17-0a0b0c.part", "metrics.csv"], True),
    ],
)
def test_a_folder_is_in_use_as_soon_as_it_holds_a_whole_file(tmp_path, names, used):
    for name in names:
        (tmp_path / name).touch()
    assert is_in_use(tmp_path) == used
    assert not is_in_use(tmp_path / "absent")


def test_what_another_process_writes_is_not_swept(tmp_path):
    for name, age in [(".new.pcm.part", 10), (".old.pcm.part", 70), (".old.pcm", 70), ("old.part", 70)]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, times=(0, time.time() - age))
    sweep_leftovers([tmp_path, tmp_path / "absent"], older_than_seconds=60)
    assert sorted(os.listdir(tmp_path)) == [".new.pcm.part", ".old.pcm", "old.part"]
    sweep_leftovers([tmp_path])
    assert sorted(os.listdir(tmp_path)) == [".old.pcm", "old.part"]
