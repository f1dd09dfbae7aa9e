"""Eqs. (1)-(7) against literal loops and closed forms."""

import math

import pytest
import torch

from ser.errors import InputError
from ser.networks.capsules import emo_vector, route, squash


def literal_route(prediction, iterations, mask=None):
    """Eqs. (1), (2), (4) and the logit update of section 2.1, element by element, for one (lower, upper, dim)."""
    lower, upper, dim = prediction.shape
    logits = [[0.0] * upper for _ in range(lower)]
    for iteration in range(iterations):
        coupling = [[math.exp(d) / sum(math.exp(k) for k in row) for d in row] for row in logits]
        if mask is not None:
            coupling = [[c if mask[i] else 0.0 for c in row] for i, row in enumerate(coupling)]
        output = []
        for j in range(upper):
            s = [sum(coupling[i][j] * float(prediction[i, j, k]) for i in range(lower)) for k in range(dim)]
            length = math.sqrt(sum(x * x for x in s))
            output.append([length**2 / (1 + length**2) * x / length if length else 0.0 for x in s])
        if iteration < iterations - 1:
            for i in range(lower):
                for j in range(upper):
                    logits[i][j] += sum(float(prediction[i, j, k]) * output[j][k] for k in range(dim))
    return torch.tensor(output, dtype=torch.float64), torch.tensor(coupling, dtype=torch.float64)


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
@pytest.mark.parametrize("masked", [False, True])
def test_routing_equals_literal_loops(iterations, masked):
    prediction = torch.randn(7, 4, 3, dtype=torch.float64)
    mask = torch.tensor([True, False, True, True, False, True, True]) if masked else None
    output, coupling = route(prediction, iterations, mask)
    expected_output, expected_coupling = literal_route(prediction, iterations, mask)
    torch.testing.assert_close(output, expected_output)
    torch.testing.assert_close(coupling, expected_coupling)


def test_agreement_attracts():
    """Capsules that agree on the second upper capsule are coupled to it more with every iteration."""
    prediction = torch.randn(20, 4, 8) * 0.3
    prediction[:, 1] = torch.tensor([0.8] + [0.0] * 7)
    shares = [route(prediction, n)[1][:, 1].mean().item() for n in (1, 2, 3, 4)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.25)
    assert shares[-1] > 0.5


def test_gradients_run_through_all_iterations():
    prediction = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([True, False, True])
    assert torch.autograd.gradcheck(lambda p: route(p, 3, mask), prediction)


def test_squash_gradient():
    assert torch.autograd.gradcheck(squash, torch.randn(5, 3, dtype=torch.float64, requires_grad=True))


def test_zero_capsules_have_finite_value_and_gradient():
    s = torch.zeros(2, 4, 3, requires_grad=True)
    emo_vector(squash(s)).sum().backward()
    assert torch.isfinite(s.grad).all()
    prediction = torch.zeros(6, 4, 3, requires_grad=True)
    output, _ = route(prediction, 3, torch.zeros(6, dtype=torch.bool))
    emo_vector(output).sum().backward()
    assert torch.isfinite(prediction.grad).all()


def test_emo_vector_of_four_capsules_of_16_has_68_elements():
    output = torch.randn(2, 4, 16)
    vector = emo_vector(output)
    assert vector.shape == (2, 68)
    torch.testing.assert_close(vector[:, 64:], output.norm(dim=-1))
    torch.testing.assert_close(vector[:, :64].reshape(2, 4, 16), output)


@pytest.mark.parametrize("iterations", [0, -1])
def test_fewer_than_one_iteration_is_refused(iterations):
    with pytest.raises(InputError, match="routing_iterations is"):
        route(torch.zeros(1, 2, 3), iterations)
