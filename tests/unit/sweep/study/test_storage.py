"""The storage of studies: hidden passwords, and files with any name."""

import os

import pytest

from ser.errors import InputError
from ser.sweep.study.storage import file_address, open_storage, typed, without_password

PASSWORD = "Planted-7f3a"


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "text.db").write_text("not a database, but long enough to have a header\n" * 50)
    with pytest.raises(InputError, match=r"cannot be used: .*not a database"):
        open_storage(f"sqlite:///{tmp_path / 'text.db'}", heartbeat_seconds=20)


def test_no_password_is_ever_shown():
    for password in ("secret", "a:b", "a/b#c[", "p%40ss", "@"):
        url = f"postgresql://ann:{password}@host:5432/ser"
        assert without_password(url) == "postgresql://ann:***@host:5432/ser"
        assert password not in without_password(f"invalid port {password}", url).replace("***", "")
        at_tenant = f"postgresql://ann@tenant:{password}@host:5432/ser"
        assert without_password(at_tenant) == "postgresql://ann@tenant:***@host:5432/ser"
    assert without_password("closed by ann:@", "postgresql://ann:@host/ser") == "closed by ann:@"
    assert without_password("sqlite:////tmp/a.db") == "sqlite:////tmp/a.db"
    assert without_password("postgresql://ann@host/ser") == "postgresql://ann@host/ser"
    assert without_password("postgresql://host/ser?user=a&password=b&c=1").endswith("password=***&c=1")
    shown = typed(
        ["ser", "sweep", "--storage", f"postgresql://ann:{PASSWORD}@host/ser", f"--storage=a://u:{PASSWORD}@h"]
    )
    assert shown.count("***") == 2
    assert PASSWORD not in shown


@pytest.mark.parametrize("name", ["a?b", "a%20b c#d", "ä&x=1"])
def test_a_folder_may_have_any_name(tmp_path, name):
    """In an address, ? and % have another meaning."""
    path = tmp_path / name / "study.db"
    path.parent.mkdir()
    open_storage(file_address(path), heartbeat_seconds=20)
    assert path.is_file()
    assert os.listdir(tmp_path) == [name]
