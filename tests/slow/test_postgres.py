"""Two launchers on one study in a real PostgreSQL server, which the test starts and stops."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from optuna.trial import TrialState

from benchmarks.sweep_kills import workers_of
from ser.errors import InputError
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.storage import open_storage
from tests.made_up.rows import add_row
from tests.made_up.studies import check_complete
from tests.process import Command

pytestmark = pytest.mark.postgres
USER = "postgres"  # Debian's user; the server refuses to run as root


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


def as_server(*command) -> list[str]:
    """The command, run as a user who can run the server."""
    words = [str(word) for word in command]
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *words] if os.getuid() == 0 else words


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    """Address of an empty database on a new server."""
    if (folder := programs()) is None:
        pytest.skip("the PostgreSQL server is not installed (Debian: postgresql)")
    if os.getuid() == 0 and USER not in {user.pw_name for user in pwd.getpwall()}:
        pytest.skip(f"running as root, and there is no user {USER} to run the PostgreSQL server")
    place = Path(tempfile.mkdtemp(prefix="ser-postgres-"))  # other users cannot read pytest's folders
    port = free_port()
    if os.getuid() == 0:
        shutil.chown(place, USER, USER)
    quiet = {"check": True, "capture_output": True, "cwd": place}
    subprocess.run(as_server(folder / "initdb", "-D", place / "data", "-U", "ser", "-A", "trust", "-N"), **quiet)
    settings = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = as_server(folder / "pg_ctl", "-D", place / "data", "-l", place / "log", "-w")
    subprocess.run([*control, "-o", settings, "start"], check=True, cwd=place, stdout=subprocess.DEVNULL)
    try:
        subprocess.run([folder / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "ser", "ser"], **quiet)
        yield f"postgresql://ser@127.0.0.1:{port}/ser"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(place)


@contextmanager
def opened(server, plan):
    """The study's storage; closed at the end, since the server limits the number of connections."""
    storage = open_storage(server, plan.heartbeat_seconds)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def test_two_launchers_share_a_study_and_a_worker_is_killed(server, write_study, tmp_path):
    """Both start at the same time on an empty database, each with its own folder, as on two machines."""
    config = write_study(space={"model.gru_units": {"int": [4, 9]}})
    launchers = []
    for name in ("first", "second"):
        words = ["sweep", "--config", config, "--out", tmp_path / name, "--storage", server]
        launchers.append(Command(words, tmp_path / f"{name}.out", tmp_path / f"{name}.err"))
    plan, shared = read_plan(config), None
    with opened(server, plan) as storage:
        while shared is None or not shared.results():
            assert all(each.running() for each in launchers), [each.errors.read_text() for each in launchers]
            time.sleep(0.5)
            with suppress(InputError):  # not created yet
                shared = shared or SharedStudy.load(plan, storage)
        workers = [pid for launcher in launchers for pid in workers_of(launcher.pid)]
        os.kill(random.Random(1).choice(sorted(workers)), signal.SIGKILL)
        for launcher in launchers:
            ended = launcher.wait()
            assert ended.code == 0, ended.err
            assert "best of 6 trials" in ended.out
        # Two launchers can plan a trial twice; if the killed row was the extra one, the study ends before it is failed.
        until = time.monotonic() + 60
        while shared.optuna.get_trials(states=(TrialState.RUNNING,)) and time.monotonic() < until:
            time.sleep(0.5)
            assert shared.reconcile() == []
        check_complete(shared)
        rows = [row for row in shared.optuna.get_trials() if row.state == TrialState.COMPLETE]
    hosts = Counter(row.user_attrs["worker"] for row in rows)
    assert len(hosts) >= 2  # both ran trials
    folders = [len(list((tmp_path / name / "trials").glob("*/*/result.json"))) for name in ("first", "second")]
    assert min(folders) >= 1
    assert sum(folders) >= 6


def test_a_worker_killed_before_its_first_heartbeat(server, write_study):
    """In real time: after three seconds without a heartbeat, independently of this machine's clock."""
    plan = read_plan(write_study(study="unheard", heartbeat_seconds=1))
    with opened(server, plan) as storage:
        shared = SharedStudy.create(plan, storage, {})
        taken = add_row(shared, 0, "unheard")
        storage.set_trial_state_values(shared.attempts()[0][0]._trial_id, TrialState.FAIL)
        assert shared.reconcile() == [0, 1]
        assert shared.attempts()[0][-1].state == TrialState.RUNNING
        time.sleep(4.5)
        assert SharedStudy.load(plan, storage).reconcile() == [0, 1]
        states = {row.number: row.state for row in shared.attempts()[0]}
        assert states.pop(taken) == TrialState.FAIL
        assert list(states.values()) == [TrialState.FAIL, TrialState.WAITING]


def test_a_database_that_is_not_there(server, ser, write_study, tmp_path):
    address = server.replace("ser@", "ser:hidden@").removesuffix("/ser") + "/nowhere"
    finished = ser("sweep", "--config", write_study(), "--out", tmp_path / "out", "--storage", address)
    assert finished.code == 2
    assert "cannot be used" in finished.err
    assert "nowhere" in finished.err
    assert "hidden" not in finished.err
    assert "Traceback" not in finished.err
