"""Shared fixtures of the study tests: a study that trains in seconds, its storage and its processes."""

from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
import sqlalchemy
import yaml

from benchmarks.short_corpus import short_options, write_short_corpus
from ser.sweep.study.plan import Plan, read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.storage import open_storage
from tests.conftest import CONF
from tests.made_up.rows import HEARTBEAT_SECONDS, TRIES, CountedTrial


@pytest.fixture(scope="session")
def short_corpus(built_in, tmp_path_factory):
    """The manifest of short recordings, which other processes can read."""
    return write_short_corpus(tmp_path_factory.mktemp("studies"), built_in=built_in)


@pytest.fixture
def write_study(short_corpus, tmp_path):
    """Write a study with short trainings; None removes a key."""

    def write(**changes) -> Path:
        study = {
            "study": "least",
            "config": [str(CONF / "cnn_gru.yaml")],
            "options": short_options(short_corpus),
            "space": {"model.gru_units": {"int": [4, 5]}},
            "sampler": "exhaustive",
            "folds": [1],
            "heartbeat_seconds": 3,
        }
        options = {**study["options"], **changes.pop("options", {})}
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump({**study, "options": options, **changes}))
        return path

    return write


@pytest.fixture
def make_shared(tmp_path):
    """Create or join a study in a SQLite file without runs; `identity` replaces that of the runs."""

    def make(identity: dict | None = None, **settings) -> SharedStudy:
        path = tmp_path / "study.yaml"
        space = {"model.gru_units": {"int": [1, 4]}}
        study = {"study": "rows", "config": ["none.yaml"], "space": space, "sampler": "exhaustive", "folds": [1]}
        path.write_text(yaml.safe_dump({**study, **settings}, sort_keys=False))
        plan = read_plan(path)
        return SharedStudy.create(
            plan, open_storage(f"sqlite:///{tmp_path / 'study.db'}", plan.heartbeat_seconds), identity or {}
        )

    return make


@dataclass
class Leftover:
    """A process of a study."""

    pid: int
    command: str


def processes_of(session: int) -> list[Leftover]:
    """All live processes of a session, including orphans."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it has exited
        if int(its_session) == session and state != "Z":
            found.append(Leftover(int(folder.name), command))
    return found


def stored(config: Path, folder: Path) -> SharedStudy:
    """The study in a folder, loaded as for a report."""
    plan: Plan = read_plan(config)
    return SharedStudy.load(plan, open_storage(f"sqlite:///{folder / 'study.db'}", plan.heartbeat_seconds))


def check_complete(shared: SharedStudy) -> dict[int, float]:
    """Check that every planned trial has one result and none is running; return the values."""
    rows = shared.optuna.get_trials(deepcopy=False)
    running = [row.number for row in rows if row.state == optuna.trial.TrialState.RUNNING]
    assert not running
    by_plan: dict[int, list[float]] = {}
    for row in rows:
        if row.state == optuna.trial.TrialState.COMPLETE:
            by_plan.setdefault(row.user_attrs["planned"], []).append(row.value)
    assert sorted(by_plan) == list(range(len(shared.plan.points)))
    assert {place: len(values) for place, values in by_plan.items()} == dict.fromkeys(by_plan, 1)
    for place, row in shared.results().items():
        assert row.params == shared.plan.points[place]
    return {place: values[0] for place, values in by_plan.items()}


@pytest.fixture
def patient(make_shared):
    """A study whose workers count as dead after a minute; its file is not synced to disk."""
    shared = make_shared(tries=TRIES, heartbeat_seconds=HEARTBEAT_SECONDS)

    @sqlalchemy.event.listens_for(shared.storage.engine, "connect")
    def do_not_wait_for_the_disk(connection, _):
        connection.execute("PRAGMA synchronous = OFF")

    shared.storage.engine.dispose()
    return shared


@pytest.fixture
def counted(monkeypatch):
    """Trials without training."""
    monkeypatch.setattr("ser.sweep.workers.worker.Trial", CountedTrial)
    monkeypatch.setattr(CountedTrial, "begun", [])
    monkeypatch.setattr(CountedTrial, "values", staticmethod(lambda point: [0.1 * point["model.gru_units"]]))
    return CountedTrial
