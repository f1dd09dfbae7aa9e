"""The predictions table of an evaluation, gathered from all processes."""

import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from ser.data.segments import FILLER
from ser.results.predictions import predictions_table


class Predictions(Callback):
    """Gather the posteriors of a validation or test outside training, from all processes, into a table.

    Attributes:
        tables: the last table of each set, "val" or "test", on every process.
    """

    def __init__(self) -> None:
        self.tables: dict[str, pd.DataFrame] = {}
        self._rows: dict[int, dict[str, list[float]]] = {}

    def _collect(self, trainer: Trainer, outputs: dict[str, Tensor], batch) -> None:
        if trainer.state.fn == "fit":
            return
        values = {name: posterior.tolist() for name, posterior in outputs.items()}
        for place, row in enumerate(batch.utterance.tolist()):
            if row != FILLER:
                self._rows[row] = {name: posterior[place] for name, posterior in values.items()}

    def _gather(self, trainer: Trainer, name: str) -> None:
        if trainer.state.fn == "fit":
            return
        parts = [self._rows]
        if trainer.world_size > 1:
            parts = [None] * trainer.world_size
            torch.distributed.all_gather_object(parts, self._rows)
        rows = dict(sorted(item for part in parts for item in part.items()))
        data = trainer.datamodule
        expected = data.utterances.index[data.utterances.set == name]
        if list(rows) != list(expected) or len(rows) != sum(map(len, parts)):
            raise RuntimeError(f"{name}: {sum(map(len, parts))} predictions for {len(expected)} utterances")
        branches = next(iter(rows.values()))
        posteriors = {branch: torch.tensor([row[branch] for row in rows.values()]).numpy() for branch in branches}
        self.tables[name] = predictions_table(data.utterances.loc[expected], data.fold, data.emotions, posteriors)
        self._rows = {}

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
        self._collect(trainer, outputs, batch)

    def on_test_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
        self._collect(trainer, outputs, batch)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._gather(trainer, "val")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._gather(trainer, "test")
