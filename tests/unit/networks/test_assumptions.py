"""The networks' choices in the table of docs/science/assumptions.md, as properties."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ser.networks.capsule_layers import RecCaps, SeqCaps, UtteranceCapsules, WindowCapsules
from ser.systems import CNNGRU
from ser.training.callbacks.checkpointing import checkpoints
from tests.conftest import CONF


@pytest.mark.parametrize(
    "question",
    [
        "initialisation of the GRU and of the dense layers",
        "what the window capsules u_i are",
        "weights from the windows to the utterance",
        "gradients of the routing",
        "the emo-vector before the first window, o_0",
        "several epochs with the best validation WA",
    ],
)
def test_the_page_names_the_assumption(question):
    assert f"| {question} |" in (CONF.parent / "docs/science/assumptions.md").read_text(encoding="utf-8")


def test_the_gru_starts_uniform_and_the_dense_layers_with_xavier():
    branch = CNNGRU().branches["gru"]
    for name, values in branch.forwards.named_parameters():
        assert values.abs().max() <= 64**-0.5, name
    assert branch.forwards.weight_hh_l0.std().item() == pytest.approx(64**-0.5 / 3**0.5, rel=0.05)
    for layer in (branch.head[0], branch.head[3]):
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        assert not layer.bias.any()


def test_window_capsules_are_squashed_outputs_of_their_convolutions():
    layer = WindowCapsules(2, bins=4, window_steps=4, num_convolutions=1, dim=3, kernel=4, stride=1)
    window = torch.randn(1, 2, 4, 4)
    total = nn.functional.conv2d(window, layer.convolutions.weight, layer.convolutions.bias).flatten()
    length = total.square().sum().sqrt()
    torch.testing.assert_close(layer(window).flatten(), length**2 / (1 + length**2) * total / length)


def test_all_windows_of_an_utterance_have_one_matrix():
    """The order of the windows does not matter."""
    layer, vectors = UtteranceCapsules(lower_dim=5, upper=4, dim=3, iterations=3), torch.randn(2, 6, 5)
    everywhere = torch.ones(2, 6, dtype=torch.bool)
    torch.testing.assert_close(layer(vectors.flip(1), everywhere)[0], layer(vectors, everywhere)[0])


def test_before_the_first_window_the_emo_vector_is_zero():
    """The first window of RecCaps equals that of SeqCaps with the same weights."""
    recurrent, alone = RecCaps(6, 3, upper=5, dim=4, iterations=2), SeqCaps(6, 3, upper=5, dim=4, iterations=2)
    alone.load_state_dict({name: value for name, value in recurrent.state_dict().items() if "recurrent" not in name})
    capsules = torch.randn(2, 3, 6, 3)
    torch.testing.assert_close(recurrent(capsules)[:, 0], alone(capsules)[:, 0])


def test_the_first_of_equal_epochs_is_kept(tmp_path):
    best = checkpoints(tmp_path)[0]
    trainer = SimpleNamespace(
        strategy=SimpleNamespace(reduce_boolean_decision=lambda decision, all=True: decision),
    )
    kept = []
    for epoch, score in enumerate([0.5, 0.7, 0.7, 0.6]):
        if best.check_monitor_top_k(trainer, torch.tensor(score)):
            best.best_k_models, best.kth_best_model_path = {str(epoch): torch.tensor(score)}, str(epoch)
            kept.append(epoch)
    assert kept == [0, 1]
