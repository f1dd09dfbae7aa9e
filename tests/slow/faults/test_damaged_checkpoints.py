"""Damaged checkpoints and exported weights are refused, unless their contents are unchanged."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ser.checkpoint import load
from ser.checkpoint.reading import read_checkpoint
from ser.checkpoint.safetensors_file import LATER, digest, write_weights
from ser.errors import InputError
from ser.systems import CNNGRU
from tests.slow.faults.hostile_files import SMALL, sound
from tests.slow.faults.kills import entries, is_same


def flip_checkpoints(folder: Path, number: int, seed: int = 0) -> int:
    """Flip one bit of a checkpoint or of exported weights in turn; return how many were refused; others are intact."""
    random, refusals = np.random.default_rng(seed), []
    paths = [folder / "x.ckpt", folder / "x.safetensors"]
    torch.save(sound(), paths[0])
    write_weights(sound(), paths[1])
    whole = [(path, path.read_bytes(), dict(entries(read_checkpoint(path)))) for path in paths]
    for index in range(number):
        path, content, before = whole[index % len(whole)]
        flipped = bytearray(content)
        flipped[random.integers(len(content))] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        try:
            now = dict(entries(read_checkpoint(path)))
        except InputError as error:
            refusals.append(str(error))
        else:
            assert now.keys() == before.keys()
            assert all(is_same(before[name], now[name]) for name in now)
    assert all(text.startswith(f"{folder}/x.") for text in refusals)
    return len(refusals)


def test_flipped_bits(tmp_path):
    assert flip_checkpoints(tmp_path, 400) > 300


DESCRIPTION = {name: json.dumps(value) for name, value in sound().items() if name != "state_dict"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": None}, "system is missing in its metadata"),
        ({"recordings": None}, "recordings is missing in its metadata"),
        ({"hyper_parameters": "{"}, "hyper_parameters in its metadata is not JSON"),
        ({"hyper_parameters": "[" * 100_000}, "hyper_parameters in its metadata is not JSON"),
        ({"hyper_parameters": f'{{"sizes": {"[" * 600}{"]" * 600}}}'}, "hyper_parameters.sizes"),
        ({"system": '"os.system"'}, "not a checkpoint of one of the systems"),
        ({"hyper_parameters": '{"gru_units": 1e999}'}, "model.gru_units is inf, but must be"),
        ({"hyper_parameters": '{"gru_units": 4096, "dense_units": 4}'}, "does not fit CNNGRU as configured"),
        ({"epoch": "1.5"}, "epoch is 1.5, but must be a whole number"),
        ({"speakers": '{"train": [1]}'}, "speakers.train[0] is 1, but must be text"),
        ({"initial_weights": "0"}, "initial_weights is 0, but must be"),
        ({"trained_on": "{"}, "trained_on in its metadata is not JSON"),
        (
            {"standardised_by": '"everyone"'},
            "standardised_by is 'everyone', but must be 'train', 'corpus' or 'speaker'",
        ),
    ],
)
def test_metadata_of_exported_weights(changes, message, tmp_path):
    metadata = {name: text for name, text in {**DESCRIPTION, **changes}.items() if text is not None}
    weights = {name: tensor.contiguous() for name, tensor in CNNGRU(**SMALL).state_dict().items()}
    described = {name: text for name, text in metadata.items() if name in (*DESCRIPTION, *LATER)}
    save_file(weights, tmp_path / "x.safetensors", {**metadata, "blake2b": digest(described, weights)})
    with pytest.raises(InputError, match=r"x\.safetensors: .*|does not fit") as refusal:
        load(tmp_path / "x.safetensors")
    assert message in str(refusal.value)


def test_exported_weights_of_an_older_version_are_read(tmp_path):
    weights = {name: tensor.contiguous() for name, tensor in CNNGRU(**SMALL).state_dict().items()}
    save_file(weights, tmp_path / "x.safetensors", {**DESCRIPTION, "blake2b": digest(DESCRIPTION, weights)})
    assert load(tmp_path / "x.safetensors").lineage["initial_weights"]["complete"] is False


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}", b"\x02\0\0\0\0\0\0\0[]"])
def test_what_is_no_safetensors_file(content, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load(tmp_path / "x.safetensors")
