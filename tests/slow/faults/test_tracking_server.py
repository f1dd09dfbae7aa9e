"""Faults of W&B: the run succeeds with the same files as an untracked one, and reports what W&B lacks."""

import json
import os
import shutil
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ser.training.tracking.wandb_run import END_SECONDS, START_SECONDS
from tests.conftest import CONF
from tests.process import Command
from tests.slow.faults.wandb_server import WandbServer

KEY = "0123456789abcdef0123456789abcdef01234567"
NETRC_KEY = "fedcba9876543210fedcba9876543210fedcba98"
RECORD = ("metrics.csv", "predictions.csv", "validation.csv")
PATIENCE_SECONDS = 1800  # on a busy machine


@pytest.fixture(scope="module")
def options(tiny):
    """Options of a training of two epochs, without those of the tracking."""
    small = ["--model.gru_units", 4, "--model.dense_units", 4, "--trainer.max_epochs", 2]
    return [str(option) for option in (*tiny[:-2], *small)]


@contextmanager
def world_of(home):
    """An environment whose only key is in its netrc file, with its own temporary folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB") and name != "NETRC"}
    (home / ".netrc").write_text(f"machine api.wandb.ai\n  login user\n  password {NETRC_KEY}\n")
    with tempfile.TemporaryDirectory() as short:  # for W&B's sockets, whose paths must be short
        yield {**kept, "HOME": str(home), "TMPDIR": short, "WANDB_DATA_DIR": short, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def world(tmp_path):
    with world_of(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def untracked(options, tmp_path_factory):
    """The folder of the same training without tracking."""
    out = tmp_path_factory.mktemp("untracked") / "run"
    ended = start("fit", [*options, "--wandb.mode", "disabled"], out, {**os.environ, "OMP_NUM_THREADS": "1"}).wait()
    assert ended.code == 0, ended.err
    assert "W&B" not in ended.err
    return out


@pytest.fixture(scope="module")
def bound_seconds(untracked):
    """The longest that W&B may delay a run, plus twice the duration of an untracked run on this machine."""
    written = [(untracked / name).stat().st_mtime for name in ("identity.json", "result.json")]
    return START_SECONDS + END_SECONDS + 2 * (written[1] - written[0]) + 10


def start(command, options, out, environment):
    """Start `ser fit` or `ser test`."""
    words = [command, "--config", CONF / "cnn_gru.yaml", *options, "--out", out]
    return Command(words, out.with_suffix(".out"), out.with_suffix(".err"), environment=environment)


def children(pid):
    """Child processes by name."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # it has exited
        if fields["PPid"] == str(pid):
            found[fields["Name"]] = int(status.parent.name)
    return found


def check_record(out, untracked, names=RECORD):
    """The files equal those of the untracked run byte for byte, apart from the folder's name."""
    for name in names:
        assert (out / name).read_bytes() == (untracked / name).read_bytes(), name
    if names == RECORD:
        here, there = (json.loads((folder / "result.json").read_text()) for folder in (out, untracked))
        assert here.pop("checkpoint") == str(out / "checkpoints" / "best.ckpt")
        there.pop("checkpoint")
        assert here == there


def check_ended(process, *words):
    """The run succeeded, and said in one line what W&B lacks and why, without a traceback."""
    ended = process.wait(PATIENCE_SECONDS)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err, ended.err
    (told,) = [line for line in ended.err.splitlines() if line.startswith("W&B: ")]
    for word in words:
        assert word in told, ended.err
    assert "wandb sync" not in ended.out, ended.out


