"""Write and read a system's weights as safetensors, a format of numbers and text without code."""

import json
from hashlib import blake2b
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ser import __version__
from ser.checkpoint.contents import network
from ser.errors import InputError
from ser.files import write_bytes
from ser.systems.lineage import entries

SUFFIX = ".safetensors"
# Entries of a checkpoint stored as JSON in the file's metadata; its weights are stored as tensors.
DESCRIPTION = ("system", "hyper_parameters", "speakers", "recordings", "standardised_by", "epoch", "global_step")
LATER = ("trim_silence", "trained_on", "initial_weights")  # files of older versions lack them
DIGEST = "blake2b"  # of metadata and weights


def write_weights(checkpoint: dict, path: Path) -> None:
    """Write a checkpoint's weights and their description, without the state that only training needs.

    Raises:
        InputError: if the file cannot be written.
    """
    values = {**{name: checkpoint[name] for name in DESCRIPTION}, **entries(checkpoint)}
    described = {name: json.dumps(value) for name, value in values.items()}
    weights = {name: tensor.contiguous() for name, tensor in network(checkpoint["state_dict"]).items()}
    metadata = {**described, DIGEST: digest(described, weights), "ser": __version__}
    write_bytes(path, _in_order(save(weights, metadata)))


def _in_order(content: bytes) -> bytes:
    """Sort the metadata of a file, because safetensors writes them in random order."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # keeps the tensors aligned
    return len(text).to_bytes(8, "little") + text + content[end:]


def digest(described: dict[str, str], weights: dict[str, Tensor]) -> str:
    """BLAKE2b of metadata and weights, because the format has no checksum; it does not prove the sender."""
    found = blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=16)
    for name, tensor in sorted(weights.items()):
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def read_weights(path: str | Path) -> dict:
    """Read such a file in the form of a checkpoint, without checking its contents.

    Raises:
        InputError: if it is unreadable, damaged, or was not written by `write_weights`.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})") from error
    if missing := [name for name in (*DESCRIPTION, DIGEST) if name not in metadata]:
        raise InputError(f"{path}: {missing[0]} is missing in its metadata; use a file written by ser export-weights")
    names = [*DESCRIPTION, *(name for name in LATER if name in metadata)]
    if digest({name: metadata[name] for name in names}, weights) != metadata[DIGEST]:
        raise InputError(f"{path}: damaged: its digest does not match its content")
    described = {}
    for name in names:
        try:
            described[name] = json.loads(metadata[name])
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: {name} in its metadata is not JSON: {error}") from error
    return {**described, "state_dict": weights}
