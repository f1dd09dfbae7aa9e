"""What a run or a cross-validation is: configuration, corpus, code. Only the same is continued, or pooled."""

import json
from pathlib import Path

from ser.errors import InputError
from ser.files import digest, write_text
from ser.results.provenance import code_digest, versions
from ser.results.records import read_record

# Options that do not change a number, and those that a cross-validation sets for each fold itself.
FREE = (
    *("wandb", "checkpoints", "config", "out", "data.num_workers"),
    *("data.corpus.root", "data.corpus.csv"),  # a corpus is known by its digest, not by its folder
    *("trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.log_every_n_steps"),
)
IDENTITY = "identity.json"
OWN_VERSION = "ser"  # is recorded; what it changes of a training, the digest of the code says
PER_FOLD = ("seed_everything", "data.fold", "data.seed")


def identity(config: dict, corpus_digest: str, without: tuple[str, ...] = ()) -> dict:
    """Configuration by option name, digests of corpus and code, versions.

    Args:
        config: nested options.
        without: options that are left out, besides those that change no number.
    """
    flat = {name: value for name, value in flatten(config).items() if not name.startswith(FREE + without)}
    if (first := flat.get("init_weights")) and Path(first).is_file():
        flat["init_weights"] = f"SHA-256 {digest(Path(first))}"  # a file is known by its content, not by its folder
    return {"config": flat, "corpus": corpus_digest, "code": code_digest(), "versions": versions()}


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


def differences(before: dict, now: dict) -> list[str]:
    """What is not the same in two identities, one line each."""
    old, new = (
        each["config"]
        | {f"version of {name}": number for name, number in each["versions"].items() if name != OWN_VERSION}
        | {what: f"digest {each.get(what)}" for what in ("corpus", "code")}
        for each in (before, now)
    )
    names = [name for name in sorted(old | new, key=str) if str(old.get(name)) != str(new.get(name))]
    return [f"{name}: {old.get(name)} there, {new.get(name)} here" for name in names]


def check_identity(before: dict, now: dict, what: str) -> None:
    """Refuse to go on with another configuration, corpus, split or code; the message begins with `what`.

    Raises:
        InputError: with every difference.
    """
    if found := differences(before, now):
        lines = "\n".join(f"  {line}" for line in found)
        raise InputError(f"{what} begun otherwise; choose a new folder\n{lines}")


def check_same_run(path: Path, checkpoint: dict, now: dict) -> None:
    """Refuse to go on from a checkpoint of another run that was put into this one's folder.

    Raises:
        InputError: with every difference, or if the checkpoint does not say which run it belongs to.
    """
    if not is_identity(before := checkpoint.get("identity")):
        raise InputError(f"{path}: does not say to which run it belongs, and is not continued; choose a new folder")
    check_identity(before, now, f"{path}: belongs to a run that was")


def is_identity(value: object) -> bool:
    """Whether something has the form of what `identity` gives."""
    return isinstance(value, dict) and all(isinstance(value.get(part), dict) for part in ("config", "versions"))


def read_identity(folder: Path) -> dict:
    """The identity of what a folder holds.

    Raises:
        InputError: if its file is not one.
    """
    if not is_identity(found := read_record(folder / IDENTITY)):
        raise InputError(f"{folder / IDENTITY}: not written by this program")
    return found


def write_identity(folder: Path, now: dict) -> None:
    """Write the file by which a folder is known again.

    Raises:
        InputError: if it cannot be written.
    """
    write_text(folder / IDENTITY, json.dumps(now, indent=2) + "\n")
