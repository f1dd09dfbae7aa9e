"""The paper's learning-rate rule."""

import torch

from ser.callbacks import LearningRateRule
from ser.schedule import rate_factor


def test_the_rates_of_the_paper():
    rates = [0.001 * rate_factor(ratio) for ratio in (1, 0.11, 0.1, 0.02, 0.01, 0.001, 0)]
    torch.testing.assert_close(rates, [0.001, 0.001, 0.0005, 0.0005, 0.0002, 0.0001, 0.0001])


class FakeTrainer:
    """What the rule reads of a trainer."""

    def __init__(self):
        self.current_epoch = 0
        self.optimizers = [torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.001)]
        self.strategy = self

    def reduce(self, tensor, reduce_op):
        return tensor

    @property
    def rate(self):
        return self.optimizers[0].param_groups[0]["lr"]


class Module:
    learning_rate = 0.001


def run(rule, losses, epoch_of, trainer=None):
    trainer = trainer or FakeTrainer()
    rates = []
    for step, loss in enumerate(losses):
        trainer.current_epoch = epoch_of(step)
        rule.on_train_batch_end(trainer, Module(), {"loss": torch.tensor(loss)}, None, 0)
        rates.append(trainer.rate)
    return rates


def test_it_waits_three_epochs_and_a_hundred_steps_and_never_rises():
    losses = [1.4] * 100 + [0.01] * 300 + [5.0] * 200
    rates = run(LearningRateRule(), losses, lambda step: step // 100)
    assert set(rates[:300]) == {0.001}, "epochs 1 to 3 keep the first rate however low the loss"
    assert rates[309] == 0.0002, "a hundredth of the first loss is reached"
    assert rates == sorted(rates, reverse=True)
    early = run(LearningRateRule(), [1.4] * 10 + [1e-6] * 80, lambda step: 10)
    assert set(early) == {0.001}, "not before a hundred steps"


def test_the_mean_of_a_hundred_losses_decides():
    """Ten times less only on average: half the window at 0.26, half at 0.01 makes 0.135 of 1.4, just below a tenth."""
    losses = [1.4] * 100 + [0.26] * 50 + [0.01] * 50
    assert run(LearningRateRule(), losses, lambda step: 3)[-1] == 0.0005
    losses = [1.4] * 100 + [0.29] * 50 + [0.01] * 50
    assert run(LearningRateRule(), losses, lambda step: 3)[-1] == 0.001


def test_the_state_survives_a_checkpoint():
    losses = [1.4] * 130 + [0.1] * 140
    whole = run(LearningRateRule(), losses, lambda step: step // 80)
    first, second, trainer = LearningRateRule(), LearningRateRule(), FakeTrainer()
    start = run(first, losses[:150], lambda step: step // 80)
    second.load_state_dict(torch_round_trip(first.state_dict()))
    rest = run(second, losses[150:], lambda step: (step + 150) // 80, trainer)
    assert start + rest == whole
    assert whole[-1] < whole[0]


def torch_round_trip(state):
    import io

    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)
