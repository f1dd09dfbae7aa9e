"""Damages to the files of a corpus."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

Damage = Callable[[Path], object]  # takes the corpus's folder


def line(file: str, number: int, new: str | bytes) -> Damage:
    """Replace a line, counted from 1."""

    def damage(root: Path) -> None:
        lines = (root / file).read_bytes().split(b"\n")
        lines[number - 1] = new.encode() if isinstance(new, str) else new
        (root / file).write_bytes(b"\n".join(lines))

    return damage


def text(file: str, old: str, new: str) -> Damage:
    """Replace a text everywhere in a file."""
    return lambda root: (root / file).write_text((root / file).read_text().replace(old, new))


def content(file: str, change: Callable[[bytes], bytes]) -> Damage:
    """Change the bytes of a file, created if missing."""

    def damage(root: Path) -> None:
        old = (root / file).read_bytes() if (root / file).exists() else b""
        (root / file).write_bytes(change(old))

    return damage


def gone(*patterns: str) -> Damage:
    """Delete files or folders."""

    def damage(root: Path) -> None:
        for path in [path for pattern in patterns for path in root.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def moved(old: str, new: str) -> Damage:
    return lambda root: (root / old).rename(root / new)


def copied(old: str, new: str) -> Damage:
    return lambda root: shutil.copy(root / old, root / new)


def linked(old: str, new: str) -> Damage:
    """Replace a file, if there is one, by a symbolic link."""

    def damage(root: Path) -> None:
        (root / new).unlink(missing_ok=True)
        (root / new).symlink_to(root / old)

    return damage


def folder(file: str) -> Damage:
    """Replace a file by a folder."""

    def damage(root: Path) -> None:
        (root / file).unlink()
        (root / file).mkdir()

    return damage


def pipe(file: str) -> Damage:
    def damage(root: Path) -> None:
        (root / file).unlink()
        os.mkfifo(root / file)

    return damage


def sound(file: str, samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> Damage:
    """Replace a recording."""
    return lambda root: soundfile.write(root / file, samples, rate, subtype=subtype)


def without_women(root: Path) -> None:
    """Delete the labels and recordings of the woman in session 1."""
    gone("Session1/sentences/wav/*/*_F00?.wav")(root)
    for path in (root / "Session1/dialog/EmoEvaluation").glob("Ses*.txt"):
        path.write_text("\n".join(line for line in path.read_text().split("\n") if "_F00" not in line))


def with_other_labels(root: Path) -> None:
    """Replace the four emotions in IEMOCAP's labels by `oth`."""
    for path in root.glob("Session*/dialog/EmoEvaluation/Ses*.txt"):
        for label in ("neu", "ang", "hap", "sad"):
            text(str(path.relative_to(root)), f"\t{label}\t", "\toth\t")(root)
