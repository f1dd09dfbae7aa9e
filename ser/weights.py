"""A system's weights in a file that can hold nothing but numbers and text: safetensors."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ser import __version__
from ser.contents import network
from ser.errors import InputError
from ser.files import write_bytes

SUFFIX = ".safetensors"
# Entries of a checkpoint that go into the file's metadata, as JSON; its weights go into tensors.
DESCRIPTION = ("system", "hyper_parameters", "speakers", "recordings", "standardised_by", "epoch", "global_step")


def write_weights(checkpoint: dict, path: Path) -> None:
    """Write a checkpoint's weights with what describes them; all that only a training needs is left out.

    Raises:
        InputError: if the file cannot be written.
    """
    metadata = {name: json.dumps(checkpoint[name]) for name in DESCRIPTION} | {"ser": __version__}
    weights = {name: tensor.contiguous() for name, tensor in network(checkpoint["state_dict"]).items()}
    write_bytes(path, save(weights, metadata))


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
    if missing := [name for name in DESCRIPTION if name not in metadata]:
        raise InputError(f"{path}: {missing[0]} is missing in its metadata; ser export-weights writes such files")
    described = {}
    for name in DESCRIPTION:
        try:
            described[name] = json.loads(metadata[name])
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: {name} in its metadata is not JSON: {error}") from error
    return {**described, "state_dict": weights}
