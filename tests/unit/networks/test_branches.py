"""Shapes, parameter counts and shared weights of section 3, and masks that make outputs independent of the batch."""

import pytest
import torch
from torch import nn

from benchmarks.plain import PrintedConvolutions, PrintedPlainConvolutions
from ser.errors import InputError
from ser.networks.branches import CapsuleBranch
from ser.networks.capsule_layers import RecCaps, SeqCaps, WindowCapsules, Windows, capsule_weight
from ser.networks.convolutions import PlainConvolutions, SpectralTemporalConvolutions
from ser.networks.kernels import PooledRows
from ser.systems import SYSTEMS


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("CNNGRU", 145_268),
        ("CNNSeqCap", 234_228),
        ("CNNRecCap", 1_209_076),
        ("CNNGRUSeqCap", 366_392),
        ("CNNLSTM", 2_313_868),
    ],
)
def test_parameters_of_each_system(name, total):
    assert parameters(SYSTEMS[name]()) == total


def test_parameters_of_each_layer():
    system = SYSTEMS["CNNGRUSeqCap"]()
    convolutions, capsule, gru = system.convolutions, system.branches["capsule"], system.branches["gru"]
    assert [parameters(layer) for layer in (convolutions.wide, convolutions.tall)] == [136, 136]
    assert [parameters(layer) for layer in (convolutions.conv2, convolutions.conv3)] == [6416, 6416]
    assert parameters(gru.forwards) + parameters(gru.backwards) == 123_648
    assert parameters(gru.head) == 8516
    assert parameters(capsule.window_capsules) == 83_008
    assert (capsule.emo_caps.weight.numel(), capsule.emo_caps.bias.numel()) == (114_688, 14_336)
    assert (capsule.utterance_capsules.weight.numel(), capsule.utterance_capsules.bias.numel()) == (4352, 64)
    recurrent = SYSTEMS["CNNRecCap"]().branches["capsule"].emo_caps
    assert recurrent.recurrent_weight.numel() == 974_848


def test_a_segment_has_the_maps_of_fig_2():
    maps = SpectralTemporalConvolutions()(torch.randn(2, 512, 200), torch.tensor([200, 150]))
    assert maps["conv3"].features.shape == (2, 16, 128, 100)
    assert maps["pool3"].features.shape == (2, 16, 64, 50)
    assert maps["pool3"].steps.tolist() == [50, 38]


@pytest.mark.parametrize(("tap", "windows", "capsules"), [("pool3", 2, 224), ("conv3", 4, 480)])
def test_a_segment_has_the_windows_of_each_tap(tap, windows, capsules):
    convolutions = SpectralTemporalConvolutions()
    branch = CapsuleBranch(SeqCaps, convolutions.taps, 4, capsule_tap=tap)
    maps = convolutions(torch.randn(1, 512, 200), torch.tensor([200]))
    cut, mask = branch.windows(*maps[tap])
    assert cut.shape[1] == windows
    assert mask.all()
    assert branch.window_capsules.num_capsules == capsules


def test_the_larger_row_is_max_pooling_relu_and_mask():
    """Value and gradient equal those of torch's pooling; the gradient also equals finite differences."""
    rows = torch.randn(2, 3, 8, 5, dtype=torch.float64, requires_grad=True)
    mask = (torch.arange(5) < torch.tensor([[5], [3]]))[:, None, None, :]
    expected = torch.relu(nn.functional.max_pool2d(rows, (2, 1)) * mask)
    weight = torch.randn_like(expected)
    (gradient,) = torch.autograd.grad(expected, rows, weight)
    found = PooledRows.apply(rows, mask)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(torch.autograd.grad(found, rows, weight)[0], gradient, rtol=0, atol=0)
    torch.autograd.gradcheck(PooledRows.apply, (rows, mask))


def with_biases(convolutions):
    """Draw every bias; zero biases, as at the start, would hide a missing one."""
    for name, values in convolutions.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(values)
    return convolutions


@pytest.mark.parametrize("frames", [200, 57, 3])
def test_convolutions_equal_the_printed_order(frames):
    """Concatenation, ReLU, then pooling, with explicit SAME padding, on an utterance without padding."""
    ours = with_biases(SpectralTemporalConvolutions())
    spectrogram = torch.randn(1, 512, frames)
    pad, conv = nn.functional.pad, nn.functional.conv2d
    image = spectrogram[None]
    wide = conv(pad(image, (3, 4, 0, 1)), ours.wide.weight, ours.wide.bias)
    tall = conv(pad(image, (0, 1, 3, 4)), ours.tall.weight, ours.tall.bias)
    features = nn.functional.max_pool2d(torch.relu(torch.cat([wide, tall], dim=1)), (2, 1))
    for layer in (ours.conv2, ours.conv3):
        features = torch.relu(conv(pad(features, (2, 2, 2, 2)), layer.weight, layer.bias))
        features = nn.functional.max_pool2d(features, 2, ceil_mode=True)
    found = ours(spectrogram, torch.tensor([frames]))["pool3"]
    torch.testing.assert_close(found.features, features, rtol=1e-4, atol=1e-5)
    assert found.steps.item() == features.shape[-1]


@pytest.mark.parametrize("frames", [200, 57, 3])
def test_the_baselines_convolutions_equal_the_printed_order(frames):
    ours = with_biases(PlainConvolutions().double())
    features = torch.randn(1, 1, 512, frames, dtype=torch.float64)
    expected = features
    for layer, padding in ((ours.conv1, (7, 8, 5, 6)), (ours.conv2, (5, 6, 3, 4)), (ours.conv3, (3, 3, 2, 2))):
        expected = nn.functional.conv2d(nn.functional.pad(expected, padding), layer.weight, layer.bias)
        expected = nn.functional.max_pool2d(torch.relu(expected), 2, ceil_mode=True)
    found = ours(features[0], torch.tensor([frames]))["pool3"]
    torch.testing.assert_close(found.features, expected)


