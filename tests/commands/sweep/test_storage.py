"""Storage addresses: invalid ones, passwords that must not be shown, and files with any name."""

import multiprocessing
import os

import pytest
import yaml

from ser.errors import InputError
from ser.sweep.study.storage import file_address, open_storage, typed, without_password
from tests.conftest import CONF
from tests.made_up.joint_study import run_config
from tests.made_up.results import make_result

PASSWORD = "Planted-7f3a"


def test_a_storage_that_cannot_be_reached(refused):
    message = refused({}, "--storage", "postgresql://ann:se%2Fcret@127.0.0.1:1/ser")
    assert "postgresql://ann:***@127.0.0.1:1/ser cannot be used" in message
    assert "cret" not in message


@pytest.mark.parametrize(
    "url", ["nonsense", "mysteryql://host/ser", "sqlite:////nowhere/at/all/study.db", "postgresql://u:p:w@h:port/db"]
)
def test_addresses_that_are_none(refused, url):
    message = refused({}, "--storage", url)
    assert "cannot be used" in message
    assert "p:w" not in message


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_storage_that_no_other_process_sees(refused, url):
    assert "in memory" in refused({}, "--storage", url)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "text.db").write_text("not a database, but long enough to have a header\n" * 50)
    with pytest.raises(InputError, match=r"cannot be used: .*not a database"):
        open_storage(f"sqlite:///{tmp_path / 'text.db'}", heartbeat_seconds=20)


def open_at_once(url, start, failed):
    start.wait()
    try:
        open_storage(url, heartbeat_seconds=20)
    except InputError as error:
        failed.put(str(error))


def test_many_processes_may_make_one_file(tmp_path):
    """Workers and launchers of several machines start at once, and none sees an incomplete set of tables."""
    processes = multiprocessing.get_context("fork")
    failed = processes.Queue()
    for number in range(4):
        start = processes.Barrier(6)
        words = (f"sqlite:///{tmp_path / f'{number}.db'}", start, failed)
        started = [processes.Process(target=open_at_once, args=words) for _ in range(6)]
        for process in started:
            process.start()
        for process in started:
            process.join()
        assert not any(process.exitcode for process in started)
    assert failed.empty(), failed.get()


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


def test_a_password_with_a_character_that_must_be_escaped(refused):
    message = refused({}, "--storage", f"postgresql://ann:{PASSWORD}@cr:et@127.0.0.1:1/ser")
    assert "cannot be used" in message
    assert not {PASSWORD, "cr:et", "'et"} & set(message.split())
    assert "et@" not in message
    assert "%40" in message


@pytest.mark.filterwarnings("ignore:Query string argument")  # SQLite has no passwords, but an address can contain one
def test_a_password_stands_in_no_file_of_a_study(ser, tmp_path, monkeypatch):
    """Nor in its output; W&B's record, which contains command lines, is included."""
    runs = make_result(tmp_path / "runs", "CNNGRUSeqCap", skill=1.2)
    config = run_config("ser.systems.CNNGRUSeqCap", {"lambda_": 0.6}, tracked=True)
    (runs / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    sweep, out, report = CONF.parent / "sweeps" / "lambda.yaml", tmp_path / "study", tmp_path / "report"
    given = ["--runs", runs, "--storage", f"sqlite:///{tmp_path / 'study.db'}?password={PASSWORD}"]
    done = ser("sweep", "--config", sweep, *given, "--out", out)
    assert done.code == 0, done.err
    reported = ser("sweep", "report", sweep, *given, "--study", out, "--out", report)
    assert reported.code == 0, reported.err
    assert PASSWORD not in done.out + done.err + reported.out + reported.err
    files = [path for folder in (out, report) for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    assert "password=***" in (report / "report.md").read_text()
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("name", ["a?b", "a%20b c#d", "ä&x=1"])
def test_a_folder_may_have_any_name(tmp_path, name):
    """In an address ? and % have a meaning."""
    path = tmp_path / name / "study.db"
    path.parent.mkdir()
    open_storage(file_address(path), heartbeat_seconds=20)
    assert path.is_file()
    assert os.listdir(tmp_path) == [name]


def test_a_look_at_a_study_that_is_not_there_makes_no_file(ser, write_study, tmp_path):
    address = f"sqlite:///{tmp_path / 'typo.db'}"
    done = ser("sweep", "status", write_study(), "--storage", address)
    assert done.code == 2
    assert "has not been started" in done.err
    assert not list(tmp_path.glob("*.db"))
