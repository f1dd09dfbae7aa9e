"""The five systems, small, for the tests of what they have in common."""

from tests.made_up.systems import statistics, system

__all__ = ["statistics", "system"]
