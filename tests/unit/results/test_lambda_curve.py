"""The lambda curve against the plain formula, and the choice of lambda on validation rows only."""

import numpy as np
import pandas as pd
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.report.sections.lambdas import draw
from ser.results.lambda_curve import LAMBDAS, LIMITS, apply, choose, curve
from ser.results.predictions import posterior_columns, scores
from ser.results.statistics import bootstrap_speakers
from tests.made_up.two_branches import one_branch_wrong_each, sample, table

# --- the curve


def test_every_point_is_the_score_of_the_plain_formula():
    rows = sample(1)
    found = curve(rows, draws=0).set_index("lambda_")
    assert len(found) == 101
    assert (found.index[0], found.index[-1]) == (0, 1)
    for each in LAMBDAS:
        plain = scores(
            table(
                [PAPER_EMOTIONS.index(name) for name in rows.emotion],
                rows[posterior_columns(PAPER_EMOTIONS, "capsule")],
                rows[posterior_columns(PAPER_EMOTIONS, "gru")],
                rows.speaker,
                lambda_=each,
            )
        )
        assert found.wa[each] == pytest.approx(plain["wa"])
        assert found.ua[each] == pytest.approx(plain["ua"])


def test_the_ends_are_the_branches():
    rows = sample(2)
    ends = curve(rows, draws=0).iloc[[0, -1]]
    actual = [PAPER_EMOTIONS.index(name) for name in rows.emotion]
    for branch, wa in zip(("gru", "capsule"), ends.wa, strict=True):
        assert (rows[posterior_columns(PAPER_EMOTIONS, branch)].to_numpy().argmax(1) == actual).mean() == pytest.approx(
            wa
        )


def test_its_interval_is_that_of_the_statistics():
    rows = sample(3)
    found = curve(rows, draws=500, seed=7).set_index("lambda_")
    for each in (0.0, 0.35, 0.6, 1.0):
        expected = bootstrap_speakers(apply(rows, each), draws=500, seed=7)
        assert tuple(found.loc[each, ["wa_low", "wa_high"]]) == pytest.approx(expected["wa"])
        assert tuple(found.loc[each, ["ua_low", "ua_high"]]) == pytest.approx(expected["ua"])


def test_one_speaker_has_a_curve_but_no_interval():
    found = curve(sample(4).assign(speaker="x"), draws=100)
    assert found.wa.notna().all()
    assert found.wa_low.isna().all()


# --- the choice


def by_hand(rows, metric):
    """Lambda by the rule of the docstring, computed literally."""
    points = []
    for each in LAMBDAS:
        found = scores(apply(rows, each))
        rank = (-round(found[metric], 12), -round(found["ua" if metric == "wa" else "wa"], 12))
        points.append((*rank, round(abs(each - 0.6), 12), each))
    return min(points)[-1]


@pytest.mark.parametrize("metric", ["wa", "ua"])
@pytest.mark.parametrize("seed", range(2))
def test_the_choice_follows_the_rule(seed, metric):
    rows = sample(seed, utterances=60)
    chosen = choose(rows, metric)
    assert chosen.fold.tolist() == [1, 2]
    for fold, found in zip(chosen.fold, chosen.itertuples(), strict=True):
        part = rows[rows.fold == fold]
        assert found.lambda_ == by_hand(part, metric)
        assert found.wa == pytest.approx(scores(apply(part, found.lambda_))["wa"])
        assert found.ua == pytest.approx(scores(apply(part, found.lambda_))["ua"])


def test_equals_are_decided_by_the_papers_value():
    alike = sample(1)
    alike[posterior_columns(PAPER_EMOTIONS, "gru")] = alike[posterior_columns(PAPER_EMOTIONS, "capsule")].to_numpy()
    assert choose(alike).lambda_.tolist() == [0.6, 0.6]
    # One branch is wrong on the third utterance, the other on the fourth; both are certain, so the larger weight wins.
    # Every lambda gets three of four right.
    rows = one_branch_wrong_each()
    assert set(curve(rows, draws=0).wa) == {0.75}
    assert choose(rows).lambda_.item() == 0.6


