"""Properties of all systems, such as an output that depends only on the utterance."""

import re
from inspect import isabstract
from types import SimpleNamespace

import pytest
import torch

from ser.data.datamodule import EmotionData
from ser.data.segments import Batch
from ser.errors import InputError
from ser.systems import SYSTEMS
from ser.systems.system import System
from tests.made_up.systems import SMALL, build
from tests.made_up.waveforms import speech_like


def test_every_system_is_here():
    assert set(SMALL) == set(SYSTEMS)


@pytest.mark.parametrize("seconds", [0.1, 60])
@pytest.mark.parametrize("name", ["CNNGRUSeqCap", "CNNLSTM"])  # with both kinds of convolutions
def test_a_tenth_of_a_second_and_a_minute_are_recognised(name, seconds):
    samples = round(16_000 * seconds)
    waveform = speech_like(samples, torch.Generator().manual_seed(3))[None]
    posterior = build(name).posterior(waveform, torch.tensor([samples]))
    assert posterior.shape == (1, 4)
    assert torch.isfinite(posterior).all()


def test_statistics_given_with_the_batch_replace_the_systems_own(system):
    waveform = speech_like(16_000, torch.Generator().manual_seed(4))[None]
    lengths, own = torch.tensor([16_000]), system.standardisation.statistics.clone()
    with torch.no_grad():
        expected = system.posterior(waveform, lengths)
        system.standardisation.statistics.zero_()
        torch.testing.assert_close(system.posterior(waveform, lengths, own[None]), expected)


def test_posterior_has_no_dropout_and_leaves_the_mode_alone(system):
    waveform, lengths = torch.randn(1, 16_000), torch.tensor([16_000])
    system.train()
    with torch.no_grad():
        assert torch.equal(system.posterior(waveform, lengths), system.posterior(waveform, lengths))
    assert system.training
    assert all(module.training for module in system.modules())


def test_every_validation_is_scored_by_itself(monkeypatch):
    """Two epochs of three sets: logged values depend on neither the previous epoch nor the other sets."""
    system, logged, neutral = build("CNNGRU"), {}, torch.tensor([2.0, 0, 0, 0])
    data = EmotionData(None)
    data.others = [SimpleNamespace(fold=6), SimpleNamespace(fold=9)]
    system._trainer = SimpleNamespace(state=SimpleNamespace(fn="validate"), datamodule=data)
    system.setup("validate")
    monkeypatch.setattr(system, "logits", lambda waveform, *given: {"gru": neutral.expand(len(waveform), -1)})
    monkeypatch.setattr(system, "log", lambda name, value, **options: logged.update({name: value.item()}))
    of_emotion = -neutral.log_softmax(-1)
    for sets in (([0, 0, 0, 0], [1, 2], [0, 1, 2]), ([0, 1], [0, 0, 0, 1], [3])):
        for place, emotion in enumerate(sets):
            batch = SimpleNamespace(waveform=emotion, lengths=None, statistics=None, emotion=torch.tensor(emotion))
            system.validation_step(batch, 0, place)
        system.on_validation_epoch_end()
        for name, emotion in zip(("val", "val_fold6", "val_fold9"), sets, strict=True):
            assert logged[f"{name}/wa"] == pytest.approx(emotion.count(0) / len(emotion))
            assert logged[f"{name}/loss"] == pytest.approx(of_emotion[emotion].mean().item())


@pytest.mark.parametrize("length", [639, 16_001])
def test_lengths_that_no_waveform_has_are_refused(length):
    with pytest.raises(InputError, match="lengths must be between"):
        build("CNNGRU").posterior(torch.zeros(1, 16_000), torch.tensor([length]))


def test_every_parameter_gets_a_gradient(system):
    waveform, lengths = torch.randn(2, 8160) * 0.1, torch.tensor([8160, 5000])
    sum(logits.logsumexp(-1).sum() for logits in system.logits(waveform, lengths).values()).backward()
    for name, parameter in system.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_lambda_weighs_the_branches():
    waveform, lengths = torch.randn(2, 16_000), torch.tensor([16_000, 9000])
    for lambda_ in (0.0, 0.6, 1.0):
        system = build("CNNGRUSeqCap", lambda_=lambda_)
        branches = system.branch_posteriors(waveform, lengths)
        expected = lambda_ * branches["capsule"] + (1 - lambda_) * branches["gru"]
        assert (branches["capsule"] - branches["gru"]).abs().max() > 1e-3
        torch.testing.assert_close(system.posterior(waveform, lengths), expected)
    assert list(branches) == ["capsule", "gru"]


