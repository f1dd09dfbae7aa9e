"""Check that a reused configuration or checkpoint is used with the corpus of its run."""

from pathlib import Path

from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.results.identity import IDENTITY, flatten, is_identity, read_identity
from ser.training.options.configuration import read_yaml

WRITTEN = ("config.yaml", "best.yaml")  # by a run or a study, next to its identity
NAMES = ("--data.corpus.name", "--data.corpus.init_args.name")  # options that only rename the corpus


def check_same_corpus(
    data: EmotionData, files: list[Path], words: list[str], checkpoint: tuple[str, dict] | None = None
) -> None:
    """Refuse another corpus than that of the run whose configuration or checkpoint is reused.

    A file of the same name, or a folder changed since, would silently be another corpus. A corpus named on the command
    line is accepted.

    Args:
        data: after `setup`.
        files: the files of `--config`; later ones override earlier ones.
        words: the command line.
        checkpoint: path and contents of the tested checkpoint.

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
            f"{data.corpus_digest}. To use this corpus, name it on the command line (--data.corpus.root FOLDER "
            "or --data.corpus.csv FILE)"
        )


def _corpus_of(files: list[Path]) -> tuple[Path, str] | None:
    """The last file that names a corpus, if a run wrote it, and the digest of that run's corpus."""
    found = None
    for file in files:
        if file.name in WRITTEN and (file.parent / IDENTITY).is_file():
            digest = read_identity(file.parent).get("corpus")
            found = (file, digest) if digest else None
        elif any(name == "data" or name.startswith("data.corpus") for name in flatten(read_yaml(file))):
            found = None
    return found


def _corpus_of_checkpoint(path: str, checkpoint: dict, name: str) -> tuple[str, str] | None:
    """The path of a checkpoint and the digest of its corpus, if the corpus has this name."""
    same = any(speaker.startswith(f"{name}:") for speaker in checkpoint["speakers"]["train"])
    identity = checkpoint.get("identity")
    return (path, identity["corpus"]) if same and is_identity(identity) and "corpus" in identity else None
