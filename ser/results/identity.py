"""Identity of a run or a cross-validation: configuration, corpus, code. Only equal ones are resumed or pooled."""

import json
from pathlib import Path

from ser.errors import InputError
from ser.files import digest, write_text
from ser.results.provenance import code_digest, versions
from ser.results.records import read_record

# FREE: options that change no number. PER_FOLD: options that a cross-validation sets for each fold.
FREE = (
    *("wandb", "loggers", "checkpoints", "config", "out", "data.num_workers"),
    *("data.corpus.root", "data.corpus.csv"),  # a corpus is identified by its digest, not by its folder
    *("trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.log_every_n_steps"),
)
IDENTITY = "identity.json"
OWN_VERSION = "ser"  # is recorded; what it changes of a training, the digest of the code says
PER_FOLD = ("seed_everything", "data.fold", "data.seed")


def identity(config: dict, corpus_digest: str, without: tuple[str, ...] = ()) -> dict:
    """Configuration by option name, digests of corpus and code, versions.

    Args:
        config: nested options.
        without: options to leave out besides `FREE`.
    """
    flat = {name: value for name, value in flatten(config).items() if not name.startswith(FREE + without)}
    for name in ("init_weights", "data.splits"):
        if (file := flat.get(name)) and Path(file).is_file():
            flat[name] = f"SHA-256 {digest(Path(file))}"  # a file is identified by its content
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
    """The differences between two identities, one line each."""
    old, new = (
        each["config"]
        | {f"version of {name}": number for name, number in each["versions"].items() if name != OWN_VERSION}
        | {what: f"digest {each.get(what)}" for what in ("corpus", "code")}
        for each in (before, now)
    )
    names = [name for name in sorted(old | new, key=str) if str(old.get(name)) != str(new.get(name))]
    return [f"{name}: {old.get(name)} there, {new.get(name)} here" for name in names]


def check_identity(before: dict, now: dict, what: str) -> None:
    """Refuse to continue with another configuration, corpus, split or code; the message begins with `what`.

    Raises:
        InputError: with every difference.
    """
    if found := differences(before, now):
        lines = "\n".join(f"  {line}" for line in found)
        raise InputError(f"{what} started with other options, data or code; choose a new folder\n{lines}")


def check_same_run(path: Path, checkpoint: dict, now: dict) -> None:
    """Refuse to resume from a checkpoint of another run that was put into this one's folder.

    Raises:
        InputError: with every difference, or if the checkpoint has no identity.
    """
    if not is_identity(before := checkpoint.get("identity")):
        raise InputError(f"{path}: does not say which run it belongs to and cannot be resumed; choose a new folder")
    check_identity(before, now, f"{path}: belongs to a run that was")


def is_identity(value: object) -> bool:
    """Whether a value has the form that `identity` returns."""
    return isinstance(value, dict) and all(isinstance(value.get(part), dict) for part in ("config", "versions"))


def read_identity(folder: Path) -> dict:
    """Read the identity in a folder.

    Raises:
        InputError: if the file is not an identity.
    """
    if not is_identity(found := read_record(folder / IDENTITY)):
        raise InputError(f"{folder / IDENTITY}: not written by this program")
    return found


def write_identity(folder: Path, now: dict) -> None:
    """Write the identity into a folder.

    Raises:
        InputError: if it cannot be written.
    """
    write_text(folder / IDENTITY, json.dumps(now, indent=2) + "\n")
