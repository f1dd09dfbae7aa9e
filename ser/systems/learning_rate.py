"""The paper's learning-rate rule."""

from typing import Annotated

import torch
from lightning import Callback, LightningModule, Trainer
from pydantic import Field

from ser.bounds import checked
from ser.errors import InputError

STEPS = ((0.1, 0.5), (0.01, 0.2), (0.001, 0.1))


def rate_factor(loss_ratio: float) -> float:
    """Factor of the learning rate, given the ratio of the training loss to its first value.

    Each reduction of the loss by a factor of 10 lowers the rate one step along 0.001, 0.0005, 0.0002, 0.0001.

    Args:
        loss_ratio: mean loss of the last 100 steps divided by that of the first 100.

    Example:
        >>> [rate_factor(ratio) for ratio in (1.0, 0.1, 0.009, 0.0001)]
        [1.0, 0.5, 0.2, 0.1]

    Source:
        Wu et al. (2019), section 4.1; the reference loss is assumed.
    """
    return min([factor for ratio, factor in STEPS if loss_ratio <= ratio], default=1.0)


class LearningRateRule(Callback):
    """Lower the learning rate when the training loss has fallen by a factor of 10, 100 and 1000; never raise it.

    Args:
        hold_epochs: number of first epochs with the initial rate.
        window_steps: steps over which the loss is averaged, at the start of training and at each check.
        check_every: steps between checks; each check synchronises with the device.

    Source:
        Wu et al. (2019), section 4.1; the comparison with the mean of the first 100 steps is assumed.
    """

    @checked("learning_rate_rule.")
    def __init__(
        self,
        hold_epochs: Annotated[int, Field(ge=0, le=100_000)] = 3,
        window_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 100,
        check_every: Annotated[int, Field(ge=1, le=1_000_000)] = 10,
    ) -> None:
        self.hold_epochs, self.window_steps, self.check_every = hold_epochs, window_steps, check_every
        self.step, self.factor, self.first_mean = 0, 1.0, None
        self.losses = torch.zeros(window_steps)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx: int) -> None:
        self.losses = self.losses.to(outputs["loss"].device)
        self.losses[self.step % self.window_steps] = outputs["loss"].detach()
        self.step += 1
        due = self.step > self.window_steps and self.step % self.check_every == 0
        if self.step == self.window_steps:
            self.first_mean = self._mean(trainer)
        elif due and trainer.current_epoch >= self.hold_epochs:
            self.factor = min(self.factor, rate_factor(self._mean(trainer) / self.first_mean))
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = pl_module.learning_rate * self.factor

    def _mean(self, trainer: Trainer) -> float:
        return float(trainer.strategy.reduce(self.losses.mean(), reduce_op="mean"))

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict) -> None:
        """Save the losses averaged over the processes, since all of them resume from this file."""
        losses = trainer.strategy.reduce(self.losses.clone(), reduce_op="mean")
        checkpoint["callbacks"][self.state_key]["losses"] = losses.tolist()

    def state_dict(self) -> dict:
        own = {"step": self.step, "factor": self.factor, "first_mean": self.first_mean}
        return {**own, "losses": self.losses.tolist()}

    def load_state_dict(self, state_dict: dict) -> None:
        if (steps := len(state_dict["losses"])) != self.window_steps:
            raise InputError(f"learning_rate_rule.window_steps is {self.window_steps}, but the checkpoint has {steps}")
        self.step, self.factor = state_dict["step"], state_dict["factor"]
        self.first_mean, self.losses = state_dict["first_mean"], torch.tensor(state_dict["losses"])
