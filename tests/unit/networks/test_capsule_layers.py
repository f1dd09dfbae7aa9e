"""The layers of the branches against literal implementations of the equations."""

import copy

import pytest
import torch
from torch import nn

from ser.networks.branches import CapsuleBranch
from ser.networks.capsule_layers import DenseHead, RecCaps, SeqCaps, UtteranceCapsules
from ser.networks.convolutions import PlainConvolutions, SpectralTemporalConvolutions
from ser.networks.spectrogram import Spectrogram
from tests.unit.networks.test_capsules import literal_route

TAPS = {"pool3": (2, 8)}
SIZES = {"window_steps": 4, "window_shift": 2, "window_kernel": 3, "window_stride": 2, "num_window_convolutions": 2}


def test_the_head_is_dense_relu_dense():
    head, features = DenseHead(5, 7, 4, dropout=0.5).eval(), torch.randn(3, 5)
    nn.init.normal_(head[0].bias)
    hidden = features @ head[0].weight.T + head[0].bias
    assert (hidden < 0).any(), "ReLU must change something"
    expected = hidden.clamp(min=0) @ head[3].weight.T + head[3].bias
    torch.testing.assert_close(head(features), expected)


def test_dropout_of_the_head_stands_between_its_dense_layers():
    """The last layer is the identity on four units, so each output is a dense unit, doubled or dropped."""
    head, features = DenseHead(5, 4, 4, dropout=0.5).train(), torch.randn(1, 5).expand(500, -1)
    with torch.no_grad():
        head[0].bias.fill_(3)  # keeps the sums positive
        head[0].weight.mul_(0.1)
        head[3].weight.copy_(torch.eye(4))
        head[3].bias.fill_(10)
        unit = features[:1] @ head[0].weight.T + head[0].bias
        answers = head(features)
    gone = torch.isclose(answers, torch.tensor(10.0))
    assert torch.equal(gone, ~torch.isclose(answers, 2 * unit + 10))
    assert 0.4 < gone.float().mean() < 0.6


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_windows_and_utterance_are_routed_as_often_as_was_asked(iterations):
    capsules, vectors = torch.randn(2, 3, 6, 5), torch.randn(2, 3, 20)
    windows = SeqCaps(6, 5, upper=4, dim=4, iterations=iterations)
    prediction = windows.prediction(capsules).detach()
    for item in range(2):
        for window in range(3):
            output, _ = literal_route(prediction[item, window], iterations)
            torch.testing.assert_close(windows(capsules)[item, window, :16], output.flatten().float())
    utterance = UtteranceCapsules(20, upper=4, dim=3, iterations=iterations)
    found, _ = utterance(vectors, torch.ones(2, 3, dtype=torch.bool))
    for item in range(2):
        prediction = torch.stack(
            [torch.stack([weight @ vector for weight in utterance.weight.detach()]) for vector in vectors[item]]
        )
        torch.testing.assert_close(found[item], literal_route(prediction, iterations)[0].float())


@pytest.mark.parametrize("kind", [SeqCaps, RecCaps])
@pytest.mark.parametrize("iterations", [1, 2, 4])
def test_the_iterations_of_a_branch_reach_both_routings(kind, iterations):
    branch = CapsuleBranch(kind, TAPS, 4, routing_iterations=iterations, **SIZES)
    assert (branch.emo_caps.iterations, branch.utterance_capsules.iterations) == (iterations, iterations)


def test_the_last_window_of_reccaps_sends_a_gradient_to_the_first():
    layer, capsules = RecCaps(6, 5, upper=4, dim=4, iterations=3), torch.randn(1, 3, 6, 5, requires_grad=True)
    layer(capsules)[0, 2].square().sum().backward()
    assert all(capsules.grad[0, window].abs().max() > 0 for window in range(3))
    alone = copy.deepcopy(capsules.detach()).requires_grad_()
    SeqCaps(6, 5, upper=4, dim=4, iterations=3)(alone)[0, 2].square().sum().backward()
    assert not alone.grad[0, :2].any(), "no gradient without recurrence"


@pytest.mark.parametrize("layers", [SpectralTemporalConvolutions, PlainConvolutions])
def test_convolutions_start_with_xavier_and_biases_at_zero(layers):
    """Glorot and Bengio (2010): uniform, bounded by the square root of 6 over inputs plus outputs of a kernel."""
    for layer in [each for each in layers().modules() if isinstance(each, nn.Conv2d)]:
        outputs, inputs, height, width = layer.weight.shape
        bound = (6 / ((inputs + outputs) * height * width)) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.15)
        assert not layer.bias.any()


def test_silence_is_the_logarithm_of_the_floor():
    found = Spectrogram()(torch.zeros(1, 16_000))
    torch.testing.assert_close(found, torch.full_like(found, torch.tensor(1e-5).log().item()))
