"""With 2 to 20 emotions: networks, scores, intervals and lambda curves against literal implementations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, recall_score
from torch import nn

from benchmarks import plain
from ser.networks.branches import CapsuleBranch, RecurrentBranch
from ser.networks.capsule_layers import RecCaps, SeqCaps
from ser.results.lambda_curve import LAMBDAS, curve
from ser.results.predictions import posterior_columns, predictions_table, scores
from ser.results.statistics import bootstrap_speakers, compare
from ser.systems.metrics import EmotionScores
from tests.made_up.hits import predictions
from tests.made_up.systems import SMALL, build
from tests.made_up.two_branches import sample as two_branches
from tests.unit.networks.test_plain import SIZES, TAPS, map_of, same_weights

numbers = st.integers(2, 20)


def emotions_of(number):
    """This many names, not in alphabetical order, some with a space or a hyphen."""
    return [f"{'zyx'[place % 3]}{'- '[place % 2]}{place}" for place in range(number)]


@st.composite
def answers(draw, most=60):
    """Names of emotions, and actual and predicted emotion of some utterances, as places."""
    number = draw(numbers)
    each = st.integers(0, number - 1)
    pairs = draw(st.lists(st.tuples(each, each), min_size=1, max_size=most))
    return emotions_of(number), *np.array(pairs).T


def table_of(names, actual, predicted):
    """The predictions table of posteriors whose largest value is that of the predicted emotion."""
    posterior = np.full((len(actual), len(names)), 0.01)
    posterior[np.arange(len(actual)), predicted] = 1
    about = predictions([True] * len(actual), actual, np.arange(len(actual)) % 4, emotions=names)
    return predictions_table(about.assign(session="1"), 1, names, {"": posterior / posterior.sum(1, keepdims=True)})


@given(answers(), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_scores_are_those_of_scikit_learn(given, updates):
    names, actual, predicted = given
    words = [[names[place] for place in places] for places in (actual, predicted)]
    found = scores(table_of(names, actual, predicted))
    assert found["wa"] == pytest.approx(accuracy_score(*words))
    assert list(found["recall"]) == names
    present = [name for name in names if name in words[0]]
    recalls = recall_score(*words, labels=present, average=None, zero_division=0)
    assert [found["recall"][name] for name in present] == pytest.approx(recalls.tolist())
    assert {name for name, share in found["recall"].items() if share is None} == set(names) - set(present)
    assert found["ua"] == pytest.approx(recalls.mean())
    assert found["ua_classes"] == len(present)
    assert found["confusion"] == confusion_matrix(*words, labels=names).tolist()

    metric = EmotionScores(names)
    for part in np.array_split(np.arange(len(actual)), updates):
        if len(part):
            metric.update(torch.eye(len(names))[predicted[part]], torch.from_numpy(actual[part]))
    logged = {name: value.item() for name, value in metric.compute().items()}
    assert logged == {
        "wa": pytest.approx(found["wa"]),
        "ua": pytest.approx(found["ua"]),
        **{f"recall/{name}": pytest.approx(found["recall"][name]) for name in present},
    }


@given(numbers, st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_intervals_and_differences_are_those_of_literal_draws(number, seed):
    """Each of the four speakers has every emotion, so that no draw is repeated."""
    names, generator = emotions_of(number), np.random.default_rng(seed)
    actual, speakers = np.tile(np.repeat(np.arange(number), 2), 4), np.repeat(np.arange(4), 2 * number)
    hits = generator.random((2, len(actual))) < 0.6
    first, second = (predictions(each, actual, speakers, emotions=names) for each in hits)
    draws = np.random.default_rng(seed).multinomial(4, [0.25] * 4, size=40)
    uas = []
    for table in (first, second):
        uas.append([])
        rows = list(zip(table.speaker.astype(int), table.emotion, table.predicted, strict=True))
        for times in draws.tolist():
            right, everyone = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
            for speaker, emotion, answer in rows:
                right[emotion] += times[speaker] * (answer == emotion)
                everyone[emotion] += times[speaker]
            uas[-1].append(sum(right[name] / everyone[name] for name in names) / number)
    found = bootstrap_speakers(first, draws=40, seed=seed)
    assert found["redrawn"] == 0
    assert found["ua"] == pytest.approx(np.quantile(uas[0], [0.025, 0.975]).tolist())
    compared = compare(first, second, draws=40, seed=seed)
    assert compared.ua_interval == pytest.approx(np.quantile(np.subtract(*uas[::-1]), [0.025, 0.975]).tolist())
    words = [(table.emotion, table.predicted) for table in (second, first)]
    assert compared.ua_difference == pytest.approx(np.subtract(*[balanced_accuracy_score(*each) for each in words]))


@given(numbers, st.integers(0, 1000))
@settings(deadline=None, max_examples=10)
def test_the_lambda_curve_is_that_of_a_literal_loop(number, seed):
    names = emotions_of(number)
    rows = two_branches(seed, utterances=40, emotions=names)
    found = curve(rows, draws=0).set_index("lambda_")
    for lambda_ in LAMBDAS[::10]:
        answered = []
        for _, row in rows.iterrows():
            mean = [lambda_ * row[f"capsule_p_{name}"] + (1 - lambda_) * row[f"gru_p_{name}"] for name in names]
            answered.append(names[mean.index(max(mean))])
        assert found.wa[lambda_] == pytest.approx(accuracy_score(rows.emotion, answered))
        present = sorted(set(rows.emotion))
        recalls = recall_score(rows.emotion, answered, labels=present, average=None, zero_division=0)
        assert found.ua[lambda_] == pytest.approx(recalls.mean())


@given(numbers, st.lists(st.integers(1, 14), min_size=1, max_size=3), st.integers(1, 3))
@settings(deadline=None, max_examples=10)
def test_capsule_branches_are_those_of_the_equations(number, lengths, iterations):
    sizes = SIZES | {"routing_iterations": iterations}
    maps = map_of("pool3", lengths)
    for ours, printed in ((SeqCaps, plain.PrintedSeqCaps), (RecCaps, plain.PrintedRecCaps)):
        both = CapsuleBranch(ours, TAPS, number, **sizes), plain.PrintedCapsuleBranch(printed, TAPS, number, **sizes)
        same_weights(*both)
        found, expected = (branch(maps) for branch in both)
        assert found.shape == (len(lengths), number)
        torch.testing.assert_close(found, expected)


@given(numbers, st.integers(1, 9))
@settings(deadline=None, max_examples=10)
def test_recurrent_branches_are_bidirectional_layers(number, length):
    sizes = {"units": 3, "dense_units": 8, "dropout": 0.5, "pool_bins": 3}
    maps = map_of("pool3", [length, length])
    for cell in (nn.GRU, nn.LSTM):
        both = RecurrentBranch(cell, TAPS, number, **sizes), plain.BidirectionalBranch(cell, TAPS, number, **sizes)
        same_weights(*both)
        found, expected = (branch(maps) for branch in both)
        assert found.shape == (2, number)
        torch.testing.assert_close(found, expected)


@given(numbers)
@settings(deadline=None, max_examples=8)
def test_layers_have_one_capsule_and_one_logit_per_emotion(number):
    """N of Eqs. (5) and (7): an emo-vector has N orientations and N lengths."""
    dims = {name: SMALL["CNNRecCap"][name] for name in ("window_capsule_dim", "emo_capsule_dim")}
    window, emo, utterance = *dims.values(), SMALL["CNNRecCap"]["utterance_capsule_dim"]
    for name in SMALL:
        system = build(name, emotions=emotions_of(number))
        heads = {each: tuple(branch.head[3].weight.shape) for each, branch in system.branches.items()}
        assert heads == dict.fromkeys(system.branches, (number, 16)), name
        if "capsule" not in system.branches:
            continue
        branch, lower = system.branches["capsule"], system.branches["capsule"].window_capsules.num_capsules
        assert branch.emo_caps.weight.shape == (lower, number, emo, window)
        assert branch.emo_caps.bias.shape == (lower, number, emo)
        assert branch.utterance_capsules.weight.shape == (number, utterance, number * (emo + 1))
        assert branch.head[0].weight.shape == (16, number * (utterance + 1))
        if name == "CNNRecCap":
            assert branch.emo_caps.recurrent_weight.shape == (lower, number, emo, number * (emo + 1))
    waveform = torch.rand(2, 8000) - 0.5
    posterior = system.posterior(waveform, torch.tensor([8000, 5000]))
    assert posterior.shape == (2, number)
    torch.testing.assert_close(posterior.sum(1), torch.ones(2))


def test_posterior_columns_are_in_the_order_of_the_emotions():
    names = ["sad", "angry", "calm"]
    table = table_of(names, np.array([0, 1, 2]), np.array([2, 1, 0]))
    assert [column for column in table if column.startswith("p_")] == posterior_columns(names)
    assert table.predicted.tolist() == ["calm", "angry", "sad"]
    assert table.p_calm.tolist() == pytest.approx([1 / 1.02, 0.01 / 1.02, 0.01 / 1.02])
