"""The common style of figures: told apart without colour, and readable on white paper."""

from itertools import pairwise

import numpy as np
from matplotlib.colors import to_rgb

from ser.report.page.drawing import COLOURS, GREY, styles


def luminance(colour):
    """Relative luminance of WCAG 2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def lightness(colour):
    """CIE L* of a colour on a white of luminance 1."""
    share = luminance(colour)
    return 116 * share ** (1 / 3) - 16 if share > 216 / 24389 else share * 24389 / 27


def test_colours_differ_in_lightness_by_a_tenth_of_the_scale():
    assert all(lighter - darker >= 10 for darker, lighter in pairwise(sorted(map(lightness, COLOURS))))


def test_every_colour_has_the_contrast_of_graphics_on_white_paper():
    """WCAG 2, 1.4.11: 3 to 1."""
    assert min(1.05 / (luminance(colour) + 0.05) for colour in (*COLOURS, GREY)) >= 3


def test_thirty_series_are_different_and_five_differ_in_everything():
    looks = [(each["color"], each["marker"], str(each["linestyle"])) for each in styles(30)]
    assert len(set(looks)) == 30
    assert all(len(set(values)) == 5 for values in zip(*looks[:5], strict=True))
