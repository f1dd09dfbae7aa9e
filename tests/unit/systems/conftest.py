"""Fixtures: the five systems with small layers."""

from tests.made_up.systems import statistics, system

__all__ = ["statistics", "system"]
