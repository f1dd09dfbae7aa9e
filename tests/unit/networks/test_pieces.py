"""Convolving a spectrogram in pieces gives the maps of the whole."""

import pytest
import torch
from torch import nn

from ser.networks.convolutions import REACH, PlainConvolutions, SpectralTemporalConvolutions, convolve_in_pieces

BOTH = pytest.mark.parametrize("make", [SpectralTemporalConvolutions, PlainConvolutions])
BINS = 16  # fewer than a spectrogram has, to save time
PIECE = 64


def drawn(make):
    """Convolutions in float64 with random biases, because a zero bias would hide what is not masked."""
    torch.manual_seed(0)
    convolutions = make().double()
    for name, values in convolutions.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(values)
    return convolutions


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@BOTH
@pytest.mark.parametrize("total", [1, 63, 64, 65, 71, 72, 73, 127, 128, 129, 135, 191, 193, 200])
def test_pieces_give_the_maps_of_the_whole(make, total):
    """In a batch whose utterances end at, around and long before the border of a piece."""
    convolutions = drawn(make)
    lengths = sorted({total, *(each for each in (1, 2, 37, 63, 64, 65, 127, 128, 129) if each < total)})
    frames = torch.tensor(lengths)
    spectrogram = noise(len(lengths), BINS, total)
    with torch.no_grad():
        whole = convolutions(spectrogram, frames)
        found = convolve_in_pieces(convolutions, spectrogram, frames, PIECE)
    assert found.keys() == whole.keys() == make.taps.keys()
    for name, (features, steps) in found.items():
        assert features.shape == whole[name].features.shape
        assert features.shape[1] == make.taps[name][0]
        assert torch.equal(steps, whole[name].steps)
        torch.testing.assert_close(features, whole[name].features)


@BOTH
def test_a_piece_and_its_margins_are_all_that_is_convolved_at_once(make):
    convolutions, widths = drawn(make), []
    convolutions.register_forward_pre_hook(lambda _, given: widths.append(given[0].shape[-1]))
    with torch.no_grad():
        convolve_in_pieces(convolutions, noise(1, BINS, 200), torch.tensor([200]), PIECE)
    assert widths == [64 + 64, 64 + 64 + 64, 64 + 64 + 8, 64 + 8]


@BOTH
def test_no_step_depends_on_frames_out_of_reach(make):
    """Other audio at that distance changes nothing; nearer audio does, or the test is void."""
    convolutions, total = drawn(make), 400
    frames, spectrogram = torch.tensor([total]), noise(1, BINS, total)
    with torch.no_grad():
        before = convolutions(spectrogram, frames)
        for name, step_frames in make.frames_per_step.items():
            step = 200 // step_frames
            for distance, same in ((REACH, True), (1, False)):
                changed = spectrogram.clone()
                changed[..., : step * step_frames - distance + 1] += 10
                changed[..., (step + 1) * step_frames - 1 + distance :] -= 10
                after = convolutions(changed, frames)[name].features[..., step]
                assert torch.equal(after, before[name].features[..., step]) == same


@BOTH
def test_a_step_has_the_frames_that_are_said(make):
    """A map has a step for every so many frames, rounded up."""
    for total in (1, 7, 8, 9, 160):
        with torch.no_grad():
            maps = drawn(make)(noise(1, BINS, total), torch.tensor([total]))
        for name, step_frames in make.frames_per_step.items():
            assert maps[name].features.shape[-1] == -(-total // step_frames)
            assert REACH % step_frames == 0