def check_keys(folder):
    """No file contains a key from the environment or from netrc."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("wandb" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        assert KEY.encode() not in content, path
        assert NETRC_KEY.encode() not in content, path


def test_no_package(options, untracked, world, tmp_path):
    (tmp_path / "broken" / "wandb").mkdir(parents=True)
    (tmp_path / "broken" / "wandb" / "__init__.py").write_text("raise ImportError('broken on purpose')\n")
    world["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "broken"), world.get("PYTHONPATH", "")])
    process = start("fit", options, tmp_path / "run", world)
    check_ended(process, "nothing of this run", "broken on purpose")
    check_record(tmp_path / "run", untracked)


def test_a_service_that_does_not_start(options, untracked, world, tmp_path):
    import wandb

    package = tmp_path / "broken" / "wandb"
    (package / "bin").mkdir(parents=True)
    for path in Path(wandb.__file__).parent.iterdir():
        if path.name != "bin":
            (package / path.name).symlink_to(path)
    (package / "bin" / "wandb-core").write_text("#!/bin/sh\nexit 3\n")
    (package / "bin" / "wandb-core").chmod(0o755)
    world["PYTHONPATH"] = os.pathsep.join([str(package.parent), world.get("PYTHONPATH", "")])
    best = ["--ckpt_path", untracked / "checkpoints" / "best.ckpt"]
    process = start("test", [*options, *best], tmp_path / "run", world)
    check_ended(process, "nothing of this run", "exited with code 3")
    check_record(tmp_path / "run", untracked, ["predictions.csv"])


def test_a_folder_that_cannot_be_written(options, untracked, world, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    shutil.copy(untracked / "identity.json", out)  # as if the run had been started before
    (out / "wandb").write_text("in the way")
    check_ended(start("fit", options, out, world), "nothing of this run", str(out / "wandb"))
    check_record(out, untracked)


def test_a_killed_service(options, untracked, world, tmp_path):
    out = tmp_path / "run"
    process = start("fit", options, out, {**world, "WANDB_API_KEY": KEY})
    process.until((out / "metrics.csv").exists)
    os.kill(children(process.pid)["wandb-core"], signal.SIGKILL)
    check_ended(process, "could not be recorded", "service process has ended")
    check_record(out, untracked)
    check_keys(out)


def test_a_media_folder_that_somebody_removes(options, untracked, world, tmp_path):
    out = tmp_path / "run"
    process = start("fit", options, out, world)
    process.until((out / "metrics.csv").exists)
    (media,) = Path(world["TMPDIR"]).glob("*wandb-media")
    shutil.rmtree(media)
    check_ended(process, "the result and everything after", "FileNotFoundError")
    check_record(out, untracked)
    check_keys(out)


def test_a_server_that_takes_everything_gets_no_key_but_where_it_belongs(options, untracked, world, tmp_path):
    out = tmp_path / "run"
    with WandbServer("takes") as server:
        host = server.address.removeprefix("http://")
        with (tmp_path / ".netrc").open("a") as file:
            file.write(f"machine {host}\n  login user\n  password {KEY}\n")
        world |= {"WANDB_BASE_URL": server.address, "WANDB_RELOGIN": "true"}  # this would prompt for a key
        process = start("fit", [*options, "--wandb.mode", "online"], out, world)
        ended = process.wait(PATIENCE_SECONDS)
    assert ended.code == 0, ended.err
    told = [line for line in ended.err.splitlines() if line.startswith("W&B: ")]
    assert told == ["W&B: WANDB_RELOGIN=true ignored: ser needs false"], ended.err
    assert f"W&B: {server.address}/me/ser/runs/" in ended.out
    received = b"".join(server.received)
    for word in (b"val/wa", b"train/loss", b"result/wa", b"test/confusion", b"test/predictions"):
        assert word in received
    for word in (KEY, str(tmp_path), str(CONF), *(option for option in options if option.startswith("/"))):
        assert word.encode() not in received, "neither a key nor a path is sent"
    check_record(out, untracked)
    check_keys(out)


def meet_a_server_that_never_answers_well(manner, options, untracked, bound_seconds, home):
    with WandbServer(manner) as server, world_of(home) as world:
        world |= {"WANDB_BASE_URL": server.address, "WANDB_API_KEY": KEY}
        best = ["--ckpt_path", untracked / "checkpoints" / "best.ckpt", "--wandb.mode", "online"]
        process = start("test", [*options, *best], home / "run", world)
        process.until(lambda: server.asked)
        begun = time.monotonic()
        check_ended(process, "nothing of this run")
    assert time.monotonic() - begun < bound_seconds
    check_record(home / "run", untracked, ["predictions.csv"])
    check_keys(home / "run")


def meet_a_server_that_goes_wrong_during_the_training(manner, options, untracked, bound_seconds, home):
    out = home / "run"
    with WandbServer("takes") as server, world_of(home) as world:
        world |= {"WANDB_BASE_URL": server.address, "WANDB_API_KEY": KEY}
        process = start("fit", [*options, "--wandb.mode", "online"], out, world)
        process.until((out / "metrics.csv").exists)
        server.manner = manner
        process.until((out / "result.json").exists)
        begun = time.monotonic()
        check_ended(process, "the result and everything after")
    assert time.monotonic() - begun < bound_seconds
    check_record(out, untracked)
    check_keys(out)


MEETINGS = [
    *((meet_a_server_that_never_answers_well, manner) for manner in ("stalls", "500")),
    *((meet_a_server_that_goes_wrong_during_the_training, manner) for manner in ("stalls", "401")),
]


@pytest.fixture(scope="module", autouse=True)
def meetings(options, untracked, bound_seconds, tmp_path_factory):
    """The runs with a bad server, started together before the first test, since they mostly wait."""
    with ThreadPoolExecutor(len(MEETINGS)) as pool:
        yield {
            (meet, manner): pool.submit(
                meet, manner, options, untracked, bound_seconds, tmp_path_factory.mktemp("home")
            )
            for meet, manner in MEETINGS
        }


@pytest.mark.parametrize(("meet", "manner"), MEETINGS)
def test_a_bad_server(meet, manner, meetings):
    """The server always fails, or begins to fail during the training."""
    meetings[meet, manner].result()
