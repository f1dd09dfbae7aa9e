"""Write checkpoints atomically; read them as validated data, without executing code."""

import io
import os
import warnings
import zipfile
from pathlib import Path

import torch

from ser.checkpoint.contents import check_contents, check_weights, network
from ser.checkpoint.safetensors_file import SUFFIX, read_weights
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.files import write_bytes
from ser.systems import SYSTEMS
from ser.systems.lineage import emotions_in, entries, entries_of_fold
from ser.systems.system import System

LAST, WITHIN_EPOCH = "last", "within"


def write_checkpoint(checkpoint: dict, path: Path) -> None:
    """Write a checkpoint atomically.

    Raises:
        InputError: if it cannot be written; the old file is kept.
    """
    content = io.BytesIO()  # torch does not report why it cannot write to a file
    torch.save(checkpoint, content)
    write_bytes(path, content.getvalue())


def read_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint or an exported system to the CPU, without executing code in it.

    Raises:
        InputError: if there is no such local file, or it is damaged or not from this project.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such checkpoint (local files only)")
    if Path(path).suffix == SUFFIX:
        return check_contents(read_weights(path), path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the message below is enough for a foreign file
            checkpoint = torch.load(_sound_archive(path), map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # torch raises anything from KeyError to UnpicklingError on a foreign file
        raise InputError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    return check_contents(checkpoint, path)


def _sound_archive(path: str | Path) -> io.BytesIO:
    """Copy the archive of a checkpoint, verifying the checksum of every entry.

    Torch verifies no checksums, and could read other entries of the original file than those verified.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(content, "w") as copy:  # fails for torch's older formats
        if sum(entry.file_size for entry in archive.infolist()) > os.path.getsize(path):
            raise InputError(f"{path}: not a readable checkpoint (its entries are larger than the file)")
        for entry in archive.infolist():
            try:
                copy.writestr(entry.filename, archive.read(entry))
            except zipfile.BadZipFile as error:
                raise InputError(f"{path}: damaged: {entry.filename!r} is corrupt") from error
    content.seek(0)
    return content


def load_weights(system: System, path: str | Path) -> None:
    """Load the weights and statistics of a checkpoint into a system, and the record of their training.

    Raises:
        InputError: as `read_checkpoint`, or if names or shapes do not fit the system.
    """
    put_weights(system, read_checkpoint(path), path)


def put_weights(system: System, checkpoint: dict, path: str | Path) -> None:
    """`load_weights` for a checkpoint already read; the path is for messages."""
    weights, emotions = checkpoint["state_dict"], emotions_in(checkpoint)
    if tuple(emotions) != system.emotions:
        own = ", ".join(system.emotions)
        raise InputError(f"{path} was trained with data.emotions {', '.join(emotions)}, not {own}, in this order")
    check_weights(system, weights, path)
    system.load_state_dict({**system.state_dict(), **network(weights)})
    system.lineage = entries(checkpoint)


def load(path: str | Path) -> System:
    """Load the system of a checkpoint, ready for `load(path).posterior(waveform, lengths)`.

    Raises:
        InputError: as `read_checkpoint`.
    """
    checkpoint = read_checkpoint(path)
    system = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
    put_weights(system, checkpoint, path)
    return system.eval()


def write_for_fold(path: Path, target: Path, data: EmotionData, identity: dict) -> None:
    """Write a checkpoint of a training that serves several folds as the checkpoint of one of them.

    Args:
        path: the checkpoint; can be the target.
        data: the fold.
        identity: of the fold's run.
    """
    about = entries_of_fold(data, None)
    roles = {entry: about[entry] for entry in ("speakers", "recordings", "trained_on")}
    write_checkpoint(read_checkpoint(path) | roles | {"identity": identity}, target)


def newest(folder: Path) -> tuple[Path, dict] | None:
    """Path and content of the checkpoint from which training resumes: the one with most steps.

    Raises:
        InputError: as `read_checkpoint`.
    """
    paths = [folder / f"{name}.ckpt" for name in (LAST, WITHIN_EPOCH)]
    found = {path: read_checkpoint(path) for path in paths if os.path.lexists(path)}
    return max(found.items(), key=lambda each: each[1]["global_step"], default=None)
