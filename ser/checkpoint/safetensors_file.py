"""A system's weights in a file that can hold nothing but numbers and text: safetensors."""

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
# Entries of a checkpoint that go into the file's metadata, as JSON; its weights go into tensors.
DESCRIPTION = ("system", "hyper_parameters", "speakers", "recordings", "standardised_by", "epoch", "global_step")
LATER = ("trained_on", "initial_weights")  # files of older versions lack them
DIGEST = "blake2b"  # of all that


def write_weights(checkpoint: dict, path: Path) -> None:
    """Write a checkpoint's weights with what describes them, without what only a training needs.

    Raises:
        InputError: if the file cannot be written.
    """
    values = {**{name: checkpoint[name] for name in DESCRIPTION}, **entries(checkpoint)}
    described = {name: json.dumps(value) for name, value in values.items()}
    weights = {name: tensor.contiguous() for name, tensor in network(checkpoint["state_dict"]).items()}
    metadata = {**described, DIGEST: digest(described, weights), "ser": __version__}
    write_bytes(path, _in_order(save(weights, metadata)))


def _in_order(content: bytes) -> bytes:
    """The same file with its metadata in alphabetical order: safetensors writes them in a new order every time."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the numbers behind it stay aligned
    return len(text).to_bytes(8, "little") + text + content[end:]


def digest(described: dict[str, str], weights: dict[str, Tensor]) -> str:
    """BLAKE2b of a description and of weights: the format itself has no checksum. It proves no sender."""
    found = blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=16)
    for name, tensor in sorted(weights.items()):
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def read_weights(path: str | Path) -> dict:
    """What such a file holds, in the form of a checkpoint, not checked.

    Raises:
        InputError: if it is not one, or its metadata is not what `write_weights` writes.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})") from error
    if missing := [name for name in (*DESCRIPTION, DIGEST) if name not in metadata]:
        raise InputError(f"{path}: {missing[0]} is missing in its metadata; ser export-weights writes such files")
    names = [*DESCRIPTION, *(name for name in LATER if name in metadata)]
    if digest({name: metadata[name] for name in names}, weights) != metadata[DIGEST]:
        raise InputError(f"{path}: damaged: it does not hold what was written")
    described = {}
    for name in names:
        try:
            described[name] = json.loads(metadata[name])
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: {name} in its metadata is not JSON: {error}") from error
    return {**described, "state_dict": weights}
