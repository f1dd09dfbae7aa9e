"""Provenance of a result: versions, code digest, commit."""

import platform
import subprocess
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from ser import __version__

PACKAGES = ("torch", "torchaudio", "lightning", "torchmetrics", "scikit-learn")
PACKAGE = Path(__file__).parents[1]
# The files that determine what a training computes; the others read results, draw figures, or start processes.
TRAINING = (
    *("audio", "bounds", "checkpoint", "data", "emotions", "networks", "systems"),
    *("results/predictions", "processes/allocator"),
    *("training/callbacks", "training/evaluation", "training/run", "training/session"),
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers depend on."""
    return {"ser": __version__, "python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


@cache
def code_digest() -> str:
    """Digest of the source files on which a training's numbers depend."""
    found = blake2b(digest_size=8)
    for part in TRAINING:
        for path in sorted((PACKAGE / part).rglob("*.py")) or [PACKAGE / f"{part}.py"]:
            found.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@cache
def commit() -> str | None:
    """The commit of the source tree, with "+" if files differ from it; None outside a repository."""
    git = ["git", "-C", str(PACKAGE)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        status = [*git, "status", "--porcelain", "--untracked-files=no", "--", "."]
        changed = subprocess.run(status, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