def test_lambda_touches_no_gradient():
    gradients = []
    for lambda_ in (0.0, 1.0):
        system = build("CNNGRUSeqCap", lambda_=lambda_, dropout=0.0)
        waveform, lengths, emotion = torch.randn(2, 16_000), torch.tensor([16_000, 9000]), torch.tensor([0, 3])
        batch = Batch(waveform, lengths, emotion, torch.arange(2), torch.tensor(0.5), None)
        system.training_step(batch, 0).backward()
        gradients.append([parameter.grad for parameter in system.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.equal(one, other)
        assert one.abs().max() > 0


def test_the_loss_is_the_sum_of_the_branches_mean_cross_entropies():
    system = build("CNNGRUSeqCap", dropout=0.0)
    waveform, lengths = torch.randn(3, 16_000), torch.tensor([16_000, 9000, 640])
    batch = Batch(
        waveform,
        lengths,
        torch.tensor([0, 3, -100]),
        torch.tensor([0, 1, -1]),
        torch.tensor(0.5),
        None,
    )
    logits = system.logits(waveform[:2], lengths[:2])
    expected = sum(torch.nn.functional.cross_entropy(each, torch.tensor([0, 3])) for each in logits.values())
    torch.testing.assert_close(system.training_step(batch, 0), expected)


@pytest.mark.parametrize(("shape", "lengths"), [((16_000,), [16_000]), ((3, 16_000), [16_000]), ((0, 16_000), [])])
def test_shapes_that_do_not_fit_are_refused(shape, lengths):
    with pytest.raises(InputError, match="waveform must be"):
        build("CNNGRU").posterior(torch.zeros(shape), torch.tensor(lengths, dtype=torch.int64))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"waveform": [0.0] * 16_000}, "waveform must be a torch.Tensor, not list"),
        ({"lengths": 16_000}, "lengths must be a torch.Tensor, not int"),
        ({"waveform": torch.zeros(1, 16_000, dtype=torch.int16)}, "waveform must hold floating-point numbers"),
        ({"lengths": torch.tensor([16_000.0])}, "lengths must be integers"),
        ({"lengths": torch.tensor([True])}, "lengths must be integers"),
        ({"lengths": torch.tensor([[16_000]])}, "waveform must be (batch, samples)"),
        ({"waveform": torch.zeros(1, 1, 16_000)}, "waveform must be (batch, samples)"),
        ({"statistics": torch.ones(2, 512)}, "statistics must be (batch, 2, bins), (1, 2, 512)"),
        ({"statistics": torch.ones(1, 2, 511)}, "statistics must be (batch, 2, bins), (1, 2, 512)"),
    ],
)
def test_what_a_posterior_cannot_be_computed_of_is_refused(changed, message):
    given = {"waveform": torch.zeros(1, 16_000), "lengths": torch.tensor([16_000])}
    with pytest.raises(InputError, match=re.escape(message)):
        build("CNNGRU").posterior(**given | changed)


def test_a_posterior_has_no_gradient_and_logits_have(system):
    waveform, lengths = torch.randn(1, 16_000), torch.tensor([16_000], dtype=torch.int32)
    posterior = system.posterior(waveform, lengths)
    assert posterior.grad_fn is None
    assert not posterior.is_inference(), "can be used in another training"
    assert not any(each.requires_grad for each in system.branch_posteriors(waveform, lengths).values())
    logits = system.logits(waveform, lengths)
    assert all(each.requires_grad for each in logits.values())
    expected = system.combine({name: each.softmax(-1) for name, each in logits.items()})
    torch.testing.assert_close(posterior, expected.detach())


def test_system_is_abstract_and_the_five_are_final():
    with pytest.raises(TypeError, match="abstract"):
        System()
    for system in SYSTEMS.values():
        above = system.__mro__[1 : system.__mro__.index(System) + 1]
        assert all(isabstract(each) for each in above)
        assert set(vars(system)) & set(vars(System)) <= {
            "__init__",
            "__module__",
            "__doc__",
            "__abstractmethods__",
            "_abc_impl",
        }
