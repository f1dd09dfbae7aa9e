"""The branches against the literal implementation in `benchmarks/plain.py`."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import plain
from ser.networks.branches import CapsuleBranch, RecurrentBranch
from ser.networks.capsule_layers import RecCaps, SeqCaps
from ser.networks.convolutions import SpectralTemporalConvolutions

KINDS = [(SeqCaps, plain.PrintedSeqCaps), (RecCaps, plain.PrintedRecCaps)]
TAPS = {"pool3": (4, 12), "conv3": (2, 24)}
SIZES = plain.CAPSULE_SIZES | {"window_steps": 6, "window_shift": 3, "window_kernel": 3, "window_stride": 3}
SIZES |= {"num_window_convolutions": 2, "window_capsule_dim": 3, "emo_capsule_dim": 5, "utterance_capsule_dim": 4}
SIZES |= {"dense_units": 7}


def printed_name(name: str) -> str:
    """The plain branch's name for a parameter of the branch in `ser`."""
    return plain.plain_name(f".{name}").removeprefix(".")


def same_weights(ours, printed) -> None:
    """Give both the same weights with non-zero biases, in float64 and without dropout."""
    for name, values in ours.double().eval().named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(values)
    weights = {printed_name(name): values for name, values in ours.state_dict().items()}
    printed.double().eval().load_state_dict(weights)


def compare(ours, printed, maps: dict) -> None:
    """Compare logits and the gradients of all parameters and maps."""
    found, expected = ours(maps), printed(maps)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    gradients = []
    for logits, branch in ((found, ours), (expected, printed)):
        inputs = [maps[name][0] for name in maps if maps[name][0].requires_grad]
        given = dict(branch.named_parameters())
        values = torch.autograd.grad((logits * weight).sum(), [*inputs, *given.values()])
        gradients.append((values[: len(inputs)], dict(zip(given, values[len(inputs) :], strict=True))))
    (our_maps, our_weights), (printed_maps, printed_weights) = gradients
    torch.testing.assert_close(our_maps, printed_maps)
    for name, gradient in our_weights.items():
        torch.testing.assert_close(gradient, printed_weights[printed_name(name)], msg=name)


def map_of(tap: str, lengths: list[int]) -> dict:
    """A map of several utterances, zero in the padding."""
    steps = torch.tensor(lengths)
    features = torch.randn(len(lengths), *TAPS[tap], max(lengths), dtype=torch.float64)
    features *= torch.arange(max(lengths)) < steps[:, None, None, None]
    return {tap: (features.requires_grad_(), steps)}


@pytest.mark.parametrize(("ours", "printed"), KINDS)
@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize(
    "lengths",
    [
        [6, 6],  # one window
        [7, 7],  # two, the second of which has a tail of one step
        [14, 14],  # four
        [2, 2],  # shorter than a window
        [14, 6, 9, 10, 1],  # padded: four windows, one, two, three, one
    ],
)
def test_capsule_branches_are_those_of_the_equations(ours, printed, iterations, lengths):
    sizes = SIZES | {"routing_iterations": iterations}
    both = CapsuleBranch(ours, TAPS, 4, **sizes), plain.PrintedCapsuleBranch(printed, TAPS, 4, **sizes)
    same_weights(*both)
    maps = map_of("pool3", lengths)
    compare(*both, maps)


def test_the_other_map_may_be_tapped():
    sizes = SIZES | {"capsule_tap": "conv3"}
    both = CapsuleBranch(SeqCaps, TAPS, 4, **sizes), plain.PrintedCapsuleBranch(plain.PrintedSeqCaps, TAPS, 4, **sizes)
    same_weights(*both)
    maps = map_of("conv3", [11, 8])
    with torch.no_grad():
        found, expected = (branch(maps | map_of("pool3", [6, 4])) for branch in both)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("ours", "printed"), KINDS)
def test_windows_of_a_layer_follow_each_other(ours, printed):
    """Emo-vectors of four windows by Eqs. (1) to (7); Eq. (6) includes a bias."""
    both = ours(6, 3, 4, 5, 3), printed(6, 3, 4, 5, 3)
    same_weights(*both)
    capsules = torch.randn(2, 4, 6, 3, dtype=torch.float64)
    torch.testing.assert_close(both[0](capsules), torch.stack(both[1](list(capsules.unbind(1))), dim=1))


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("pool_bins", [1, 3])
def test_the_recurrent_branch_is_a_bidirectional_layer_with_dense_layers(cell, pool_bins):
    sizes = {"units": 3, "dense_units": 8, "dropout": 0.5, "pool_bins": pool_bins}
    both = RecurrentBranch(cell, TAPS, 4, **sizes), plain.BidirectionalBranch(cell, TAPS, 4, **sizes)
    same_weights(*both)
    compare(*both, map_of("pool3", [9, 9]))


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_the_recurrent_branch_ends_where_an_utterance_does(cell):
    sizes = {"units": 3, "dense_units": 8, "dropout": 0.5, "pool_bins": 3}
    both = RecurrentBranch(cell, TAPS, 4, **sizes), plain.BidirectionalBranch(cell, TAPS, 4, **sizes)
    same_weights(*both)
    features, steps = map_of("pool3", [9, 4, 1])["pool3"]
    alone = [both[1]({"pool3": (each[None, ..., :count], None)}) for each, count in zip(features, steps, strict=True)]
    torch.testing.assert_close(both[0]({"pool3": (features, steps)}), torch.cat(alone))


def test_maps_have_the_sizes_that_branches_are_built_for():
    printed, ours = plain.PrintedConvolutions(), SpectralTemporalConvolutions()
    assert printed.taps == ours.taps
    for name, (features, _) in printed(torch.randn(1, 512, 9), torch.tensor([9])).items():
        assert features.shape[1:3] == printed.taps[name]


def test_the_plain_networks_know_no_layer_of_ours():
    tree = ast.parse(Path(plain.__file__).read_text(encoding="utf-8"))
    imported = [each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
    imported += [name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names]
    assert [name for name in imported if name.startswith("ser")] == ["ser.networks.spectrogram"]