@pytest.mark.parametrize("metric", ["wa", "ua"])
def test_of_two_that_are_equally_near_it_is_the_smaller(metric):
    """One utterance is recognised up to 0.5, the other from 0.7, and neither in between."""

    def sure(margin):
        return [(1 + margin) / 2, (1 - margin) / 2, 0, 0]

    rows = table([0, 0], [sure(-0.495), sure(0.305)], [sure(0.505), sure(-0.695)], speakers=[1, 2])
    found = curve(rows, draws=0).set_index("lambda_").wa
    assert found[[0.5, 0.51, 0.69, 0.7]].tolist() == [0.5, 0, 0, 0.5]
    assert choose(rows, metric).lambda_.item() == 0.5


def test_each_seed_and_fold_has_its_own():
    rows = sample(5)
    several = pd.concat([rows, sample(6).assign(seed=2)])
    found = choose(several)
    assert list(zip(found.seed, found.fold, strict=True)) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    pd.testing.assert_frame_equal(found[found.seed == 1], choose(rows))


# --- its application


def test_applying_the_lambda_that_was_used_changes_nothing():
    rows = sample(9)
    again = apply(rows, 0.6)
    pd.testing.assert_frame_equal(again, rows)
    assert apply(rows, 1.0)[posterior_columns(PAPER_EMOTIONS)].to_numpy() == pytest.approx(
        rows[posterior_columns(PAPER_EMOTIONS, "capsule")].to_numpy()
    )


def test_every_fold_gets_its_own_lambda_whatever_the_order_of_rows():
    rows = sample(10).sample(frac=1, random_state=0)
    lambdas = pd.DataFrame({"seed": [1, 1], "fold": [2, 1], "lambda_": [1.0, 0.0]})
    found = apply(rows, lambdas)
    for fold, branch in ((1, "gru"), (2, "capsule")):
        part = found[found.fold == fold]
        assert (
            part[posterior_columns(PAPER_EMOTIONS)].to_numpy()
            == part[posterior_columns(PAPER_EMOTIONS, branch)].to_numpy()
        ).all()
    assert found.index.equals(rows.index)


def test_bad_lambdas_and_single_branches_are_refused():
    rows = sample(11)
    with pytest.raises(InputError, match=r"lambda is 1\.5, but must be at most 1"):
        apply(rows, 1.5)
    with pytest.raises(InputError, match="no lambda for seed 1, fold 2"):
        apply(rows, pd.DataFrame({"seed": [1], "fold": [1], "lambda_": [0.5]}))
    single = rows.drop(columns=posterior_columns(PAPER_EMOTIONS, "gru"))
    for use in (curve, choose, lambda predictions: apply(predictions, 0.5)):
        with pytest.raises(InputError, match="two branches, capsule and gru, but there is no column gru_p_neutral"):
            use(single)


# --- the figure


def test_the_picture_shows_each_set_under_its_name(monkeypatch):
    points = [[0, 10, 30, 5, 15, 25, 35], [1, 20, 40, 15, 25, 35, 45]]
    test = pd.DataFrame(np.array(points) / [1, *[100] * 6], columns=["lambda_", "wa", "ua", *LIMITS])
    validation = test.assign(wa=[0.5, 0.6], ua=[0.7, 0.8])
    for name in LIMITS:
        validation[name] = 0.0
    shown = []
    monkeypatch.setattr("ser.report.page.drawing.Drawing.png", lambda sheet, *_: shown.append(sheet.figure))
    curves = pd.concat([validation.assign(set="val"), test.assign(set="test")])
    draw(curves, pd.DataFrame({"lambda_": [0.25, 0.75]}))
    expected = ([10, 20], [50, 60], (5, 25)), ([30, 40], [70, 80], (25, 45))
    for axes, (of_test, of_validation, band), score in zip(shown[0].axes, expected, ("WA", "UA"), strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        assert lines["test"].get_ydata() == pytest.approx(of_test)
        assert lines["validation"].get_ydata() == pytest.approx(of_validation)
        assert lines["chosen, per fold"].get_xdata() == pytest.approx([0.25, 0.75])
        assert set(lines["0.6, the paper's"].get_xdata()) == {0.6}
        heights = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx(band)
        assert axes.get_ylabel() == f"{score} (%)"
