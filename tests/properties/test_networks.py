"""A network's posterior depends only on the utterance, not on its batch, its padding or the order of capsules."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.networks.capsules import route, squash
from tests.made_up.waveforms import batch_of, speech_like


def test_any_batch_gives_the_same_posterior(system):
    """Alone or in a batch, in any order, with any padding, even with noise in it: equal to 1e-5."""
    generator = torch.Generator().manual_seed(2)
    lengths = [1600, 640, 4000, 5857, 8160, 8320, 13_001]  # 0.04 s to 0.8 s; odd and even frame counts
    waveforms = [speech_like(length, generator) for length in lengths]
    with torch.no_grad():
        alone = torch.cat([system.posterior(w[None], torch.tensor([len(w)])) for w in waveforms])
        assert (alone.sum(-1) - 1).abs().max() < 1e-5
        assert (alone[0] - alone[-1]).abs().max() > 1e-4, "outputs must differ, or the test is void"
        for seed, extra in enumerate([0, 159, 4801]):
            order = torch.randperm(len(waveforms), generator=torch.Generator().manual_seed(seed))
            batch, real = batch_of([waveforms[i] for i in order], extra)
            beyond = torch.arange(batch.shape[1]) >= real[:, None]
            batch[beyond] = torch.randn(int(beyond.sum()), generator=generator)  # must have no effect
            together = system.posterior(batch, real)
            assert (together - alone[order]).abs().max() < 1e-5


def test_what_is_not_finite_beyond_the_end_is_not_heard(system):
    waveform = torch.randn(2, 16_000)
    padded = waveform.clone()
    padded[0, 5000:] = float("nan")
    lengths = torch.tensor([5000, 16_000])
    with torch.no_grad():
        torch.testing.assert_close(system.posterior(padded, lengths), system.posterior(waveform, lengths))


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8))
@settings(deadline=None, max_examples=200)
def test_squash_keeps_direction_and_bounds_length(values):
    s = torch.tensor(values, dtype=torch.float64)
    v, length = squash(s), s.norm()
    assert v.norm() < 1
    if length > 1e-6:
        torch.testing.assert_close(v.norm(), length**2 / (1 + length**2))
        torch.testing.assert_close(v / v.norm(), s / length)


def test_routing_of_a_batch_is_routing_of_each():
    prediction = torch.randn(2, 3, 6, 4, 5, dtype=torch.float64)
    output, coupling = route(prediction, 3)
    for b in range(2):
        for w in range(3):
            alone = route(prediction[b, w], 3)
            torch.testing.assert_close((output[b, w], coupling[b, w]), alone)


def test_couplings_of_a_real_lower_capsule_sum_to_one_and_others_are_zero():
    mask = torch.rand(3, 9) < 0.7
    _, coupling = route(torch.randn(3, 9, 4, 16), 3, mask)
    torch.testing.assert_close(coupling.sum(-1), mask.float())


def test_masked_capsules_do_not_matter():
    prediction, mask = torch.randn(5, 4, 6), torch.tensor([True, True, False, True, False])
    torch.testing.assert_close(route(prediction, 3, mask)[0], route(prediction[mask], 3)[0])


def test_order_of_lower_capsules_does_not_matter():
    prediction, order = torch.randn(11, 4, 6, dtype=torch.float64), torch.randperm(11)
    output, coupling = route(prediction, 3)
    shuffled_output, shuffled_coupling = route(prediction[order], 3)
    torch.testing.assert_close(output, shuffled_output)
    torch.testing.assert_close(coupling[order], shuffled_coupling)
