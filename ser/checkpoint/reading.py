"""A checkpoint: written whole, read as data only, and checked before its system is tested."""

import io
import os
import warnings
import zipfile
from pathlib import Path

import torch

from ser.checkpoint.contents import check_contents, check_weights, network
from ser.checkpoint.safetensors_file import SUFFIX, read_weights
from ser.errors import InputError
from ser.files import write_bytes
from ser.systems import SYSTEMS
from ser.systems.lineage import entries
from ser.systems.system import System

LAST, WITHIN_EPOCH = "last", "within"


def write_checkpoint(checkpoint: dict, path: Path) -> None:
    """Write a checkpoint whole or not at all.

    Raises:
        InputError: if it cannot be written; the old file is left as it was.
    """
    content = io.BytesIO()  # writing to the file itself, torch would not say what was wrong with it
    torch.save(checkpoint, content)
    write_bytes(path, content.getvalue())


def read_checkpoint(path: str | Path) -> dict:
    """What a checkpoint or an exported system holds, on the CPU; nothing in it is executed.

    Raises:
        InputError: if there is no such local file, or it is not one of this project's, whole and sound.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such checkpoint (local files only)")
    if Path(path).suffix == SUFFIX:
        return check_contents(read_weights(path), path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is said about a foreign file is said below
            checkpoint = torch.load(_sound_archive(path), map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # torch raises anything from KeyError to UnpicklingError on a foreign file
        raise InputError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    return check_contents(checkpoint, path)


def _sound_archive(path: str | Path) -> io.BytesIO:
    """The archive of a checkpoint, written again from entries whose checksums are right.

    Torch compares no checksums, and may find other entries in the file than those that were checked.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(content, "w") as copy:  # torch's older formats end here
        if sum(entry.file_size for entry in archive.infolist()) > os.path.getsize(path):
            raise InputError(f"{path}: not a readable checkpoint (it would grow when it is unpacked)")
        for entry in archive.infolist():
            try:
                copy.writestr(entry.filename, archive.read(entry))
            except zipfile.BadZipFile as error:
                raise InputError(f"{path}: damaged: {entry.filename!r} is not what was written") from error
    content.seek(0)
    return content


def load_weights(system: System, path: str | Path) -> None:
    """Give a system the weights and statistics of a checkpoint, and the record of whom they have heard.

    Raises:
        InputError: as `read_checkpoint`, or if names or shapes do not fit the system.
    """
    put_weights(system, read_checkpoint(path), path)


def put_weights(system: System, checkpoint: dict, path: str | Path) -> None:
    """The same with a checkpoint that has been read; its path is for messages."""
    weights = checkpoint["state_dict"]
    check_weights(system, weights, path)
    system.load_state_dict({**system.state_dict(), **network(weights)})
    system.lineage = entries(checkpoint)


def load(path: str | Path) -> System:
    """The system of a checkpoint, ready to hear: `load(path).posterior(waveform, lengths)` needs nothing else.

    Raises:
        InputError: as `read_checkpoint`.
    """
    checkpoint = read_checkpoint(path)
    system = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
    put_weights(system, checkpoint, path)
    return system.eval()


def exchange_roles(path: Path, target: Path, identity: dict) -> None:
    """Write a checkpoint for the other direction of its session: who validated is tested, and the reverse.

    Args:
        path: of this direction, or of the other one without its roles.
        target: where the other direction's is written; one that has its roles already is left alone.
        identity: of the other direction's run.
    """

    def exchanged(sets: dict) -> dict:
        return {"train": sets["train"], "val": sets["test"], "test": sets["val"]}

    checkpoint = read_checkpoint(path)
    if path == target and checkpoint.get("exchanged"):
        return
    checkpoint |= {entry: exchanged(checkpoint[entry]) for entry in ("speakers", "recordings")}
    about = entries(checkpoint)["trained_on"]
    about |= {"fold": identity["config"]["data.fold"], "counts": about["counts"] and exchanged(about["counts"])}
    checkpoint |= {"exchanged": True, "identity": identity, "trained_on": about}
    write_checkpoint(checkpoint, target)


def newest(folder: Path) -> tuple[Path, dict] | None:
    """The checkpoint from which an interrupted training goes on, and what it holds: the one with most steps.

    Raises:
        InputError: as `read_checkpoint`.
    """
    paths = [folder / f"{name}.ckpt" for name in (LAST, WITHIN_EPOCH)]
    found = {path: read_checkpoint(path) for path in paths if os.path.lexists(path)}
    return max(found.items(), key=lambda each: each[1]["global_step"], default=None)
