"""The recorded origin of a number: the commit and whether files differ from it, without names of the machine."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from ser.results import provenance
from ser.training.tracking import tracking
from ser.training.tracking.tracking import Tracking
from ser.training.tracking.wandb_run import WandbRun


def git(folder, *words) -> str:
    own = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", folder, *own, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_commit_is_marked_where_the_package_differs_from_it(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("1")
    (tmp_path / "notes").write_text("1")
    monkeypatch.setattr(provenance, "PACKAGE", package)
    commit = provenance.commit.__wrapped__
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() is None, "not a repository"
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        git(tmp_path, *words)
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit() == head[:12]
    (tmp_path / "notes").write_text("2")
    (package / "new").write_text("untracked")
    assert commit() == head[:12], "neither is code of the package"
    (package / "code.py").write_text("2")
    assert commit() == head[:12] + "+"


def test_the_digest_of_the_code_changes_with_every_file_it_rests_on(tmp_path, monkeypatch):
    package = Path(provenance.__file__).parents[1]
    folders = [part for part in provenance.TRAINING if (package / part).is_dir()]
    names = {*provenance.TRAINING, *(f"{part}/{name}" for part in folders for name in ("one", "below/two"))} - {
        *folders
    }
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / f"{name}.py").write_text(name)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    digest = provenance.code_digest.__wrapped__
    found = {digest()}
    (tmp_path / "paths.py").write_text("on which no number rests")
    assert digest() in found
    for name in names:
        (tmp_path / f"{name}.py").write_text("changed")
        found.add(digest())
    assert len(found) == len(names) + 1


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_the_option_wins_over_the_variable(mode, tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_ERROR_REPORTING", "WANDB_RELOGIN", "WANDB_SILENT"):
        monkeypatch.setenv(name, "online" if mode == "offline" else "offline")
    monkeypatch.setattr(tracking, "BEGUN", [])
    monkeypatch.setattr(tracking, "check_key", lambda: None)
    (run,) = Tracking(mode, group="folds", tags=["mine"]).loggers(tmp_path / "run", ["fold1"])
    assert os.environ["WANDB_MODE"] == run.options["mode"] == mode
    assert (run.options["name"], run.options["group"], run.options["tags"]) == ("run", "folds", ["fold1", "mine"])
    assert Tracking("disabled").loggers(tmp_path, []) == []


def test_the_configuration_that_wandb_gets_names_no_folder(tmp_path, monkeypatch):
    sent = {}
    run, record = WandbRun(tmp_path), SimpleNamespace(update=lambda config, **options: sent.update(config))
    monkeypatch.setattr(run, "record", lambda what, write: write(SimpleNamespace(config=record)))
    run.log_hyperparams({"data": {"csv": "/home/me/secret/a.csv", "files": ["~/b.wav"]}, "rate": 0.1})
    assert sent == {"data": {"csv": "a.csv", "files": ["b.wav"]}, "rate": 0.1}
