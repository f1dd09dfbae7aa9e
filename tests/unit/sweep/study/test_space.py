"""The space of a study: its points, its corners, and how its ranges are described."""

import yaml
from optuna.distributions import FloatDistribution, IntDistribution

from ser.sweep.study.space import Space, describe, dimension


def test_corners_have_both_ends_of_every_range():
    space = Space(
        {
            "a": IntDistribution(1, 5),
            "b": dimension("b", {"categorical": ["x", "y", "z"]}),
            "c": FloatDistribution(0.0, 1.0),
        }
    )
    corners = list(space.corners())
    for name, ends in {"a": {1, 5}, "b": {"x", "y", "z"}, "c": {0.0, 1.0}}.items():
        assert {corner[name] for corner in corners} == ends


def test_ranges_that_differ_are_told_apart():
    """A command can only join a study with the same ranges, which are compared as text."""
    ranges = (
        *("{int: [0, 4]}", "{int: [0, 4], step: 2}", "{float: [0, 4]}", "{float: [0, 4], step: 1}"),
        *("{float: [1, 4], log: true}", "{categorical: [1, 2]}", "{categorical: ['1', '2']}"),
        *("{categorical: [null, true]}", "{categorical: ['null', 'true']}", "{categorical: ['None', 'True']}"),
        *("{categorical: ['a, b', c]}", "{categorical: [a, 'b, c']}", "{categorical: [1.0, 2]}"),
    )
    texts = [describe(dimension("x", yaml.safe_load(text))) for text in ranges]
    assert len(set(texts)) == len(ranges)


def test_every_combination_once():
    space = Space(
        {
            "a": dimension("a", {"int": [1, 5], "step": 2}),
            "b": dimension("b", {"float": [0, 1], "step": 0.1}),
        }
    )
    points = list(space.points())
    assert len(points) == len({tuple(point.values()) for point in points}) == 3 * 11
    assert {point["b"] for point in points} == {round(0.1 * place, 12) for place in range(11)}
