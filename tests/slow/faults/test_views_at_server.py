"""`ser dashboard` at a W&B server: with an account, three views are saved as they were shown by `--json`."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import CONF, SMALL_CAPSULES
from tests.slow.faults.wandb_server import WandbServer

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def tracked(ser, tiny, tmp_path):
    """A run that was tracked offline."""
    options = [option for option in tiny if option not in ("--wandb.mode", "disabled")]
    options += [*SMALL_CAPSULES, "--wandb.mode", "offline", "--out", tmp_path / "run"]
    done = ser("fit", "--config", CONF / "gru_seqcap.yaml", *options)
    assert done.code == 0, done.err
    return tmp_path / "run"


def without_ids(spec):
    """A view without the ids that are drawn anew each time."""
    return re.sub(r'"(__id__|id|ref)": ?"[^"]*"', "", json.dumps(spec, sort_keys=True))


def test_views_are_saved_with_an_account(tracked, tmp_path):
    with WandbServer("takes") as server:
        world = {**os.environ, "WANDB_BASE_URL": server.address, "WANDB_API_KEY": KEY, "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "ser", "dashboard", str(tracked)]
        shown = tmp_path / "views.json"
        json_only = [*command, "--entity", "me", "--json", str(shown)]
        subprocess.run(json_only, env=world, check=True, capture_output=True, timeout=120)
        assert not server.store.views
        done = subprocess.run(command, env=world, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
    saved = server.store.views
    assert [view["displayName"] for view in saved][:2] == ["Cross-validations", "Studies"]
    assert {(view["entityName"], view["projectName"]) for view in saved} == {("me", "ser")}
    assert [view["type"] for view in saved] == ["project-view", "project-view", "runs"]
    addresses = done.stdout.split()
    assert len(addresses) == 3
    assert all(address.startswith(f"{server.address}/me/ser") for address in addresses)
    sent, offline = ([json.loads(view["spec"]) for view in saved], json.loads(shown.read_text()))
    assert [without_ids(spec) for spec in sent] == [without_ids(view["spec"]) for view in offline]