@pytest.mark.parametrize("frames", [57, 3, 1])
@pytest.mark.parametrize(
    ("ours", "printed"),
    [(SpectralTemporalConvolutions, PrintedConvolutions), (PlainConvolutions, PrintedPlainConvolutions)],
)
def test_gradients_equal_those_of_the_printed_order(ours, printed, frames):
    """Gradients of every parameter for two utterances of unequal length, in float64."""
    ours, printed = with_biases(ours().double()), printed().double()
    printed.load_state_dict(ours.state_dict())
    spectrogram = torch.randn(2, 512, frames, dtype=torch.float64)
    lengths = torch.tensor([frames, (frames + 1) // 2])
    found, expected = (network(spectrogram, lengths)["pool3"][0] for network in (ours, printed))
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    for features in (found, expected):
        (features * weight).sum().backward()
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, printed.get_parameter(name).grad)


@pytest.mark.parametrize("make", [SpectralTemporalConvolutions, PlainConvolutions])
def test_maps_are_zero_beyond_the_end(make):
    frames = torch.tensor([100, 37, 1, 64])
    for features, steps in make()(torch.randn(4, 512, 100), frames).values():
        beyond = torch.arange(features.shape[-1]) >= steps[:, None]
        assert (features.transpose(1, 3)[beyond] == 0).all()
        assert (steps > 0).all()


@pytest.mark.parametrize(
    ("steps", "count"), [(1, 1), (39, 1), (40, 1), (41, 2), (50, 2), (60, 2), (61, 3), (80, 3), (100, 4)]
)
def test_number_of_windows(steps, count):
    windows = Windows(40, 20)
    assert windows.count(steps) == windows.count(torch.tensor([steps])).item() == count


def test_windows_cover_every_step_and_nothing_else():
    features = torch.arange(1, 72).float().view(1, 1, 1, 71).repeat(2, 1, 1, 1)
    features[1, ..., 45:] = 0
    cut, mask = Windows(40, 20)(features, torch.tensor([71, 45]))
    assert mask.tolist() == [[True, True, True], [True, True, False]]
    for w in range(3):
        expected = [float(v) if v <= 71 else 0.0 for v in range(20 * w + 1, 20 * w + 41)]
        assert cut[0, w].flatten().tolist() == expected


def test_reccaps_without_recurrent_weights_are_seqcaps():
    recurrent, sequential = RecCaps(9, 8, 4, 16, 3), SeqCaps(9, 8, 4, 16, 3)
    sequential.load_state_dict({k: v for k, v in recurrent.state_dict().items() if k != "recurrent_weight"})
    nn.init.zeros_(recurrent.recurrent_weight)
    capsules = torch.randn(2, 5, 9, 8)
    torch.testing.assert_close(recurrent(capsules), sequential(capsules))


def test_only_the_past_reaches_a_window():
    caps = RecCaps(5, 3, 4, 4, 3)
    capsules = torch.randn(1, 4, 5, 3)
    changed = capsules.clone()
    changed[:, 2] += 1
    before, after = caps(capsules), caps(changed)
    torch.testing.assert_close(before[:, :2], after[:, :2])
    assert (before[:, 2:] - after[:, 2:]).abs().amax(dim=-1).gt(1e-6).all()


def test_a_convolutions_channels_are_one_capsules_dimensions():
    layer = WindowCapsules(16, 64, 40, 8, 8, 9, 8)
    nn.init.zeros_(layer.convolutions.weight)
    nn.init.zeros_(layer.convolutions.bias)
    layer.convolutions.bias.data[8 * 2 : 8 * 3] = torch.arange(1.0, 9.0)  # the third convolution
    capsules = layer(torch.zeros(1, 16, 64, 40))[0]
    assert capsules.shape == (224, 8)
    active = capsules.abs().sum(-1) > 0
    assert active.nonzero().flatten().tolist() == list(range(56, 84)), "28 positions of one convolution"
    direction = torch.arange(1.0, 9.0) / torch.arange(1.0, 9.0).norm()
    torch.testing.assert_close(capsules[60] / capsules[60].norm(), direction)


def test_capsule_matrices_are_xavier_initialised_one_by_one():
    weight = capsule_weight(224, 4, 16, 8)
    assert weight.std().item() == pytest.approx((2 / (16 + 8)) ** 0.5, rel=0.02)
    kernel = WindowCapsules(16, 64, 40, 8, 8, 9, 8).convolutions.weight
    assert kernel.std().item() == pytest.approx((2 / (16 * 81 + 8 * 81)) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"routing_iterations": 0}, "routing_iterations is 0"),
        ({"dropout": 1.5}, "dropout is 1.5, but must be less than 1"),
        ({"dropout": 1.0}, "dropout is 1.0, but must be less than 1"),
        ({"dropout": float("nan")}, "dropout is nan"),
        ({"window_shift": 50}, "window_shift is 50"),
        ({"window_kernel": 41}, "window_kernel is 41"),
        ({"capsule_tap": "pool9"}, "model.capsule_tap is 'pool9', but must be 'pool3' or 'conv3'"),
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"emo_capsule_dim": 0}, "emo_capsule_dim is 0"),
    ],
)
def test_sizes_out_of_range_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        SYSTEMS["CNNSeqCap"](**options)


def test_lambda_out_of_range_is_refused():
    with pytest.raises(InputError, match=r"model\.lambda_ is 1\.1, but must be at most 1"):
        SYSTEMS["CNNGRUSeqCap"](lambda_=1.1)
