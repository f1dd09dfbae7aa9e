"""Figures of given numbers: points, whiskers and shades read from the axes."""

import numpy as np
import pytest

from ser.emotions import PAPER_EMOTIONS
from ser.report.sections.comparisons import Pair
from ser.report.sections.figures import (
    draw_differences,
    draw_learning,
    draw_matrices,
    draw_scores,
    draw_speakers,
)
from ser.results.statistics import Comparison
from tests.made_up.entries import drawn, entry, run
from tests.made_up.hits import predictions


def result(title="ours", **about):
    """Five utterances: neutral right and as angry; angry right; happy right and as sad."""
    table = predictions([1, 0, 1, 1, 0], [0, 0, 1, 2, 2], list("abaab")).assign(fold=1, session="1")
    return entry(table, title, intervals={"wa": (0.5, 0.9), "ua": (0.3, 0.7)}, **about)


def whiskers(axes):
    """Middle, low and high end of every error bar, from the top."""
    bars = [(bar[0].get_xdata()[0], bar[2][0].get_segments()[0]) for bar in axes.containers]
    return [(float(middle), *ends[:, 0].tolist()) for middle, ends in bars]


def test_whiskers_reach_from_the_low_to_the_high_end():
    figure = drawn(draw_scores, [result(system="none of the paper's")])
    wa, ua = figure.axes
    assert whiskers(wa) == [pytest.approx((60, 50, 90))]
    assert whiskers(ua) == [pytest.approx((200 / 3, 30, 70))]


def test_the_papers_points_stand_beside_ours():
    """Wilson's interval of 788 correct of 1128, Table 2."""
    figure = drawn(draw_scores, [result()])
    ours, papers = whiskers(figure.axes[0])
    assert ours[0] == pytest.approx(60)
    z, n, share = 1.959964, 1128, 788 / 1128
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    assert papers == pytest.approx((69.86, 100 * (middle - half), 100 * (middle + half)), abs=0.01)


def test_a_point_is_filled_by_the_verdict_on_its_own_score():
    """Distinguishable in WA only, then in UA only; the second pair is unpaired."""
    names, pairs = [f"sign-flip over speakers ({score})" for score in ("WA", "UA")], []
    for paired, (wa, ua) in ((True, (0.01, 0.5)), (False, (0.5, 0.01))):
        found = Comparison(paired, 0.1, -0.1, (0.05, 0.3), (-0.2, -0.01), dict(zip(names, (wa, ua), strict=True)), "")
        pairs.append(Pair("one", "other", found))
    figure = drawn(draw_differences, pairs)
    wa, ua = figure.axes
    looks = [[(bar[0].get_markerfacecolor(), bar[0].get_marker()) for bar in axes.containers] for axes in (wa, ua)]
    assert looks == [[("black", "o"), ("white", "s")], [("white", "o"), ("black", "s")]]
    assert whiskers(wa) == [pytest.approx((10, 5, 30))] * 2
    assert whiskers(ua) == [pytest.approx((-10, -20, -1))] * 2
    assert [text.get_text() for text in wa.get_yticklabels()] == ["other\nminus one"] * 2
    assert wa.get_ylim() == (1.5, -0.5), "the first pair is at the top"


def test_matrices_have_actual_rows_and_their_shares():
    figure = drawn(draw_matrices, [result()])
    axes = figure.axes[0]
    shares = np.zeros((4, 4))
    shares[0, :2], shares[1, 1], shares[2, 2:] = 0.5, 1, 0.5
    np.testing.assert_array_equal(axes.images[0].get_array(), shares)
    cells = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert cells[0, 1] == "1\n50 %"
    assert cells[1, 0] == "0\n0 %"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")
    assert [text.get_text() for text in axes.get_yticklabels()] == list(PAPER_EMOTIONS)


def test_each_speakers_point_stands_over_its_name():
    figure = drawn(draw_speakers, [result(), result("again")], "")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a\nsession 1", "b\nsession 1"]
    assert [line.get_ydata().tolist() for line in axes.get_lines()] == [[100, 0]] * 2


def test_learning_curves_are_each_folds_own_with_its_chosen_epoch():
    """Two folds of two seeds; the chosen epoch is neither the best nor the last."""
    runs = [
        run(fold, seed, epoch=2, losses=(3 + fold, 2, seed), was=(0.1 * fold, 0.1 * seed, 0.9))
        for seed in (1, 2)
        for fold in (3, 4)
    ]
    table = predictions([1, 1, 1, 1], seed=[1, 1, 2, 2]).assign(fold=[3, 4, 3, 4])
    figure = drawn(draw_learning, entry(table, runs=runs))
    above = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in above] == ["fold 3", "fold 4"]
    below = [axes for axes in figure.axes if not axes.get_title()]
    for fold, losses, scores in zip((3, 4), above, below, strict=True):
        assert [line.get_ydata().tolist() for line in losses.get_lines()] == [[3 + fold, 2, 1], [3 + fold, 2, 2]]
        curves = [line.get_ydata() for line in scores.get_lines()]
        for seed in (1, 2):
            assert curves[2 * seed - 2] == pytest.approx([10 * fold, 10 * seed, 90])
            chosen = scores.get_lines()[2 * seed - 1]
            assert (*chosen.get_xdata(), *chosen.get_ydata()) == pytest.approx((2, 10 * seed))
    for axes in (*above, *below):
        looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in axes.get_lines()}
        assert len(looks) == len(axes.get_lines()), "seeds and chosen epochs are told apart"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["seed 1", "seed 2", "chosen epoch"]
