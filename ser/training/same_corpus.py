"""Which corpus a run's configuration or checkpoint belongs to, where it is used again."""

from pathlib import Path

from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.results.identity import IDENTITY, flatten, is_identity, read_identity
from ser.training.options.configuration import read_yaml

WRITTEN = ("config.yaml", "best.yaml")  # by a run or a study, beside its identity
NAMES = ("--data.corpus.name", "--data.corpus.init_args.name")  # options that name a corpus and no other file


def check_same_corpus(
    data: EmotionData, files: list[Path], words: list[str], checkpoint: tuple[str, dict] | None = None
) -> None:
    """Refuse another corpus than that of the run whose configuration or checkpoint is used again.

    A file of the same name, or a folder that was changed since, would silently be another corpus. A corpus that the
    command line names is taken.

    Args:
        data: after its `setup`.
        files: of `--config`, from the weakest to the strongest.
        words: the command line.
        checkpoint: path and contents of a tested one.

    Raises:
        InputError: with both digests.
    """
    given = {word.split("=", 1)[0] for word in words}
    if any(name == "--data" or (name.startswith("--data.corpus") and name not in NAMES) for name in given):
        return
    found = _corpus_of(files) or (_corpus_of_checkpoint(*checkpoint, data.corpus.name) if checkpoint else None)
    if found and found[1] != data.corpus_digest:
        path, digest = found
        raise InputError(
            f"{path} belongs to a run on another corpus: its digest is {digest}, that of {data.corpus.location} is "
            f"{data.corpus_digest}. Where this corpus is meant, name it on the command line (--data.corpus.root FOLDER "
            "or --data.corpus.csv FILE)"
        )


def _corpus_of(files: list[Path]) -> tuple[Path, str] | None:
    """The last file that names a corpus, if a run has written it, and the digest of the run's corpus."""
    found = None
    for file in files:
        if file.name in WRITTEN and (file.parent / IDENTITY).is_file():
            digest = read_identity(file.parent).get("corpus")
            found = (file, digest) if digest else None
        elif any(name == "data" or name.startswith("data.corpus") for name in flatten(read_yaml(file))):
            found = None
    return found


def _corpus_of_checkpoint(path: str, checkpoint: dict, name: str) -> tuple[str, str] | None:
    """A checkpoint and the digest of its corpus, if that has this name."""
    same = any(speaker.startswith(f"{name}:") for speaker in checkpoint["speakers"]["train"])
    identity = checkpoint.get("identity")
    return (path, identity["corpus"]) if same and is_identity(identity) and "corpus" in identity else None
