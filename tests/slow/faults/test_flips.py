"""One bit of a checkpoint flipped: it is refused, or what it holds is untouched."""

from pathlib import Path

import numpy as np
import torch

from ser.checkpoint.reading import read_checkpoint
from ser.checkpoint.safetensors_file import write_weights
from ser.errors import InputError
from tests.slow.faults.kills import entries, is_same
from tests.slow.faults.test_hostile import sound


def flip_checkpoints(folder: Path, number: int, seed: int = 0) -> int:
    """Flip one bit of a checkpoint and of exported weights in turn; how many were refused, the others being whole."""
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
