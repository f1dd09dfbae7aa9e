"""What a run or a cross-validation is: configuration, corpus, code. Only the same is continued, or pooled."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.files import write_text
from ser.provenance import code_digest, versions

# Options that do not change a number, and those that a cross-validation sets for each fold itself.
FREE = ("wandb", "checkpoints", "data.num_workers", "trainer.enable_progress_bar", "config", "out")
IDENTITY = "identity.json"
PER_FOLD = ("seed_everything", "data.fold", "data.seed")


def identity(config: dict, data: EmotionData, without: tuple[str, ...] = ()) -> dict:
    """Configuration by option name, digests of corpus and code, versions.

    Args:
        config: nested options.
        data: with the corpus read.
        without: options that are left out besides those that change no number.
    """
    flat = {name: value for name, value in flatten(config).items() if not name.startswith(FREE + without)}
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
    """Refuse to go on with another configuration, corpus, split or code.

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
        raise InputError(f"--out {folder} holds something that was begun otherwise; choose a new folder\n{lines}")


def claim_folder(folder: Path, config: dict, now: dict) -> None:
    """Begin a run or a cross-validation in a folder, or go on with the same one.

    It then holds `config.yaml`, complete and ready for `--config`, and `identity.json`.

    Raises:
        InputError: if the folder holds something else, or cannot be made.
    """
    path = folder / IDENTITY
    try:
        if path.is_file():
            check_identity(json.loads(path.read_text(encoding="utf-8")), now, folder)
        elif folder.exists() and any(folder.iterdir()):
            raise InputError(f"--out {folder} holds something else; choose a new folder")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror}") from error
    kept = {key: value for key, value in config.items() if key not in ("config", "out", "out_swapped", "ckpt_path")}
    write_text(folder / "config.yaml", yaml.safe_dump(kept, sort_keys=False))
    write_text(path, json.dumps(now, indent=2) + "\n")
