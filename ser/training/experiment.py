"""A system and its data, built from the options of a command."""

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from ser.bounds import check
from ser.checkpoint.reading import load_weights
from ser.data import IEMOCAP
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.processes.allocator import keep_freed_memory
from ser.systems.lineage import check_unheard, doubts, entries
from ser.systems.system import System
from ser.training.options.run_options import RunOptions
from ser.training.options.trainer import check_trainer
from ser.training.same_corpus import check_same_corpus


class Experiment:
    """A system and its data; `read_corpus` reads the corpus.

    Args:
        options: options of a training, or of the test of a checkpoint.

    Attributes:
        settings: the options with their classes built: `trainer`, `wandb`, `checkpoints`, `learning_rate_rule`.
        beginning: lineage of the initial weights, if any: what they were trained on.

    Raises:
        InputError: if a constructor refuses an option.
    """

    def __init__(self, options: RunOptions) -> None:
        self.options, self.checkpoint = options, options.checkpoint
        check_trainer(options.config["trainer"], fitting=self.checkpoint is None)
        keep_freed_memory()
        torch.backends.cudnn.allow_tf32 = False  # TF32 rounds the inputs of convolutions to 10 bits
        self.settings = options.built()
        self.data: EmotionData = self.settings["data"]
        self.system: System = self.settings["model"]
        self.init_weights: str | None = None if self.checkpoint else options.config["init_weights"]
        if self.init_weights:
            load_weights(self.system, self.init_weights)
        self.beginning = self.system.lineage

    def read_corpus(self) -> None:
        """Read the corpus and split it.

        Raises:
            InputError: for a corpus with problems, or another corpus than that of the reused configuration.
        """
        corpus, config = self.data.corpus, self.options.config
        if isinstance(corpus, IEMOCAP) and corpus.name == "synthetic":
            raise InputError(
                f"{corpus.location} holds the built-in corpus, not IEMOCAP; use --data.corpus ser.data.Synthetic"
            )
        self.data.setup()
        files = [Path(file) for file in config["config"] or ()]
        tested = (config["ckpt_path"], self.checkpoint) if self.checkpoint else None
        check_same_corpus(self.data, files, self.options.words, tested)
        epochs = config["trainer"].max_epochs or 0
        check("epochs_averaged", config["epochs_averaged"], Annotated[int, Field(ge=0, le=max(epochs, 0))])

    def check_beginning(self, *folds: EmotionData) -> None:
        """Refuse initial weights trained or validated on a validation or test speaker of one of the folds.

        Raises:
            InputError: with the names of the speakers.
        """
        for data in folds if self.init_weights else ():
            for tested in ("val", "test"):
                check_unheard(self.beginning, self.init_weights, data, tested)

    def check_checkpoint(self, tested: str) -> None:
        """Refuse a checkpoint trained or validated on a speaker of the set ("val" or "test") that it is tested on.

        Raises:
            InputError: with the names of the speakers.
        """
        check_unheard(entries(self.checkpoint), self.options.config["ckpt_path"], self.data, tested)

    def doubts(self, data: EmotionData, sets: tuple[str, ...] = ("val", "test")) -> list[str]:
        """Warnings if the training speakers of the initial weights, or of the tested checkpoint, are unknown."""
        if self.checkpoint:
            return doubts(entries(self.checkpoint), "the checkpoint", data, sets)
        return doubts(self.beginning, "the initial weights", data, sets) if self.beginning else []
