"""The paper's learning-rate rule."""

from types import SimpleNamespace

import torch

from ser.systems.dropout import SeededDropout
from ser.systems.learning_rate import LearningRateRule, rate_factor


def test_the_rates_of_the_paper():
    rates = [0.001 * rate_factor(ratio) for ratio in (1, 0.11, 0.1, 0.02, 0.01, 0.001, 0)]
    torch.testing.assert_close(rates, [0.001, 0.001, 0.0005, 0.0005, 0.0002, 0.0001, 0.0001])


FIRST = [2.0] * 50 + [0.8] * 50  # a hundred losses with mean 1.4, which is neither the first nor the last of them


class FakeTrainer:
    """The parts of a trainer that the rule uses."""

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
    losses = FIRST + [0.01] * 300 + [5.0] * 200
    rates = run(LearningRateRule(), losses, lambda step: step // 100)
    assert set(rates[:300]) == {0.001}, "epochs 1 to 3 keep the first rate at any loss"
    assert rates[309] == 0.0002, "a hundredth of the first loss was reached"
    assert rates == sorted(rates, reverse=True)
    early = run(LearningRateRule(), FIRST[:10] + [1e-6] * 80, lambda step: 10)
    assert set(early) == {0.001}, "not before a hundred steps"


def test_the_mean_of_a_hundred_losses_decides():
    """Only the mean is below a tenth: half the window at 0.26 and half at 0.01 gives 0.135, against a tenth of 1.4."""
    losses = FIRST + [0.26] * 50 + [0.01] * 50
    assert run(LearningRateRule(), losses, lambda step: 3)[-1] == 0.0005
    losses = FIRST + [0.29] * 50 + [0.01] * 50
    assert run(LearningRateRule(), losses, lambda step: 3)[-1] == 0.001


def test_the_reference_is_the_mean_of_the_first_hundred_losses():
    """First losses of 2 and 0.8 have a mean of 1.4, of which 0.14 is a tenth; it is not a tenth of either."""
    for last, rate in ((0.139, 0.0005), (0.141, 0.001)):
        assert run(LearningRateRule(), FIRST + [last] * 100, lambda step: 3)[-1] == rate


def test_between_two_looks_nothing_changes():
    rates = run(LearningRateRule(check_every=25), FIRST + [0.01] * 100, lambda step: 3)
    changes = [step + 1 for step in range(1, 200) if rates[step] != rates[step - 1]]
    assert changes
    assert all(step % 25 == 0 for step in changes)


def test_every_step_has_a_dropout_of_its_own_that_seed_and_step_decide():
    def mask(seed, step, rank=0):
        trainer = SimpleNamespace(global_step=step, global_rank=rank)
        SeededDropout(seed).on_train_batch_start(trainer, None, None, 0)
        return torch.nn.functional.dropout(torch.ones(64), 0.5)

    assert torch.equal(mask(1, 7), mask(1, 7))
    others = [mask(1, 8), mask(2, 7), mask(1, 7, rank=1)]
    assert not any(torch.equal(mask(1, 7), other) for other in others)


def test_the_state_survives_a_checkpoint():
    losses = FIRST + [1.4] * 30 + [0.1] * 140
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
