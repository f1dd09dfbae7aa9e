"""Dropout that depends only on seed and step."""

from hashlib import blake2b

import torch
from lightning import Callback, LightningModule, Trainer


class SeededDropout(Callback):
    """Seed the dropout of each step with (seed, step, process), independent of all other random draws.

    Training then depends neither on which sets are validated nor on where it was interrupted.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx: int) -> None:
        words = f"{self.seed} {trainer.global_step} {trainer.global_rank}".encode()
        torch.manual_seed(int.from_bytes(blake2b(words, digest_size=4).digest(), "big"))
