"""SLURM's programs: Debian's packages unpacked into the folder SER_SLURM, or those installed on this machine."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
PACKAGES = "slurmctld slurmd munge"  # Debian's and Ubuntu's


@dataclass
class Tools:
    """Where SLURM's programs, libraries and plugins are.

    Attributes:
        folder: root of the unpacked packages; None if they are installed.
    """

    folder: Path | None

    def program(self, name: str) -> str | None:
        """The path of a program; Debian's daemons have the suffix -wlm until they are installed."""
        path = self.environment()["PATH"] + ":/usr/sbin:/sbin"  # daemons, not on an ordinary user's PATH
        return shutil.which(name, path=path) or shutil.which(f"{name}-wlm", path=path)

    def environment(self) -> dict[str, str]:
        """The variables of this process, with the programs on PATH and their libraries."""
        found = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        if self.folder:
            found["PATH"] = f"{self.folder / 'usr/bin'}:{self.folder / 'usr/sbin'}:{found['PATH']}"
            libraries = [str(self.plugins()), str(self.plugins().parent), found.get("LD_LIBRARY_PATH")]
            found["LD_LIBRARY_PATH"] = ":".join(filter(None, libraries))
        return found

    def plugins(self) -> Path | None:
        """The folder of the plugins and of SLURM's own library; None for the one that the programs know."""
        return next(self.folder.glob("usr/lib/*/slurm-wlm")) if self.folder else None


def find_tools() -> Tools | str:
    """SLURM's programs, or the reason why there are none."""
    folder = os.environ.get("SER_SLURM")
    if folder and not list(Path(folder).glob("usr/lib/*/slurm-wlm")):
        return f"SER_SLURM={folder} holds no unpacked packages of SLURM ({PACKAGES})"
    tools = Tools(Path(folder).resolve() if folder else None)
    missing = [name for name in DAEMONS if not tools.program(name)]
    if missing:
        return (
            f"no {', '.join(missing)}: set SER_SLURM to a folder with the unpacked packages {PACKAGES}, or install them"
        )
    return tools
