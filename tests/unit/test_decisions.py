"""Decisions behind a result, with given values: statistics, epoch, lambda, p-values."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import recall_score

from ser.data.datamodule import EmotionData
from ser.data.segments import BatchIndices, Pieces
from ser.emotions import PAPER_EMOTIONS
from ser.networks.spectrogram import NUM_BINS
from ser.report.sections.comparisons import Pair
from ser.results.lambda_curve import choose
from ser.results.matrices import compare_matrices
from ser.results.pooled import summarise
from ser.results.predictions import posterior_columns, scores
from ser.results.statistics import Comparison, compare
from ser.systems import CNNGRU
from ser.systems.spectrogram_statistics import measure
from ser.training.callbacks.checkpointing import checkpoints
from ser.training.evaluation import mean_predictions
from tests.made_up.hits import predictions
from tests.made_up.two_branches import table

AUDIO = [
    torch.full((20,), value) for value in (1.0, 3.0, 10.0, 30.0)
]  # two training utterances, one of val and one of test


def data(statistics):
    """A fold of constant utterances, whose mean shows which of them were used."""
    made = EmotionData.__new__(EmotionData)
    made.statistics, made.others, made.pieces = statistics, [], {"test": SimpleNamespace(statistics=None)}
    made.utterances = pd.DataFrame({"set": ["train", "train", "val", "test"], "speaker": ["a", "b", "c", "d"]})
    made.waveforms = SimpleNamespace(read=lambda row: AUDIO[row].numpy())
    return made


@pytest.mark.parametrize(("statistics", "mean"), [("train", 2.0), ("corpus", 11.0), ("speaker", 2.0)])
def test_whose_audio_standardises(statistics, mean):
    fold = data(statistics)
    found = measure(fold, lambda waveform: waveform[:, None].expand(1, NUM_BINS, -1))
    torch.testing.assert_close(found[0], torch.full((NUM_BINS,), mean))
    own = fold.pieces["test"].statistics
    if statistics == "speaker":
        assert own[:, 0, 0].tolist() == [1, 3, 10, 30], "each speaker with its own audio"
    else:
        assert own is None


def test_every_row_of_a_batch_has_the_statistics_of_its_own_speaker():
    waveforms = SimpleNamespace(read=lambda row, start, stop: np.zeros(stop - start, np.float32))
    rows, starts, lengths = np.array([2, 0, 3]), np.zeros(3, int), np.full(3, 800)
    pieces = Pieces(waveforms, rows, starts, lengths, emotions=np.zeros(4, int))
    pieces.statistics = torch.arange(4.0)[:, None, None].expand(4, 2, NUM_BINS)
    assert pieces[BatchIndices([2, 0, 1], 1.0)].statistics[:, 0, 0].tolist() == [3, 2, 0]


def test_validation_wa_chooses_the_epoch(tmp_path):
    best = checkpoints(tmp_path)[0]
    assert (best.monitor, best.mode, best.save_top_k) == ("val/wa", "max", 1)


def test_averaging_takes_the_mean_of_all_epochs():
    """Two epochs certain of different emotions: the more certain one decides."""
    names, tables = posterior_columns(PAPER_EMOTIONS), []
    for posterior in ([0.6, 0.4, 0, 0], [0, 0.9, 0.1, 0]):
        row = predictions([True]).assign(predicted=PAPER_EMOTIONS[int(np.argmax(posterior))])
        tables.append(row.assign(**dict(zip(names, posterior, strict=True))))
    mean = mean_predictions(tables)
    assert mean[names].to_numpy()[0] == pytest.approx([0.3, 0.65, 0.05, 0])
    assert mean.predicted.tolist() == [PAPER_EMOTIONS[1]]


def test_recall_is_not_precision():
    rows = predictions([True, True, False, True, False, False], [0, 0, 0, 1, 1, 1])
    found = scores(rows)["recall"]
    expected = recall_score(rows.emotion, rows.predicted, labels=PAPER_EMOTIONS, average=None, zero_division=np.nan)
    assert [found[name] for name in PAPER_EMOTIONS[:2]] == pytest.approx(expected[:2].tolist())


def test_lambda_is_the_best_by_the_metric_that_was_asked_for():
    """The capsules get three of four neutral utterances right and no others, the GRU one of four and the angry one."""
    neutral, angry = np.eye(4)[0], np.eye(4)[1]
    capsule = [neutral, neutral, neutral, angry, neutral]
    gru = [neutral, angry, angry, angry, angry]
    rows = table([0, 0, 0, 0, 1], capsule, gru, speakers=[1, 2, 1, 2, 1])
    by_wa, by_ua = (choose(rows, metric).iloc[0] for metric in ("wa", "ua"))
    assert (by_wa.wa, by_wa.ua) == pytest.approx((0.6, 0.375))
    assert (by_ua.wa, by_ua.ua) == pytest.approx((0.4, 0.625))
    assert by_wa.lambda_ > 0.5 > by_ua.lambda_


def test_a_published_interval_of_a_difference():
    """Newcombe (1998), Interval estimation for the difference between independent proportions, Table II, method 10."""

    def matrix(hits, total):
        counts = np.zeros((4, 4), int)
        counts[0, :2] = hits, total - hits
        return counts

    found = compare_matrices(matrix(48, 80), matrix(56, 70))
    assert found.wa_difference == pytest.approx(0.2)
    assert found.wa_interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.ua_interval == pytest.approx((0.0524, 0.3339), abs=5e-5), "one emotion: UA is WA"


def test_among_equal_lambdas_it_is_the_papers():
    """Two branches with equal predictions: all lambdas are equally good."""
    same = np.eye(4)[[0, 1, 2, 2]]
    assert choose(table([0, 1, 2, 3], same, same, speakers=[1, 2, 1, 2])).lambda_.tolist() == [0.6]


def test_a_pooled_result_has_scores_of_its_own_for_validation_and_every_run():
    """Two folds of two seeds are four runs; test and validation have no utterance in common."""
    hits = {(1, 1): [1, 1, 1, 1], (1, 2): [0, 1, 1, 1], (2, 1): [0, 0, 1, 1], (2, 2): [0, 0, 0, 1]}
    runs = [
        predictions(each, range(4), seed=seed, names=[f"{fold}-{i}" for i in range(4)]).assign(fold=fold)
        for (seed, fold), each in hits.items()
    ]
    found = summarise(pd.concat(runs), predictions([1, 0, 0, 0], range(4)).assign(fold=1))
    assert found["wa"] == pytest.approx(10 / 16)
    assert found["validation"]["wa"] == pytest.approx(1 / 4)
    assert found["over_folds"]["wa"] == pytest.approx(
        {"mean": 0.625, "sd": np.std([1, 0.75, 0.5, 0.25], ddof=1), "runs": 4}
    )
    assert found["over_seeds"]["wa"]["values"] == pytest.approx([7 / 8, 3 / 8])


def test_adam_is_that_of_its_paper():
    """Kingma and Ba (2015), algorithm 1, with the rate of Wu et al. (2019), section 4.1."""
    settings = CNNGRU().configure_optimizers().defaults
    assert [settings[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")] == [
        *(0.001, (0.9, 0.999), 1e-8, 0, False)
    ]


def test_the_validation_loss_is_the_mean_over_utterances_and_not_over_batches(monkeypatch):
    system, logits = CNNGRU(), torch.tensor([[2.0, 0, 0, 0], [0, 3, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    emotion = torch.tensor([1, 1, 0, 3])
    for rows in ([0], [1, 2, 3]):
        monkeypatch.setattr(system, "logits", lambda *given, rows=rows: {"gru": logits[rows]})
        system.validation_step(SimpleNamespace(waveform=None, lengths=None, statistics=None, emotion=emotion[rows]), 0)
    every = -logits.log_softmax(-1)[torch.arange(4), emotion]
    torch.testing.assert_close(system.evaluation_losses[0].compute(), every.mean())


@pytest.mark.parametrize("several", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_mcnemar_is_left_out_where_either_has_several_seeds(several):
    first, second = (
        pd.concat([predictions([hit, True, False, True], seed=seed) for seed in range(number)])
        for number, hit in zip(several, (True, False), strict=True)
    )
    assert ("McNemar" in compare(first, second, draws=100).p_values) == (several == (1, 1))


@pytest.mark.parametrize(
    ("interval", "p", "adjusted", "found"),
    [
        ((0.01, 0.2), 0.01, 0.04, True),
        ((-0.2, -0.01), 0.01, 0.04, True),
        ((0.01, 0.2), 0.01, 0.051, False),  # the corrected p decides
        ((0.01, 0.2), 0.04, 0.08, False),
        ((-0.01, 0.2), 0.001, 0.002, False),  # the interval includes 0
        ((0.01, 0.2), 0.2, 0.4, False),  # p is too large
    ],
)
def test_interval_and_corrected_p_decide_together(interval, p, adjusted, found):
    name = "sign-flip over speakers (WA)"
    comparison = Comparison(True, 0.1, 0.1, interval, interval, {name: p}, "")
    assert Pair("a", "b", comparison, adjusted={name: adjusted}).distinguishable("WA") == found
