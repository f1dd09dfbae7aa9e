"""The recorded identity of the code: the commit, whether files differ from it, and the digest of the code."""

import subprocess
import sys

from ser.results import provenance
from ser.results.provenance import TRAINING


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
    assert commit() is None, "no repository"
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        git(tmp_path, *words)
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit() == head[:12]
    (tmp_path / "notes").write_text("2")
    (package / "new").write_text("untracked")
    assert commit() == head[:12], "neither file is code of the package"
    (package / "code.py").write_text("2")
    assert commit() == head[:12] + "+"


# These read options, report errors, write files, end a run and record its origin.
WITHOUT_NUMBERS = {"errors", "files", "processes", "processes/interruption", "results"}
WITHOUT_NUMBERS |= {"results/identity", "results/provenance", "results/records"}


def test_no_file_that_computes_is_left_out_of_the_digest_of_the_code():
    """All modules that the systems and their data import, in a new interpreter."""
    code = "import sys, ser.systems; print(*(name for name in sys.modules if name.startswith('ser.')))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    imported = {name.removeprefix("ser.").replace(".", "/") for name in printed.split()}
    assert len(imported) > 20
    parts = tuple(f"{part}/" for part in TRAINING)
    assert {name for name in imported if not f"{name}/".startswith(parts)} == WITHOUT_NUMBERS
