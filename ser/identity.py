"""What a cross-validation is: configuration, corpus, code. Only runs of the same identity are pooled."""

from __future__ import annotations

from pathlib import Path

from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.provenance import code_digest, versions

# Options that do not change a number, or that a cross-validation sets for each fold itself.
FREE = ("wandb", "seed_everything", "data.fold", "data.seed", "data.num_workers", "trainer.enable_progress_bar")


def identity(config: dict, data: EmotionData) -> dict:
    """Configuration by option name, digests of corpus and code, versions."""
    flat = {name: value for name, value in flatten(config).items() if not name.startswith(FREE)}
    return {"config": flat, "corpus": data.corpus_digest, "code": code_digest(), "versions": versions()}


def flatten(config: dict, prefix: str = "") -> dict:
    """Nested options by their names on the command line.

    Example:
        >>> flatten({"data": {"fold": 1}, "model": {"init_args": {"dropout": 0.5}}})
        {'data.fold': 1, 'model.dropout': 0.5}
    """
    flat = {}
    for key, value in config.items():
        name = prefix if key == "init_args" else f"{prefix}.{key}" if prefix else key
        flat |= flatten(value, name) if isinstance(value, dict) else {name: value}
    return flat


def check_identity(before: dict, now: dict, folder: Path) -> None:
    """Refuse to go on with another configuration, corpus or code.

    Raises:
        InputError: with every difference.
    """
    differences = []
    for name in sorted(before["config"] | now["config"]):
        old, new = before["config"].get(name), now["config"].get(name)
        if old != new:
            differences.append(f"{name}: {old} there, {new} here")
    for what in ("corpus", "code"):
        if before[what] != now[what]:
            differences.append(f"{what}: digest {before[what]} there, {now[what]} here")
    for name in sorted(before["versions"] | now["versions"]):
        old, new = before["versions"].get(name), now["versions"].get(name)
        if old != new:
            differences.append(f"version of {name}: {old} there, {new} here")
    if differences:
        lines = "\n".join(f"  {line}" for line in differences)
        raise InputError(f"--out {folder} holds a cross-validation that is not the same; choose a new folder\n{lines}")
